"""The obligee's terms by which an application is judged. They travel with it and stay with its guarantees for life."""

from services.intake.domain.form import Contract
from services.intake.domain.obligees import Registry
from services.intake.domain.obligees.registry import deciding
from shared.messages.intake import KeyNoticeAdvice, Terms


def terms_of(contract: Contract, registry: Registry) -> Terms:
    """The terms of this contract's obligee on this contract's dates."""
    code, name, day = contract.obligee_code, contract.obligee_name, contract.contract_date
    obligee, rates = registry.find(code, name), registry.rates_for(code, name, day)
    start = deciding(obligee.electronic if obligee else (), day, contract.tender_notice_date)
    notice = registry.key_notice_for(code, name, day)
    takes_this_kind = start is not None and contract.works_kind in start.works_kinds
    if start is None or not takes_this_kind:
        electronic = {}
    else:
        electronic = {
            "electronic_since": start.valid_from,
            "electronic_until": start.valid_until,
            "electronic_basis": start.basis.value,
            "changes_of_older_contracts_excluded": start.changes_of_older_contracts_excluded,
            "electronic_source": start.source,
        }
    return Terms.model_validate(
        {
            "obligee_code": code,
            "obligee_name": name,
            **electronic,
            **rates.model_dump(exclude={"valid_from", "valid_until", "source"}),
            "rates_valid_from": rates.valid_from,
            "rates_valid_until": rates.valid_until,
            "rates_source": rates.source,
            "key_notice": KeyNoticeAdvice.model_validate(notice.model_dump()) if notice else KeyNoticeAdvice(),
        }
    )
