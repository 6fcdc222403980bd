"""The names of everything intake has to say, and what belongs to each. No code is renamed: portals branch on it."""

from enum import StrEnum
from typing import NamedTuple


class Code(StrEnum):
    """The names of all problems and remarks of this service."""

    BODY_TOO_LARGE = "body_too_large"
    BODY_NOT_UTF8 = "body_not_utf8"
    BODY_HAS_BOM = "body_has_bom"
    BODY_TOO_DEEP = "body_too_deep"
    BODY_NOT_JSON = "body_not_json"
    BODY_NOT_AN_OBJECT = "body_not_an_object"
    DUPLICATE_KEY = "duplicate_key"
    NUMBER_NOT_FINITE = "number_not_finite"
    NUMBER_OUT_OF_RANGE = "number_out_of_range"
    CONTROL_CHARACTER = "control_character"
    LONE_SURROGATE = "lone_surrogate"
    TOO_MANY_PROBLEMS = "too_many_problems"

    MISSING = "missing"
    NOT_AN_OBJECT = "not_an_object"
    NOT_A_LIST = "not_a_list"
    TOO_MANY_ITEMS = "too_many_items"
    NOT_TEXT = "not_text"
    NOT_AN_INTEGER = "not_an_integer"
    NOT_A_BOOLEAN = "not_a_boolean"
    NOT_ONE_OF = "not_one_of"
    TOO_LONG = "too_long"
    BLANK = "blank"
    LINE_BREAK = "line_break"
    MALFORMED = "malformed"
    NOT_A_DATE = "not_a_date"
    IMPOSSIBLE_DATE = "impossible_date"
    NOT_A_TIME = "not_a_time"
    YEAR_OUT_OF_RANGE = "year_out_of_range"
    PARAMETER_INVALID = "parameter_invalid"

    PORTAL_MISMATCH = "portal_mismatch"
    NO_GUARANTEE = "no_guarantee"
    KIND_REPEATED = "kind_repeated"
    PERFORMANCE_WITHOUT_ADVANCE = "performance_without_advance"
    OBLIGEE_CODE_CHECK_DIGIT = "obligee_code_check_digit"
    OBLIGEE_NOT_ELECTRONIC = "obligee_not_electronic"
    OBLIGEE_NOT_ELECTRONIC_ON_DATE = "obligee_not_electronic_on_date"
    OBLIGEE_NO_LONGER_ELECTRONIC = "obligee_no_longer_electronic"
    OBLIGEE_NOT_ELECTRONIC_FOR_KIND = "obligee_not_electronic_for_kind"
    TENDER_NOTICE_DATE_NEEDED = "tender_notice_date_needed"
    NOT_POSITIVE = "not_positive"
    AMOUNT_OVER_BASE = "amount_over_base"
    FISCAL_YEAR_AMOUNT_OVER_PRICE = "fiscal_year_amount_over_price"
    FISCAL_YEAR_OUTSIDE_WORKS = "fiscal_year_outside_works"
    WORKS_END_BEFORE_START = "works_end_before_start"
    CONTRACT_AFTER_WORKS = "contract_after_works"
    ADVANCE_NOT_PAID = "advance_not_paid"
    ADVANCE_NOT_PAID_BELOW_PRICE = "advance_not_paid_below_price"
    ADVANCE_OVER_MAXIMUM = "advance_over_maximum"
    INTERIM_OVER_MAXIMUM = "interim_over_maximum"
    EARLIER_GUARANTEE_NUMBER_NEEDED = "earlier_guarantee_number_needed"
    INTERIM_APPROVAL_NEEDED = "interim_approval_needed"
    PERFORMANCE_UNDER_MINIMUM = "performance_under_minimum"
    DEPOSITORY_NEEDED = "depository_needed"
    DEPOSITORY_NOT_FULL_WIDTH = "depository_not_full_width"
    DEPOSITORY_ONLY_ON_ADVANCE = "depository_only_on_advance"
    MAIL_ADDRESS_NEEDED = "mail_address_needed"
    MAIL_ADDRESS_MALFORMED = "mail_address_malformed"

    APPLICATION_ID_TAKEN = "application_id_taken"

    VERSION_KIND_FOR_OFFICE_ONLY = "version_kind_for_office_only"
    BASE_VERSION_NOT_POSITIVE = "base_version_not_positive"
    CHANGES_NOTHING = "changes_nothing"
    NOT_FOR_VERSION_KIND = "not_for_version_kind"
    UNKNOWN_CORRECTION = "unknown_correction"
    CHANGE_ID_TAKEN = "change_id_taken"

    DEPOSITORY_NORMALISED = "depository_normalised"
    DEPOSITORY_SIGN_REPLACED = "depository_sign_replaced"
    NO_MAIL_FOR_PAPER = "no_mail_for_paper"
    FISCAL_YEAR_FILLED_IN = "fiscal_year_filled_in"
    WORKS_ALREADY_OVER = "works_already_over"
    CONTRACT_DATE_NOT_YET = "contract_date_not_yet"
    PLANNED_CONTRACT_DATE_PASSED = "planned_contract_date_passed"
    TENDER_NOTICE_AFTER_CONTRACT = "tender_notice_after_contract"
    ADVANCE_NOT_PLANNED = "advance_not_planned"


class Wording(NamedTuple):
    """What a code says, and where.

    Attributes:
        ja: for contractors and officials, with words in braces that the occurrence fills in.
        en: the same for developers.
        meaning: what is wrong, whatever the occurrence, with the rule it comes from.
        pointers: the places it is told at, as JSON Pointers in which `*` is any one step; `**` alone is any place.
    """

    ja: str
    en: str
    meaning: str
    pointers: tuple[str, ...]
