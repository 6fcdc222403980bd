"""Each promise of ARCHITECTURE.md names the tests that would fail if it were broken; the names are kept true here."""

import ast
import re
from typing import Final

import pytest

from deploy.places import CHECKOUT

SHARED: Final = "tests/service/shared"
PROMISES: Final = {
    "Nothing received is lost.": (
        "tests/faults/test_quick.py::test_brief_faults_lose_double_and_misdate_nothing",
        "tests/faults/test_model.py::test_whatever_happens_every_version_is_heard_done_recorded_and_told_once",
        "tests/e2e/test_kill.py::test_a_killed_service_loses_and_doubles_nothing",
        f"{SHARED}/test_dying.py::test_what_was_committed_is_published_wherever_the_process_is_killed",
        f"{SHARED}/test_acknowledging.py::test_a_message_is_not_acknowledged_before_its_commit",
        f"{SHARED}/test_acknowledging.py::test_what_was_received_before_a_reconnect_is_handled_once_and_nothing_is_lost",
        (
            f"{SHARED}/test_acknowledging.py::"
            "test_acknowledging_one_queue_leaves_the_uncommitted_messages_of_another_alone"
        ),
        f"{SHARED}/test_relaying.py::test_a_row_is_deleted_only_after_its_confirm",
        f"{SHARED}/test_relaying.py::test_facts_that_nobody_hears_wait_alone_and_shout_while_others_flow",
        f"{SHARED}/test_rights.py::test_the_running_broker_is_as_planned",
        f"{SHARED}/test_dying.py::test_a_fact_that_kills_its_process_is_parked_unrun_and_its_neighbours_are_done_once",
    ),
    "Nothing is doubled.": (
        "tests/faults/test_quick.py::test_brief_faults_lose_double_and_misdate_nothing",
        "tests/faults/test_model.py::test_whatever_happens_every_version_is_heard_done_recorded_and_told_once",
        f"{SHARED}/test_settling.py::test_a_second_delivery_is_a_no_op",
        f"{SHARED}/test_acknowledging.py::test_a_commit_whose_acknowledgement_got_lost_has_no_second_effect",
        "tests/service/issuer/test_conclusion.py::test_two_processes_that_hear_one_application_make_one_guarantee",
        "tests/service/intake/test_requests.py::test_of_many_at_once_with_one_id_exactly_one_content_is_accepted",
        (
            "tests/service/notifier/test_mailing.py::"
            "test_a_connection_lost_after_the_dot_may_repeat_the_mail_under_one_message_id"
        ),
    ),
    "Order per guarantee.": (
        "tests/faults/test_model.py::test_whatever_happens_every_version_is_heard_done_recorded_and_told_once",
        f"{SHARED}/test_errand_turns.py::test_a_version_is_never_called_before_the_one_before_it_is_settled",
        "tests/service/platform_bridge/test_posting.py::test_versions_are_posted_in_order_in_whatever_order_they_are_heard",
    ),
    "発行日時 is the platform's": (
        "tests/faults/test_quick.py::test_brief_faults_lose_double_and_misdate_nothing",
        "tests/service/issuer/test_outcomes.py::test_the_first_arrival_stands_whatever_comes_later",
        "tests/e2e/test_story.py::test_an_application_becomes_a_guarantee_with_the_platforms_own_time",
    ),
    "Bad input gets all its reasons at once": (
        "tests/service/intake/test_requests.py::test_a_bad_application_is_422_with_everything_at_once_and_occupies_nothing",
        "tests/service/intake/test_deliveries.py::test_what_cannot_be_read_is_answered_to_the_queues_portal_and_parked",
    ),
    "Overload waits": (
        f"{SHARED}/test_relaying.py::test_what_memory_has_no_room_for_is_published_from_the_table",
        f"{SHARED}/test_relaying.py::test_a_full_queue_delays_its_facts_and_nothing_else",
        f"{SHARED}/test_acknowledging.py::test_the_prefetch_is_really_bounded_before_and_after_a_reconnect",
        f"{SHARED}/test_errand_turns.py::test_a_flood_that_never_ends_does_not_starve_a_quiet_portal",
        "tests/service/intake/test_requests.py::test_a_full_house_asks_to_come_again",
    ),
    "A stop burns nothing": (
        f"{SHARED}/test_acknowledging.py::test_a_graceful_stop_burns_no_delivery_count",
        f"{SHARED}/test_errands.py::test_a_stop_calls_nothing_more_records_what_runs_and_frees_the_rest",
    ),
}


def test_the_architecture_promises_what_is_tested_here() -> None:
    text = (CHECKOUT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    section = text.split("## What is promised")[1].split("\n## ")[0]

    assert re.findall(r"(?m)^\d+\. \*\*(.+?)\*\*", section) == list(PROMISES)


@pytest.mark.parametrize("promise", PROMISES)
def test_every_test_a_promise_names_exists(promise: str) -> None:
    for name in PROMISES[promise]:
        path, _, test = name.partition("::")
        tree = ast.parse((CHECKOUT / path).read_text(encoding="utf-8"))
        defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}

        assert test in defined, f"{promise} names {name}, which is not there"
