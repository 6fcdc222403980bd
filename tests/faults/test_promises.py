"""Each promise of ARCHITECTURE.md names the tests that would fail if it were broken; the names are kept true here."""

import ast
import re
from typing import Final

import pytest

from deploy.places import CHECKOUT

PROMISES: Final = {
    "Nothing received is lost.": (
        "test_brief_faults_lose_double_and_misdate_nothing",
        "test_whatever_happens_every_version_is_heard_done_recorded_and_told_once",
        "test_a_killed_service_loses_and_doubles_nothing",
        "test_what_was_committed_is_published_wherever_the_process_is_killed",
        "test_a_message_is_not_acknowledged_before_its_commit",
        "test_what_was_received_before_a_reconnect_is_handled_once_and_nothing_is_lost",
        "test_acknowledging_one_queue_leaves_the_uncommitted_messages_of_another_alone",
        "test_what_was_in_hand_at_a_reconnect_acknowledges_nothing_of_the_next_channel",
        "test_a_row_is_deleted_only_after_its_confirm",
        "test_facts_that_nobody_hears_wait_alone_and_shout_while_others_flow",
        "test_the_running_broker_is_as_planned",
        "test_a_fact_that_kills_its_process_is_parked_unrun_and_its_neighbours_are_done_once",
    ),
    "Nothing is doubled.": (
        "test_brief_faults_lose_double_and_misdate_nothing",
        "test_whatever_happens_every_version_is_heard_done_recorded_and_told_once",
        "test_a_second_delivery_is_a_no_op",
        "test_a_commit_whose_acknowledgement_got_lost_has_no_second_effect",
        "test_two_processes_that_hear_one_application_make_one_guarantee",
        "test_of_many_at_once_with_one_id_exactly_one_content_is_accepted",
        "test_a_connection_lost_after_the_dot_may_repeat_the_mail_under_one_message_id",
    ),
    "Order per guarantee.": (
        "test_whatever_happens_every_version_is_heard_done_recorded_and_told_once",
        "test_a_version_is_never_called_before_the_one_before_it_is_settled",
        "test_versions_are_posted_in_order_in_whatever_order_they_are_heard",
    ),
    "発行日時 is the platform's": (
        "test_brief_faults_lose_double_and_misdate_nothing",
        "test_the_first_arrival_stands_whatever_comes_later",
        "test_an_application_becomes_a_guarantee_with_the_platforms_own_time",
    ),
    "Bad input gets all its reasons at once": (
        "test_a_bad_application_is_422_with_everything_at_once_and_occupies_nothing",
        "test_what_cannot_be_read_is_answered_to_the_queues_portal_and_parked",
    ),
    "Overload waits": (
        "test_what_memory_has_no_room_for_is_published_from_the_table",
        "test_a_full_queue_delays_its_facts_and_nothing_else",
        "test_the_prefetch_is_really_bounded_before_and_after_a_reconnect",
        "test_a_flood_that_never_ends_does_not_starve_a_quiet_portal",
        "test_a_full_house_asks_to_come_again",
    ),
    "A stop burns nothing": (
        "test_a_graceful_stop_burns_no_delivery_count",
        "test_a_stop_calls_nothing_more_records_what_runs_and_frees_the_rest",
    ),
}


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


@pytest.mark.parametrize("promise", PROMISES)
def test_every_test_a_promise_names_exists(promise: str, defined: set[str]) -> None:
    missing = set(PROMISES[promise]) - defined

    assert not missing, f"{promise} names tests that are not there: {missing}"
