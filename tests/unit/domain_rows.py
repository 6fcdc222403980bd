"""The rows of the domain: form (section 2), rules (section 4), both life cycles (section 5), and what proves each.

`test_domain_rows.py` holds them against the code and the tests.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple


class Row(NamedTuple):
    """What proves one row.

    Attributes:
        tests: names of tests, each with its file: `test_form:test_a` stands in tests/unit/intake/test_form.py, a name
            with slashes below tests/.
        claims: fields of the forms (by pointer, lines without their number) and rules (by function) of this row.
    """

    tests: tuple[str, ...]
    claims: frozenset[str] = frozenset()


def row_of(tests: str, claims: str = "") -> Row:
    """A row, with its tests and claims written one after the other."""
    return Row(tuple(tests.split()), frozenset(claims.split()))


FORM: Final[Mapping[str, Row]] = {
    "請負工事の情報: 発注者名, 工事名, 請負金額, 契約日, 工期": row_of(
        """test_form:test_every_field_of_the_form_is_kept_as_it_was_sent
        test_rules:test_the_check_digit_of_the_obligee_code_is_verified
        test_rules:test_an_obligee_is_its_code_and_its_name
        test_form:test_nothing_is_coerced_and_each_refusal_has_its_code
        test_remarks:test_a_planned_contract_date_has_not_passed
        test_remarks:test_a_contract_date_still_to_come_is_planned""",
        """/contract/obligee_code /contract/obligee_name /contract/project_name /contract/price
        /contract/contract_date /contract/contract_date_planned /contract/tender_notice_date /contract/works_from
        /contract/works_until /contract/works_kind obligee_code_has_its_check_digit""",
    ),
    "請負契約者, JV名": row_of(
        """test_form:test_every_field_of_the_form_is_kept_as_it_was_sent
        test_form:test_an_empty_text_where_null_may_stand_is_null
        test_rules:test_only_the_depository_is_held_to_full_width""",
        "/contractor/customer_number /contractor/name /contractor/jv_name",
    ),
    "前払金保証を申し込む, 契約保証を申し込む": row_of(
        """test_rules:test_at_least_one_guarantee_is_applied_for test_rules:test_each_kind_stands_once
        test_form:test_more_lines_than_the_limit_are_told_and_the_first_are_judged""",
        "/guarantees/kind",
    ),
    "手続状況, 保証契約番号": row_of(
        """service/intake/test_reading:test_an_accepted_application_is_read_back_whole
        unit/issuer/test_names:test_a_number_is_a_serial_in_five_and_six_digits
        unit/issuer/test_states:test_every_pair_of_states_has_a_status_and_every_status_a_label"""
    ),
    "保証証書の形式": row_of(
        """test_form:test_a_field_that_is_missing_is_the_only_problem
        test_form:test_nothing_is_coerced_and_each_refusal_has_its_code
        service/intake/test_deliveries:test_a_good_application_is_accepted_and_everybody_hears_of_it""",
        "/guarantees/certificate_form",
    ),
    "今年度対象額": row_of(
        """test_money_rules:test_of_a_work_of_several_years_this_years_amount_is_the_base
        test_money_rules:test_the_fiscal_year_is_one_from_contract_to_end_of_works
        test_dates:test_the_fiscal_year_left_out_is_filled_in_where_it_is_used
        test_remarks:test_the_fiscal_year_that_was_filled_in_is_told""",
        "/contract/fiscal_year_amount /contract/fiscal_year",
    ),
    "前払金保証金額, 契約保証金額, 割合": row_of(
        """test_dates:test_a_ratio_is_shown_half_up_to_one_decimal
        test_money_rules:test_a_ratio_that_is_shown_as_40_percent_can_still_be_over_it
        service/intake/test_reading:test_an_accepted_application_is_read_back_whole""",
        "/guarantees/amount",
    ),
    "預託金融機関(全角), 再預託利用区分": row_of(
        """test_depository:test_what_is_certain_is_made_full_width
        test_rules:test_a_performance_guarantee_has_no_depository
        test_form:test_every_field_of_the_form_is_kept_as_it_was_sent""",
        "/guarantees/depository /guarantees/redeposit",
    ),
    "保証料支払方法, 保証料請求先": row_of(
        """test_form:test_every_field_of_the_form_is_kept_as_it_was_sent
        test_form:test_the_limit_on_characters_is_exact""",
        "/guarantees/premium_payment_method /guarantees/premium_billed_to",
    ),
    "保証料計算書(紙)": row_of(
        """test_form:test_every_field_of_the_form_is_kept_as_it_was_sent
        unit/issuer/test_guarantee:test_a_paper_order_says_where_to_and_how_much""",
        "/guarantees/paper_premium_statement",
    ),
    "申込送信先, 保証証書受取": row_of(
        """test_form:test_every_field_of_the_form_is_kept_as_it_was_sent
        unit/issuer/test_guarantee:test_a_paper_order_says_where_to_and_how_much""",
        "/receiving_office /paper_delivery",
    ),
    "電子保証発行完了のお知らせ, メールアドレス": row_of(
        """test_rules:test_a_wished_mail_needs_an_address
        test_form:test_a_field_that_is_missing_is_the_only_problem""",
        "/completion_mail/wanted /completion_mail/address",
    ),
    "連絡先": row_of(
        """test_form:test_every_field_of_the_form_is_kept_as_it_was_sent
        test_form:test_nothing_is_coerced_and_each_refusal_has_its_code""",
        "/contact/department /contact/title /contact/name /contact/phone",
    ),
    "お客様から弊社への連絡事項": row_of(
        "test_form:test_a_message_may_have_several_lines test_form:test_the_limit_on_characters_is_exact",
        "/message_to_guarantor",
    ),
    "弊社からお客様へのお知らせ": row_of(
        """service/issuer/test_conclusion:test_with_the_core_system_a_guarantee_waits_until_it_is_concluded
        service/issuer/test_conclusion:test_a_declined_guarantee_is_told_with_its_reasons"""
    ),
}
"""Section 2, row by row; the second last column of the form's page is told by the issuer."""

RULES_OF_INTAKE: Final[Mapping[str, Row]] = {
    "1 at least one line, each kind once, a performance guarantee is a rider": row_of(
        """test_rules:test_at_least_one_guarantee_is_applied_for test_rules:test_each_kind_stands_once
        test_rules:test_a_performance_guarantee_needs_a_planned_advance_payment
        test_remarks:test_an_advance_that_is_not_planned_is_asked_about""",
        """something_is_applied_for kind_stands_once performance_rides_on_an_advance
        /contract/advance_payment_planned""",
    ),
    "2 electronic only if the obligee is registered and its start rule holds": row_of(
        """test_rules:test_electronic_starts_on_its_day_by_contract_date
        test_rules:test_electronic_starts_on_its_day_by_tender_notice_date
        test_rules:test_a_registered_obligee_without_electronic_guarantees_takes_paper_only
        test_terms:test_an_obligee_that_stopped_and_begins_again
        test_terms:test_a_kind_of_works_that_stays_on_paper_is_refused_electronically
        test_terms:test_mishimas_terms_are_its_published_condition_and_the_general_rates
        test_obligees:test_the_row_that_holds_decides_else_the_next_one""",
        "obligee_takes_electronic",
    ),
    "3 whole yen above nothing, amounts within their base, dates in order": row_of(
        """test_money_rules:test_money_is_more_than_nothing test_money_rules:test_one_yen_is_money
        test_money_rules:test_a_guarantee_is_not_larger_than_its_base
        test_money_rules:test_this_years_amount_is_not_larger_than_the_price
        test_rules:test_works_do_not_end_before_they_start
        test_rules:test_the_contract_is_not_later_than_the_end_of_works
        test_wrong_forms:test_a_wrong_form_is_one_problem_at_its_place
        test_remarks:test_works_that_were_over_before_anybody_applied_get_a_remark""",
        """price_is_positive fiscal_year_amount_is_positive fiscal_year_amount_is_part_of_the_price
        works_end_after_they_start contract_comes_before_the_end_of_works amount_is_positive
        amount_is_part_of_its_base""",
    ),
    "4 advance payments: 40 % for works, 30 % for design and survey": row_of(
        """test_money_rules:test_an_advance_payment_stays_below_its_maximum
        test_money_rules:test_rates_change_with_the_contract_date
        test_terms:test_a_contract_keeps_the_rates_of_its_day
        test_terms:test_where_no_advance_is_paid_none_is_secured
        test_terms:test_an_advance_is_paid_from_a_price_on
        unit/issuer/test_change_rules:test_a_change_does_not_fall_below_the_price_from_which_an_advance_is_paid""",
        """advance_stays_below_its_maximum obligee_pays_advances_on_this_kind
        obligee_pays_advances_from_a_price_on""",
    ),
    "5 interim advance payments: 20 % more, their advance payment and 認定": row_of(
        """test_money_rules:test_an_interim_advance_payment_stays_below_its_maximum
        test_money_rules:test_an_interim_advance_payment_needs_its_advance_and_an_approval""",
        """interim_stays_below_its_maximum interim_names_its_advance interim_was_approved
        /guarantees/earlier_guarantee_number /guarantees/interim_approval""",
    ),
    "6 performance guarantees: 10 %, 30 % for a low bid; rounding": row_of(
        """test_money_rules:test_a_performance_guarantee_reaches_its_minimum
        test_money_rules:test_the_minimum_rounds_up test_money_rules:test_the_maximum_rounds_down
        test_money_rules:test_the_maximum_is_cut_where_the_obligee_cuts_below_100_000
        test_dates:test_amounts_are_exact_however_large""",
        "performance_reaches_its_minimum /contract/low_bid",
    ),
    "7 works of several years: this year's amount is the base": row_of(
        """test_money_rules:test_of_a_work_of_several_years_this_years_amount_is_the_base
        test_money_rules:test_the_fiscal_year_is_one_from_contract_to_end_of_works
        test_dates:test_a_guarantee_lasts_until_the_works_or_this_year_end""",
        "fiscal_year_is_one_of_the_works",
    ),
    "8 the depository: required, full-width by the table, normalised where certain": row_of(
        """test_rules:test_an_advance_payment_names_its_depository
        test_rules:test_what_is_not_full_width_for_certain_is_refused_with_its_position
        test_rules:test_only_the_depository_is_held_to_full_width
        test_depository:test_the_table_is_the_whole_of_jis_x_0208
        test_depository:test_what_is_not_certain_is_refused_at_its_place
        test_depository:test_the_portal_is_told_by_a_remark_in_the_words_of_the_contract
        test_depository:test_several_changes_are_told_together_and_signs_apart""",
        "advance_names_its_depository depository_is_full_width depository_belongs_to_advances",
    ),
    "9 a wished mail has an address; not wished or only paper, no mail": row_of(
        """test_rules:test_a_wished_mail_needs_an_address
        test_rules:test_a_mail_cannot_be_sent_to_such_an_address
        test_judgement:test_with_no_electronic_line_no_mail_is_kept_and_the_portal_is_told
        test_judgement:test_with_no_mail_wished_the_address_is_not_kept""",
        "wished_mail_has_an_address",
    ),
    "10 dates in ISO or 和暦, kept as ISO": row_of(
        """test_dates:test_a_day_is_read_in_every_way_the_form_takes
        test_dates:test_the_first_and_last_day_of_an_era_exist test_dates:test_a_day_that_never_was_is_impossible
        test_dates:test_what_is_no_date_is_not_guessed test_dates:test_dates_are_kept_as_iso
        test_wrong_forms:test_a_wrong_form_is_one_problem_at_its_place"""
    ),
    "11 an accepted application occupies its id, a rejected one nothing": row_of(
        """test_judgement:test_an_accepted_id_repeats_or_conflicts_whatever_the_rules_say_by_now
        test_judgement:test_the_order_of_keys_spacing_escapes_and_the_time_of_sending_do_not_count
        test_judgement:test_everything_else_counts
        service/intake/test_deliveries:test_the_same_content_gets_the_same_answer_again
        service/intake/test_deliveries:test_other_content_under_an_accepted_id_is_conflicted_and_the_first_stands
        service/intake/test_deliveries:test_a_rejected_application_occupies_nothing
        service/intake/test_changes:test_other_content_under_an_accepted_id_is_rejected_and_the_first_stands""",
        "portal_is_the_doors /application_id /portal /submitted_at",
    ),
    "12 a change: its form": row_of(
        """test_change:test_what_is_not_a_change_is_the_offices test_change:test_versions_count_from_one
        test_change:test_one_new_value_is_a_change_and_none_is_not
        test_change:test_a_correction_corrects_something test_change:test_what_would_be_ignored_is_refused
        test_change:test_only_what_stands_on_the_certificate_is_corrected
        test_change:test_a_field_is_corrected_to_nothing_only_where_nothing_may_stand
        test_change:test_the_office_may_change_any_guarantee_and_a_portal_its_customers
        test_change:test_everything_that_is_wrong_is_told_at_once
        test_change:test_the_published_example_is_accepted_without_a_remark
        service/intake/test_changes:test_over_http_a_change_is_202_then_200_then_409""",
        """change:/change_id change:/portal change:/submitted_at change:/customer_number change:/guarantee_number
        change:/base_version change:/version_kind change:/reason change:/completion_mail/wanted
        change:/completion_mail/address change:portal_is_the_doors change:portal_names_its_customer
        change:base_version_is_a_version change:only_the_office_corrects_cancels_and_terminates
        change:something_is_changed change:values_belong_to_the_kind change:corrections_are_known
        change:corrections_have_values change:wished_mail_has_an_address""",
    ),
    "12 a change: rules 3, 8 and 10 on its new values": row_of(
        """test_change:test_money_is_more_than_nothing
        test_change:test_an_amount_is_not_larger_than_the_price_beside_it
        test_change:test_the_works_do_not_end_before_the_contract_beside_them
        test_change:test_a_depository_is_corrected_to_full_width_only test_change:test_dates_are_kept_as_iso
        test_change:test_a_date_in_a_wrong_form_is_refused
        test_change:test_of_corrections_only_the_corrected_fields_are_handed_on""",
        """change:/contract_date change:/price change:/fiscal_year_amount change:/amount change:/works_until
        change:/corrections/contractor_name change:/corrections/jv_name change:/corrections/project_name
        change:/corrections/contract_date change:/corrections/works_from change:/corrections/works_until
        change:/corrections/price change:/corrections/fiscal_year_amount change:/corrections/amount
        change:/corrections/depository change:money_is_positive change:amount_is_part_of_the_price
        change:fiscal_year_amount_is_part_of_the_price change:works_end_after_contract_and_start
        change:depository_is_full_width""",
    ),
}
"""Section 4, as far as form and registry can tell."""

RULES_OF_OTHERS: Final[Mapping[str, Row]] = {
    "7 guarantee_until": row_of(
        "unit/issuer/test_names:test_a_guarantee_holds_until_works_end_or_this_years_amount_does"
    ),
    "13 a certificate is made only when the guarantee is concluded": row_of(
        """unit/issuer/test_guarantee:test_conclusion_sends_an_electronic_certificate_on_its_way
        service/issuer/test_conclusion:test_with_the_core_system_a_guarantee_waits_until_it_is_concluded
        service/issuer/test_conclusion:test_repeats_of_the_core_system_are_ignored_and_contradictions_parked"""
    ),
    "14 key, notice and mail exist only after the first arrival": row_of(
        """service/issuer/test_wishes:test_a_key_is_not_revealed_before_the_arrival_nor_without_a_viewer
        unit/issuer/test_guarantee:test_a_mail_can_be_wished_again_only_after_the_arrival"""
    ),
    "15 the official's check": row_of(
        """unit/simulators/test_platform_checks:test_an_unknown_number_and_a_wrong_key_get_one_and_the_same_answer
        unit/simulators/test_platform_checks:test_repeated_failure_locks_the_number_even_for_the_right_key"""
    ),
    "life of a guarantee": row_of(
        """unit/issuer/test_states:test_every_state_of_a_guarantee_is_reached_by_its_events
        unit/issuer/test_states:test_a_guarantee_expires_on_the_day_after_its_last
        unit/issuer/test_guarantee:test_a_declined_guarantee_stays_declined"""
    ),
    "life of a version": row_of(
        """unit/issuer/test_states:test_every_state_of_a_version_is_reached_by_its_events
        unit/issuer/test_guarantee:test_a_refused_version_is_final_and_the_contractor_is_told_to_wait
        unit/issuer/test_guarantee:test_paper_never_arrives_at_the_platform"""
    ),
    "手続状況 is a function of both": row_of(
        """unit/issuer/test_states:test_the_status_follows_from_guarantee_and_latest_version
        unit/issuer/test_states:test_every_pair_of_states_has_a_status_and_every_status_a_label"""
    ),
}
"""Section 4 as far as another guarantee, the platform or the core system is asked, and section 5."""

RULES_ON_CHANGES: Final[Mapping[str, Row]] = {
    "5 interim advance payments: the sums": row_of(
        """service/issuer/test_interim:test_an_interim_advance_payment_within_the_limits_is_concluded_at_once
        service/issuer/test_interim:test_one_yen_more_than_both_may_be_together_is_declined_with_the_reason
        service/issuer/test_interim:test_changes_of_either_keep_the_sum"""
    ),
    "12 a change: the state of its guarantee": row_of(
        """service/issuer/test_changes:test_a_change_is_issued_as_the_second_version_under_the_same_key
        service/issuer/test_changes_refused:test_two_processes_that_hear_two_changes_at_once_make_one_version
        service/issuer/test_changes_refused:test_a_foreign_guarantee_looks_like_an_unknown_one
        service/issuer/test_changes_refused:test_what_is_not_active_cannot_be_changed
        service/issuer/test_changes_refused:test_everything_that_stands_against_a_change_is_told_at_once_where_it_stands
        unit/issuer/test_change:test_each_history_shows_what_holds_and_hides_what_was_mended_or_taken_back
        service/issuer/test_changes:test_a_sibling_below_its_minimum_is_remarked_on_both_and_refuses_nothing"""
    ),
    "2 a corrected date is judged again": row_of(
        """unit/issuer/test_change_rules:test_a_corrected_contract_date_is_judged_again
        service/issuer/test_changes_refused:test_terms_that_travelled_with_the_application_judge_its_changes"""
    ),
}
"""What the issuer judges of changes and interim advance payments; held to as soon as it hears of accepted changes."""
