"""The services as `build_app()` describes them, built without a server: for what they hear, announce and serve."""

import base64
import importlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Final

from fastapi import FastAPI

from deploy.places import OBLIGEES_FILE, OPERATORS_FILE, PORTALS_FILE
from shared.operator_door.operators import Operators
from shared.operator_door.routes import operator_routes
from shared.service import Service
from shared.topology import SERVICES
from shared.web import web_app

# Nothing is connected to and nothing is sealed or signed while services are only described.
_NO_KEY: Final = "none:" + base64.b64encode(bytes(32)).decode()
_NOWHERE: Final = {
    "DATABASE_URL": "postgresql://nowhere.example/hosho",
    "BROKER_URL": "amqp://nowhere.example/hosho",
    "HTTP_PORT": "1",
    "PORTALS_FILE": str(PORTALS_FILE),
    "OBLIGEES_FILE": str(OBLIGEES_FILE),
    "OPERATORS_FILE": str(OPERATORS_FILE),
    "SEALING_KEYS": _NO_KEY,
    "SIGNING_KEY": _NO_KEY,
    "CONCLUSION": "automatic",
    "GUARANTOR_NAME": "○○建設業保証株式会社",
    "PLATFORM_URL": "https://platform.example",
    "PLATFORM_TOKEN": "none",
    "SMTP_HOST": "nowhere.example",
    "SMTP_PORT": "25",
    "MAIL_FROM": "hosho@guarantor.example",
}


@cache
def described() -> Mapping[str, Service]:
    """Every service by its name, in the order of all screens and tables."""
    return {name: _described(name) for name in SERVICES}


def _described(name: str) -> Service:
    with _environment({f"{name.upper()}_{setting}": value for setting, value in _NOWHERE.items()}):
        built: Service = importlib.import_module(f"services.{name}.app").build_app()
    return built


@cache
def operator_door() -> FastAPI:
    """The operator door, as every service has it beside its own routes."""
    app = web_app("Hosho operator door")
    app.include_router(operator_routes(described()["platform_bridge"], Operators.load(OPERATORS_FILE)))
    return app


def web_of(service: str) -> FastAPI:
    """What a service serves over HTTP."""
    web = described()[service].web
    if web is None:
        raise LookupError(f"{service} serves nothing over HTTP")
    return web


@contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(settings)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
