"""中間前払金保証: what only the guarantee before it can tell (domain rule 5)."""

from collections.abc import Iterator

from services.issuer.domain.catalogue import Code, problem
from services.issuer.domain.form import Application
from services.issuer.domain.guarantee import Guarantee
from services.issuer.domain.limits import Case, judged_together
from services.issuer.domain.particulars import particulars_of
from services.issuer.domain.states import STATUS_JA, GuaranteeState, Status
from shared.messages.intake import Kind, Terms
from shared.problems import Problem

INTERIM: Kind = "interim_advance_payment"


def interim_problems(
    application: Application, earlier: Guarantee | None, others: int, terms: Terms
) -> tuple[Problem, ...]:
    """What stands against the interim line of an application.

    Args:
        application: the form; it has such a line.
        earlier: the guarantee that the line names, if there is one.
        others: what other interim guarantees on the same advance payment secure already, in yen.
        terms: by which the application was judged.
    """
    return tuple(_problems(application, earlier, others, terms))


def _problems(application: Application, earlier: Guarantee | None, others: int, terms: Terms) -> Iterator[Problem]:
    line, below = application.line_of(INTERIM), f"/guarantees/{application.index_of(INTERIM)}"
    pointer = f"{below}/earlier_guarantee_number"
    if earlier is None or earlier.customer_number != application.contractor.customer_number:
        yield problem(Code.EARLIER_GUARANTEE_UNKNOWN, pointer)
    elif earlier.kind != "advance_payment":
        yield problem(Code.EARLIER_GUARANTEE_NOT_ADVANCE, pointer)
    elif earlier.state is not GuaranteeState.ACTIVE:
        status = Status(earlier.state.value)
        yield problem(Code.EARLIER_GUARANTEE_NOT_ACTIVE, pointer, status=status, status_ja=STATUS_JA[status])
    else:
        yield from judged_together(
            Case(
                kind=line.kind,
                certificate_form=line.certificate_form,
                values=particulars_of(application, line),
                terms=terms,
                sent={"amount": f"{below}/amount"},
                beside=earlier.amount_at_most + others,
            )
        )
