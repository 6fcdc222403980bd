"""What intake serves over HTTP: portals send applications and read what became of them (contract, section 3)."""

from services.intake.web.routes import build_web

__all__ = ["build_web"]
