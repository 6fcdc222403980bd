"""What a stack remembers: ports, secrets, the portals file."""

import socket
import subprocess
import sys
import uuid
from itertools import pairwise
from pathlib import Path

import pytest

from deploy.local import docker, install, stack
from deploy.local.ports import LOOPBACK, PORT_MAX, PORT_MIN, is_free, listens, reserved
from deploy.local.programs import Place, service_programs, simulator_programs
from deploy.local.rabbitmq import configuration
from deploy.local.secret_store import Secrets
from deploy.local.stack import PROGRAM_PORTS, SERVER_PORTS, AlreadyRunning, Stack
from deploy.places import PORTALS_FILE
from deploy.portals import filled
from shared.portals import Portals
from shared.sealing import KeyRing
from shared.signing import SigningKeys


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for stacks of this test's own."""
    monkeypatch.setattr(stack, "RUN", tmp_path / "run")
    monkeypatch.setattr(stack, "ROOT_STATE", tmp_path / "state")
    return tmp_path


@pytest.fixture
def mark() -> str:
    """A place in the range at which nobody else begins to look."""
    return uuid.uuid4().hex


def test_ports_are_remembered(here: Path) -> None:
    with Stack("one").taken(SERVER_PORTS) as first:
        remembered = first.ports
    with Stack("one").taken(SERVER_PORTS) as second:
        assert second.ports == remembered


def test_a_port_that_somebody_took_meanwhile_is_chosen_anew(mark: str) -> None:
    with reserved(["a", "b"], {}, mark) as ports:
        pass
    with socket.create_server((LOOPBACK, ports["a"])), reserved(["a", "b"], ports, mark) as again:
        assert listens(ports["a"])
        assert again["a"] != ports["a"]
        assert again["b"] == ports["b"]


def test_two_that_start_at_once_do_not_choose_the_same(mark: str) -> None:
    """Nobody listens yet, and both begin to look at the same place."""
    with reserved(["a", "b"], {}, mark) as one, reserved(["a", "b"], {}, mark) as other:
        assert not set(one.values()) & set(other.values())


def test_a_port_chosen_by_another_process_is_not_chosen(mark: str) -> None:
    code = f"from deploy.local.ports import reserved\nwith reserved(['a'], {{}}, {mark!r}) as p: print(p['a'])"
    with reserved(["a"], {}, mark) as ours:
        theirs = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert int(theirs.stdout) != ours["a"]


def test_ports_are_different_free_and_out_of_the_way_of_outgoing_connections(mark: str) -> None:
    with reserved([str(number) for number in range(50)], {}, mark) as chosen:
        ports = list(chosen.values())

        assert len(set(ports)) == 50
        assert all(PORT_MIN <= port <= PORT_MAX and is_free(port) for port in ports)


def test_a_stack_is_run_by_one_process_at_a_time(here: Path) -> None:
    with Stack("one").taken(SERVER_PORTS):
        assert Stack("one").runner_pid() is not None
        with pytest.raises(AlreadyRunning), Stack("one").taken(SERVER_PORTS):
            pass
    assert Stack("one").runner_pid() is None


def test_secrets_are_made_once_and_kept_from_others(here: Path) -> None:
    first = Stack("one")

    assert Stack("one").secrets == first.secrets
    assert (first.folder / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_a_new_portal_gets_a_token_and_the_others_keep_theirs(tmp_path: Path) -> None:
    before = Secrets.load_or_make(tmp_path / "secrets.json", ["intake"], ["portal-a"])
    after = Secrets.load_or_make(tmp_path / "secrets.json", ["intake"], ["portal-a", "portal-b"])

    assert after.portal_tokens["portal-a"] == before.portal_tokens["portal-a"]
    assert set(after.portal_tokens) == {"portal-a", "portal-b"}
    assert Secrets.load_or_make(tmp_path / "secrets.json", [], []) == after


def test_processes_that_come_at_once_get_the_same_secrets(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from deploy.local.secret_store import Secrets;"
        "print(Secrets.load_or_make(Path(sys.argv[1]), ['intake'], ['portal-a']).portal_tokens)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "secrets.json")]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]

    assert len({process.communicate()[0] for process in processes}) == 1


def test_secrets_do_not_show_themselves(tmp_path: Path) -> None:
    made = Secrets.load_or_make(tmp_path / "secrets.json", ["intake"], ["portal-a"])

    assert repr(made) == "Secrets()"


def test_the_keys_are_such_as_the_services_read(tmp_path: Path) -> None:
    made = Secrets.load_or_make(tmp_path / "secrets.json", [], [])

    assert KeyRing.parse(made.sealing_keys).open(
        KeyRing.parse(made.sealing_keys).seal("k", associated="n"), associated="n"
    )
    assert SigningKeys.parse(made.signing_key).jwks()["keys"]


def test_the_portals_file_holds_hashes_and_the_rest_as_committed(tmp_path: Path) -> None:
    path = tmp_path / "portals.toml"
    path.write_text(filled(PORTALS_FILE, {"portal-a": "token-a"}, {"portal-a": "http://127.0.0.1:1"}))
    portals, committed = Portals.load(path), Portals.load(PORTALS_FILE)

    found = portals.by_token("token-a")

    assert "token-a" not in path.read_text()
    assert found is not None
    assert (found.id, found.link_base) == ("portal-a", "http://127.0.0.1:1")
    assert portals.get("office") == committed.get("office")


def test_a_program_is_told_its_own_secrets_only(here: Path) -> None:
    with Stack("one").taken((*SERVER_PORTS, *PROGRAM_PORTS)) as taken:
        place = Place(taken, taken.ports, taken.folder)
        programs = {**service_programs(place), **simulator_programs(place)}

    secrets = taken.secrets
    for name, program in programs.items():
        told = "\n".join(program.env.values())
        assert secrets.postgres_superuser not in told, name
        assert secrets.broker_administrator not in told, name
        assert (secrets.sealing_keys in told) == (name in ("issuer", "platform_bridge")), name
        assert (secrets.signing_key in told) == (name == "issuer"), name


def test_the_broker_listens_on_the_loopback_and_has_no_well_known_user() -> None:
    lines = configuration(LOOPBACK, 1, 2, "secret")

    assert "listeners.tcp.1 = 127.0.0.1:1" in lines
    assert "management.tcp.ip = 127.0.0.1" in lines
    assert "default_user = hosho-administrator" in lines
    assert "max_message_size = 262144" in lines


def test_a_container_is_published_on_the_loopback_only(tmp_path: Path) -> None:
    command = docker.RabbitContainer(
        tmp_path, tmp_path / "log", {"amqp": 1, "management": 2}, "secret", "dev"
    ).command()
    published = [argument for before, argument in pairwise(command) if before == "--publish"]

    assert published == ["127.0.0.1:1:5672", "127.0.0.1:2:15672"]
    assert "secret" not in " ".join(command)


@pytest.mark.parametrize("there_before", [True, False])
def test_installing_starts_no_service_and_leaves_the_policy_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there_before: bool
) -> None:
    policy = tmp_path / "policy-rc.d"
    monkeypatch.setattr(install, "POLICY", policy)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    if there_before:
        policy.write_text("somebody's own")

    with install._no_service_starts():
        assert policy.read_text() == ("somebody's own" if there_before else install.POLICY_TEXT)

    assert policy.exists() == there_before
