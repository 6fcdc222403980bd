"""Each promise of ARCHITECTURE.md, claim by claim, names the tests that would fail if it were broken."""

import ast
import re
from collections.abc import Mapping
from typing import Final

import pytest

from deploy.places import CHECKOUT

QUICK: Final = "test_brief_faults_lose_double_and_misdate_nothing"
MODEL: Final = "test_whatever_happens_every_version_is_heard_done_recorded_and_told_once"

PROMISES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "Nothing received is lost.": {
        "all of it together, under faults": (QUICK, MODEL),
        "any process may be killed, at any instruction": (
            "test_a_killed_service_loses_and_doubles_nothing",
            "test_what_was_committed_is_published_wherever_the_process_is_killed",
            "test_rows_of_a_dead_owner_are_taken_at_once_and_known_as_unknown",
            "test_rows_of_a_dead_owner_are_published_within_seconds",
            "test_a_fact_that_kills_its_process_is_parked_unrun_and_its_neighbours_are_done_once",
        ),
        "any connection may be cut": (
            "test_what_was_received_before_a_reconnect_is_handled_once_and_nothing_is_lost",
            "test_many_cuts_in_the_middle_of_a_stream_lose_and_double_nothing",
            "test_what_was_in_hand_at_a_reconnect_acknowledges_nothing_of_the_next_channel",
            "test_cuts_of_the_publishing_connection_lose_nothing_and_keep_each_identity",
            "test_a_connection_that_is_killed_inside_the_transaction_costs_a_retry",
        ),
        "the database may be away": (
            "test_an_outage_gives_everything_back_once_and_goes_on_afterwards",
            "test_a_standby_that_only_reads_is_not_taken_for_the_end_of_the_outage",
            "test_a_result_waits_for_a_database_that_is_away",
        ),
        "the broker may be away, or blocked": (
            "test_a_broker_that_goes_away_during_the_outage_does_not_end_the_consumer",
            "test_nothing_is_written_to_a_connection_that_an_alarm_blocks",
            "test_a_publisher_that_is_held_up_does_not_hold_up_the_consumers",
        ),
        "nothing is acknowledged before its commit": (
            "test_a_message_is_not_acknowledged_before_its_commit",
            "test_acknowledging_one_queue_leaves_the_uncommitted_messages_of_another_alone",
            "test_tags_that_are_noted_out_of_order_never_acknowledge_what_is_not_done",
        ),
        "nothing is forgotten before its confirm": (
            "test_a_row_is_deleted_only_after_its_confirm",
            "test_facts_that_nobody_hears_wait_alone_and_shout_while_others_flow",
            "test_the_running_broker_is_as_planned",
        ),
    },
    "Nothing is doubled.": {
        "all of it together, under faults": (QUICK, MODEL),
        "what comes twice has one effect": (
            "test_a_second_delivery_is_a_no_op",
            "test_a_commit_whose_acknowledgement_got_lost_has_no_second_effect",
            "test_announcing_again_gives_the_same_id_and_a_second_occasion_another",
        ),
        "one guarantee per portal, application and line": (
            "test_two_processes_that_hear_one_application_make_one_guarantee",
            "test_of_many_at_once_with_one_id_exactly_one_content_is_accepted",
            "test_the_database_itself_keeps_an_accepted_id_from_being_taken_twice",
        ),
        "one number, one key": (
            "test_a_batch_gives_every_line_a_number_of_its_own_in_the_order_of_the_facts",
            "test_a_key_that_another_guarantee_has_is_drawn_again",
            "test_an_unknown_outcome_is_tried_again_with_the_same_bytes_and_key",
        ),
        "one mail": (
            "test_the_same_fact_again_mails_once_and_a_new_wish_mails_again",
            "test_a_mail_that_waits_is_not_doubled",
        ),
        "the three windows of mail, and no fourth": (
            "test_a_connection_lost_after_the_dot_may_repeat_the_mail_under_one_message_id",
            "test_a_server_that_falls_silent_after_the_dot_may_have_the_mail",
            "test_a_late_failure_under_a_lost_lease_changes_nothing_and_a_late_success_is_recorded",
            "test_a_repeated_mail_is_pardoned_only_when_something_opened_a_window_in_between",
        ),
    },
    "Order per guarantee.": {
        "version n never before n-1 is settled": (
            MODEL,
            "test_a_version_is_never_called_before_the_one_before_it_is_settled",
            "test_a_version_waits_as_long_as_the_one_before_it_is_held",
            "test_versions_are_posted_in_order_in_whatever_order_they_are_heard",
        ),
    },
    "発行日時 is the platform's": {
        "the first one it gave": (
            QUICK,
            "test_the_first_arrival_stands_whatever_comes_later",
            "test_the_first_arrival_time_stands",
        ),
        "never our clock": (
            "test_an_application_becomes_a_guarantee_with_the_platforms_own_time",
            "test_the_arrival_time_of_the_platform_becomes_the_time_of_issue",
            "test_an_arrival_may_be_off_by_five_minutes_and_not_more",
        ),
    },
    "Bad input gets all its reasons at once": {
        "every reason, with codes and pointers": (
            "test_a_bad_application_is_422_with_everything_at_once_and_occupies_nothing",
            "test_everything_that_is_wrong_is_told_at_once",
            "test_every_code_has_its_words_and_its_way_to_be_told",
        ),
        "what cannot be read is answered too": (
            "test_what_cannot_be_read_is_answered_to_the_queues_portal_and_parked",
        ),
    },
    "Overload waits": {
        "in queues and rows, not in memory": (
            "test_what_memory_has_no_room_for_is_published_from_the_table",
            "test_a_full_queue_delays_its_facts_and_nothing_else",
            "test_the_prefetch_is_really_bounded_before_and_after_a_reconnect",
            "test_memory_grants_no_more_than_it_has_room_for",
        ),
        "a flooding portal delays itself": (
            "test_a_flood_that_never_ends_does_not_starve_a_quiet_portal",
            "test_a_quiet_portal_does_not_wait_behind_a_flood",
            "test_a_full_house_asks_to_come_again",
            "test_a_quiet_portal_is_served_in_the_midst_of_a_flood",
            "test_a_quiet_lane_passes_the_packs_of_a_flood",
            "test_what_a_hearer_has_fetched_or_will_in_a_moment_does_not_shut_the_door_and_the_next_pack_does",
        ),
        "garbage, bulk and slowness cost the others nothing": (
            "test_garbage_is_answered_and_parked_one_by_one",
            "test_large_bodies_are_refused_before_they_are_read",
            "test_a_crowd_is_told_to_come_again",
            "test_a_head_that_never_ends_is_given_up",
            "test_a_client_that_does_not_read_is_ended",
        ),
    },
    "A stop burns nothing": {
        "no delivery count rises": ("test_a_graceful_stop_burns_no_delivery_count",),
        "what is in hand is finished, the rest is free": (
            "test_a_stop_calls_nothing_more_records_what_runs_and_frees_the_rest",
        ),
    },
}

CLAIMS: Final = [(promise, claim) for promise, claims in PROMISES.items() for claim in claims]


def _missing(promise: str, claim: str, defined: set[str]) -> set[str]:
    return set(PROMISES[promise][claim]) - defined


def test_the_architecture_promises_what_is_tested_here() -> None:
    text = (CHECKOUT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    section = text.split("## What is promised")[1].split("\n## ")[0]

    assert re.findall(r"(?m)^\d+\. \*\*(.+?)\*\*", section) == list(PROMISES)


@pytest.fixture(scope="module")
def defined() -> set[str]:
    """The names of all tests."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (CHECKOUT / "tests").rglob("test_*.py")]
    nodes = [node for tree in trees for node in tree.body]
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize(("promise", "claim"), CLAIMS)
def test_every_test_a_claim_names_exists(promise: str, claim: str, defined: set[str]) -> None:
    assert PROMISES[promise][claim], f"{promise} {claim}: names no test"
    assert not _missing(promise, claim, defined)


def test_a_name_that_is_gone_is_found(defined: set[str]) -> None:
    promise, claim = CLAIMS[0]

    assert _missing(promise, claim, defined - {QUICK}) == {QUICK}
