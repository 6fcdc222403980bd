"""What the issuer needs from its environment, prefix `ISSUER_`."""

from pathlib import Path

from pydantic import AnyHttpUrl, SecretStr
from pydantic_settings import SettingsConfigDict

from services.issuer.domain.states import Conclusion
from shared.service import ServiceSettings


class Settings(ServiceSettings):
    """Besides what every service needs: who may read, the keys that seal and sign, and who concludes.

    Attributes:
        sealing_keys: `kid:base64-32-bytes[,kid:…]`; the first seals, all open.
        signing_key: `kid:base64-32-byte-seed[,kid:…]`; the first signs, all are published.
        conclusion: whether a guarantee is concluded at once or when the core system says so (domain rule 13).
        guarantor_name: how the guarantee company is named on its certificates.
        platform_page: where an official enters number and key; key notices lead there, also by QR code. Without it
            they leave it out.
    """

    model_config = SettingsConfigDict(env_prefix="ISSUER_", frozen=True, extra="ignore")

    portals_file: Path
    sealing_keys: SecretStr
    signing_key: SecretStr
    conclusion: Conclusion = Conclusion.AUTOMATIC
    guarantor_name: str
    platform_page: AnyHttpUrl | None = None
