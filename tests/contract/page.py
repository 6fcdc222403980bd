"""The programs on the page of the contracts, as they stand there."""

import re
from types import SimpleNamespace
from typing import Any, Final

from deploy.contracts.folder import CONTRACTS

OVER_HTTP: Final = 0
OVER_AMQP: Final = 1


def program(place: int, **changed: Any) -> Any:
    """The names that a program on the page defines, some of which may be set to something else."""
    page = (CONTRACTS / "README.md").read_text(encoding="utf-8")
    code = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[place]
    names: dict[str, Any] = {}
    exec(compile(code, "the page", "exec"), names)
    if unknown := set(changed) - set(names):
        raise LookupError(f"the program has no {sorted(unknown)}")
    names.update(changed)
    return SimpleNamespace(**names)
