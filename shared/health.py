"""What tells a keeper or an operator about a process: does it answer, can it work, which build is it."""

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import JSONResponse

HEALTH_PATHS: Final = frozenset({"/livez", "/readyz", "/version"})


@cache
def version() -> str:
    """Tell the version of this build: of the installed package, or of the checkout it runs from."""
    try:
        return installed_version("hosho")
    except PackageNotFoundError:
        project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
        return str(project["project"]["version"])


def health_routes(
    readiness: Callable[[], Mapping[str, str]], stages: Callable[[], Mapping[str, Mapping[str, Any]]] = dict
) -> APIRouter:
    """Make ``/livez``, ``/readyz`` and ``/version``.

    ``readiness`` gives what is missing, as name → reason; nothing missing means ready. ``stages`` tells how each
    outside stands; one that is not called makes no service unready, for its rows wait. Both can be read by anybody
    who reaches the port, so they name no address and no secret.
    """
    router = APIRouter(tags=["health"])

    @router.get("/livez")
    async def livez() -> dict[str, bool]:
        """Tell that the process answers."""
        return {"alive": True}

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        """Tell whether work can be taken, and if not, why not; and how the outsides stand."""
        reasons = dict(readiness())
        told: dict[str, Any] = {"ready": not reasons, "reasons": reasons}
        if outsides := {name: dict(facts) for name, facts in stages().items()}:
            told["stages"] = outsides
        return JSONResponse(told, 503 if reasons else 200)

    @router.get("/version")
    async def running_version() -> dict[str, str]:
        """Tell which build runs."""
        return {"version": version()}

    return router
