"""`hosho` as a deployment runs it: by its environment, told in one line, without a secret on the screen."""

import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.places import CHECKOUT
from tests.conftest import Servers

Hosho = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def hosho(stack: Servers) -> Iterator[Hosho]:
    """Run the command line against a virtual host of this test's own and the worker's database."""
    vhost = f"test-{uuid.uuid4().hex[:12]}"
    secrets = stack.local.secrets
    environment = {
        "HOSHO_RABBITMQ_MANAGEMENT_URL": stack.management_url,
        "HOSHO_RABBITMQ_VHOST": vhost,
        "HOSHO_POSTGRES_URL": stack.superuser_url,
        "HOSHO_DATABASE_URL": stack.owner_url,
        **{f"HOSHO_BROKER_PASSWORD_{_variable(user)}": password for user, password in secrets.broker_users.items()},
        **{
            f"HOSHO_DATABASE_PASSWORD_{_variable(role.removeprefix('hosho_'))}": password
            for role, password in secrets.roles.items()
        },
    }

    def run(*arguments: str, without: str = "") -> "subprocess.CompletedProcess[str]":
        given = {name: value for name, value in environment.items() if name != without}
        command = [sys.executable, "-m", "deploy.cli", *arguments]
        return subprocess.run(command, cwd=CHECKOUT, env=given, check=False, capture_output=True, text=True)

    yield run
    stack.delete_vhost(vhost)


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")


def _secrets_of(stack: Servers) -> list[str]:
    secrets = stack.local.secrets
    return [secrets.broker_administrator, secrets.postgres_superuser, *secrets.broker_users.values()]


def test_check_tells_what_apply_then_mends(hosho: Hosho, stack: Servers) -> None:
    before, applied, after = hosho("topology", "check"), hosho("topology", "apply"), hosho("topology", "check")

    assert (before.returncode, applied.returncode, after.returncode) == (1, 0, 0)
    assert "is missing — run `hosho topology apply`" in before.stdout
    assert "as planned" in after.stdout
    for outcome in (before, applied, after):
        assert not any(secret in outcome.stdout + outcome.stderr for secret in _secrets_of(stack))


def test_preparing_and_migrating_what_is_there_already_changes_nothing(hosho: Hosho, stack: Servers) -> None:
    prepared, migrated = hosho("database", "prepare", stack.database), hosho("migrate")

    assert (prepared.returncode, migrated.returncode) == (0, 0), prepared.stderr + migrated.stderr
    assert migrated.stdout == "nothing to do\n"


def test_what_is_missing_is_named_in_one_line(hosho: Hosho) -> None:
    outcome = hosho("migrate", without="HOSHO_DATABASE_URL")

    assert outcome.returncode == 2
    assert outcome.stderr == "hosho: Give HOSHO_DATABASE_URL: the owner role's URL.\n"


def test_a_server_that_is_away_is_told_in_one_line() -> None:
    outcome = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "topology", "check"],
        cwd=CHECKOUT,
        env={"HOSHO_RABBITMQ_MANAGEMENT_URL": "http://somebody:secret@127.0.0.1:1"},
        check=False,
        capture_output=True,
        text=True,
    )

    assert outcome.returncode == 2
    assert "did not answer" in outcome.stderr
    assert "secret" not in outcome.stderr
    assert outcome.stderr.count("\n") == 1


def test_the_registry_of_obligees_is_checked_with_line_and_row(hosho: Hosho, tmp_path: Path) -> None:
    wrong = tmp_path / "obligees.toml"
    text = (CHECKOUT / "deploy" / "obligees.toml").read_text(encoding="utf-8")
    wrong.write_text(text.replace('code = "990027"', 'code = "990028"', 1), encoding="utf-8")
    right, told = hosho("obligees", "check"), hosho("obligees", "check", str(wrong))
    line = text[: text.index('code = "990027"')].count("\n") + 1

    assert (right.returncode, told.returncode) == (0, 1)
    assert right.stdout.endswith("6 obligees, 5 of them electronic, 13 dated rows; all right\n")
    assert f"{wrong}: line {line}: obligees 4 (990028 △△町長), code: " in told.stderr
