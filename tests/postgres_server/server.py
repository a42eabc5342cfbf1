"""A PostgreSQL of the tests' own: Debian's programs, its own data, a free port, gone when the tests are."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PASSWORD = "correct horse"
DATABASE = "shop"
#: Faster, and nothing here has to outlive a crash.
SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "TimeZone": "America/St_Johns"}


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        services: a ``pg_service.conf`` with the service ``shop`` and one for each way to be wrong.
    """

    port: int
    folder: Path
    services: Path

    @property
    def url(self) -> str:
        """With the password: for what a person would keep elsewhere."""
        return f"postgresql://kit:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{self.port}/{DATABASE}"

    def connect(self, **more: Any) -> Any:
        """A connection of the owner."""
        import psycopg

        return psycopg.connect(self.url, autocommit=True, **more)

    def run(self, *statements: str) -> None:
        """Run statements of a set-up."""
        with self.connect() as connection:
            for statement in statements:
                connection.execute(statement.encode())


@contextmanager
def running() -> Iterator[Server]:
    """A server with an empty database ``shop`` of the role ``kit``, for as long as the context lasts."""
    pytest.importorskip("psycopg", reason="the extra personas-kit[postgres] is not installed")
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="pk-pg-"))  # a socket's path must be short, and its owner must reach it
    account = _account(folder)
    data = folder / "data"
    try:
        secret = folder / "secret"
        secret.write_text(PASSWORD)
        if account:
            shutil.chown(secret, account)
        options = [
            "--auth=scram-sha-256",
            "--username=kit",
            f"--pwfile={secret}",
            "--encoding=UTF8",
            *_language(programs),
        ]
        _run([programs / "initdb", "--no-sync", "-D", data, *options, *_language(programs)], account)
        port = _free_port()
        settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        command = [programs / "postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", folder, *settings]
        with (folder / "log").open("w") as log:
            started = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log, user=account)
        try:
            _wait(programs, port, started)
            server = Server(port, folder, _services(folder, port))
            import psycopg

            with psycopg.connect(server.url.replace(f"/{DATABASE}", "/postgres"), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {DATABASE}")
            yield server
        finally:
            started.terminate()  # SIGTERM waits for nobody who is connected no more
            started.send_signal(2)  # SIGINT: and ends those who are
            started.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    """The newest of Debian's servers, or whichever is on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if found:
        return found[-1]
    if on_path := shutil.which("initdb"):
        return Path(on_path).parent
    pytest.skip("PostgreSQL's server is not installed: Debian's package postgresql")


def _language(programs: Path) -> list[str]:
    """Texts sorted as people do, where the server can: what sorts them by code points has to say so."""
    version = programs.parent.name
    if version.isdigit() and int(version) >= 15:
        return ["--locale-provider=icu", "--icu-locale=en-US", "--locale=C.UTF-8"]
    return ["--no-locale"]


def _account(folder: Path) -> str | None:
    """Root may not run the server; Debian's package brings an account that may."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("the server refuses to run as root, and there is no account postgres")
    shutil.chown(folder, "postgres", "postgres")
    return "postgres"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def _run(command: list[Any], account: str | None) -> None:
    environment = {"PATH": os.environ["PATH"], "TZ": "UTC", "LC_ALL": "C"}
    done = subprocess.run(
        [str(part) for part in command],
        user=account,
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{Path(str(command[0])).name} failed:\n{done.stdout}\n{done.stderr}")


def _wait(programs: Path, port: int, started: subprocess.Popen[bytes]) -> None:
    """Until it answers."""
    command = [programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    while subprocess.run(command, check=False).returncode:
        if started.poll() is not None:
            raise RuntimeError("the server ended before it answered")
        time.sleep(0.05)


def _services(folder: Path, port: int) -> Path:
    place = f"host=127.0.0.1\nport={port}\nuser=kit\ndbname={DATABASE}\n"
    path = folder / "pg_service.conf"
    path.write_text(
        f"[shop]\n{place}password={PASSWORD}\n"
        f"[mistyped]\n{place}password=incorrect donkey\n"
        f"[nowhere]\nhost=127.0.0.1\nport=9\nuser=kit\npassword={PASSWORD}\n"
        f"[elsewhere]\n{place.replace('dbname=shop', 'dbname=cellar')}password={PASSWORD}\n"
    )
    return path
