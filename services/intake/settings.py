"""What intake needs from its environment, prefix `INTAKE_`, and the registry of obligees that it names."""

from pathlib import Path

from pydantic_settings import SettingsConfigDict

from services.intake.domain.obligees import Registry, read_registry
from shared.errors import Misconfigured
from shared.service import ServiceSettings


class Settings(ServiceSettings):
    """Besides what every service needs: who may send, and what is known of obligees."""

    model_config = SettingsConfigDict(env_prefix="INTAKE_", frozen=True, extra="ignore")

    portals_file: Path
    obligees_file: Path = Path("deploy/obligees.toml")


def read_obligees(path: Path) -> Registry:
    """The registry of obligees that stands in a TOML file.

    Raises:
        Misconfigured: naming the file, and the line and row of everything that is to be mended.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise Misconfigured(f"{path}: cannot be read ({error.strerror}); give the file of obligees.") from error
    except ValueError as error:
        raise Misconfigured(f"{path}: is not TOML in UTF-8 ({error}).") from error
    found = read_registry(text)
    if isinstance(found, Registry):
        return found
    raise Misconfigured("\n".join(f"{path}: {fault}." for fault in found))
