"""How handlers tell what became of a fact: announced, ignored with a line, or parked with the reason."""

from datetime import date

from services.issuer.domain.announcements import Telling
from services.issuer.domain.guarantee import Guarantee, Impossible, Repeated
from services.issuer.domain.names import TOKYO
from shared.envelope import Fact
from shared.logs import get_logger
from shared.work import Work

logger = get_logger()


def today(work: Work) -> date:
    """The day in Japan on which this work is done."""
    return work.now.astimezone(TOKYO).date()


def tell(work: Work, guarantee: Guarantee, telling: Telling, cause: Fact | None = None) -> None:
    """Announce this of the guarantee when the transaction commits."""
    _announce(work, telling, guarantee.correlation, guarantee.portal, cause)


def answer(work: Work, portal: str, telling: Telling, cause: Fact) -> None:
    """Announce this to the portal that sent its cause, when the transaction commits; no guarantee need be known."""
    _announce(work, telling, cause.correlation, portal, cause)


def _announce(work: Work, telling: Telling, correlation: str, portal: str, cause: Fact | None) -> None:
    work.announce(
        telling.message,
        subject=telling.subject,
        occurrence=telling.occurrence,
        correlation=correlation,
        portal=portal if telling.to_portal else None,
        cause=cause,
    )


def put_by(work: Work, fact: Fact, why: Repeated | Impossible) -> None:
    """A fact that moves nothing: a repeat leaves a line in the log, a contradiction goes to the desk."""
    if isinstance(why, Repeated):
        logger.info("fact.ignored", type=fact.type, subject=fact.subject, reason=why.reason)
    else:
        work.park(fact, why.code, why.reason)
