"""Servers that speak TLS, and two authorities: one that vouches for them, and one that they do not know."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deploy.local.account import private_file, private_folder, unprivileged
from deploy.local.ports import reserved
from deploy.local.rabbitmq import PORTS, RabbitNode, installed_server
from deploy.local.secret_store import token
from tests.security.authority import Authority, Vouched


@dataclass(frozen=True, slots=True)
class SecureBroker:
    """A RabbitMQ with a TLS listener.

    Attributes:
        url: its amqps URL as the administrator, without path or query.
        management_url: its API, with the administrator's credentials.
    """

    url: str = field(repr=False)
    management_url: str = field(repr=False)


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A folder that the servers' own account can enter, unlike those of pytest."""
    made = Path(tempfile.mkdtemp(prefix="hosho-tls-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="session")
def authority(folder: Path) -> Authority:
    """Who vouches for the servers."""
    return Authority(folder, "authority")


@pytest.fixture(scope="session")
def stranger(folder: Path) -> Authority:
    """Another authority, whom the servers do not know."""
    return Authority(folder, "stranger")


@pytest.fixture(scope="session")
async def secure_broker(folder: Path, authority: Authority) -> AsyncIterator[SecureBroker]:
    """A RabbitMQ of its own with a TLS listener beside the plain one."""
    server = installed_server()
    assert server is not None, "RabbitMQ is not installed"
    files = kept(folder, "rabbitmq-tls", authority.vouch())
    with reserved((*PORTS, "amqps"), {}, str(folder)) as ports:
        secure = (
            f"listeners.ssl.1 = 127.0.0.1:{ports['amqps']}",
            f"ssl_options.certfile = {files.certificate}",
            f"ssl_options.keyfile = {files.key}",
            "ssl_options.verify = verify_none",
            "ssl_options.versions.1 = tlsv1.2",
        )
        state = private_folder(folder / "broker", unprivileged())
        given = {name: ports[name] for name in PORTS}
        node = RabbitNode(state, folder / "rabbitmq.log", given, token(), token(), unprivileged(), "tls", secure)
        children = await node.start(server)
        try:
            url = node.url.replace("amqp://", "amqps://").replace(f":{ports['amqp']}", f":{ports['amqps']}")
            yield SecureBroker(url, node.management_url)
        finally:
            for child in children:
                await child.stop()


def kept(state: Path, name: str, vouched: Vouched) -> Vouched:
    """The same files where the servers' account may read them, and nobody else."""
    account = unprivileged()
    inner = private_folder(state / name, account)
    text = vouched.certificate.read_text(encoding="ascii"), vouched.key.read_text(encoding="ascii")
    return Vouched(
        private_file(inner / "server.crt", text[0], account), private_file(inner / "server.key", text[1], account)
    )
