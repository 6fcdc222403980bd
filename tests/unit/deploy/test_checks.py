"""`make test` leaves no test out and runs none twice, however its groups are cut."""

from pathlib import Path

from deploy.local.checks import CHECKS, Check, _present
from deploy.places import CHECKOUT


def _runs(check: Check, file: Path) -> bool:
    """Whether this check runs the tests of a file, as pytest reads its arguments."""
    named = [CHECKOUT / part for part in check.command if part.startswith("tests/")]
    ignored = [CHECKOUT / part.removeprefix("--ignore=") for part in check.command if part.startswith("--ignore=")]
    places = {file, *file.parents}
    return bool(places & set(named)) and not places & set(ignored)


def test_every_file_of_tests_belongs_to_exactly_one_check() -> None:
    files = sorted((CHECKOUT / "tests").rglob("test_*.py"))
    runs = {file.relative_to(CHECKOUT).as_posix(): sum(_runs(check, file) for check in CHECKS) for file in files}

    assert len(runs) > 100
    assert {file: count for file, count in runs.items() if count != 1} == {}


def test_a_check_of_one_file_is_run_and_a_folder_without_tests_is_left_out() -> None:
    one = Check("faults", "one", ("pytest", "-q", "tests/faults/test_night.py"))

    assert (_present(one) or [])[1:] == ["-q", "tests/faults/test_night.py"]
    assert _present(Check("unit", "none", ("pytest", "tests/nothing-is-here"))) is None
