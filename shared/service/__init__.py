"""One service process: what it is (`description`), what it holds while it lives (`running`), how it starts and stops
(`process`).
"""

from shared.service.description import Hears, Service, ServiceSettings
from shared.service.process import run

__all__ = ["Hears", "Service", "ServiceSettings", "run"]
