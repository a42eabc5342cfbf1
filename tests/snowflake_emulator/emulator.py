"""Builds the emulator's environment, starts it, and says how to reach it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "snowflake-emulator"
PASSWORD = "correct horse"
#: As it was before the tests got a home of their own: pip finds its settings in the person's.
ENVIRONMENT = os.environ.copy()
#: What pip says when it reaches no registry.
NO_REGISTRY = ("No matching distribution found", "Could not fetch URL", "connection error")


@dataclass(frozen=True)
class Emulator:
    """A running emulator; ``connections`` is a ``connections.toml`` with the connection ``emulator`` and its faults."""

    port: int
    connections: Path

    def run(self, *statements: str) -> None:
        """Run statements of a set-up, through the connector as the kit's own queries are."""
        import snowflake.connector

        options = {
            "connections_file_path": str(self.connections),
            "enable_server_session_keep_alive_auto_detection": False,
        }
        with closing(snowflake.connector.connect(connection_name="emulator", **options)) as connection:
            for statement in statements:
                with connection.cursor() as cursor:
                    cursor.execute(statement)

    def log(self) -> list[dict[str, Any]]:
        """What was asked since the last look: ``{"login": ...}`` and ``{"sql": ..., "tag": ...}``."""
        return list(self._get("log")["log"])

    def expire_sessions(self) -> None:
        """End every session, as hours without a query do."""
        self._get("expire")

    def _get(self, what: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/emulator/{what}", timeout=10) as answer:
            content: dict[str, Any] = json.load(answer)
        return content


@contextmanager
def running(folder: Path) -> Iterator[Emulator]:
    """An emulator with an empty database ``SHOP`` and its schema ``PROD``, for as long as the context lasts."""
    environment = ENVIRONMENT | {"TZ": "UTC", "PYTHONWARNINGS": "ignore"}
    command = [str(python()), str(HERE / "server.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        if not line:
            raise RuntimeError("the emulator did not start; what it said is above")
        emulator = Emulator(int(line), connections(folder, int(line)))
        emulator.run("CREATE DATABASE IF NOT EXISTS shop", "CREATE SCHEMA IF NOT EXISTS shop.prod")
        yield emulator  # leaving closes the server's standard input, which ends it


def connections(folder: Path, port: int) -> Path:
    """A ``connections.toml`` that only its owner may read: one good connection, and one for each way to be wrong."""
    lines = 'account = "fake"\nuser = "kit"\nhost = "127.0.0.1"\nprotocol = "http"\ndatabase = "SHOP"\nschema = "PROD"'
    path = folder / "connections.toml"
    path.write_text(
        f'[emulator]\n{lines}\nport = {port}\npassword = "{PASSWORD}"\n'
        f'[mistyped]\n{lines}\nport = {port}\npassword = "incorrect donkey"\n'
        f'[nowhere]\n{lines}\nport = 9\npassword = "{PASSWORD}"\n'
    )
    path.chmod(0o600)
    return path


def python() -> Path:
    """The interpreter of the emulator's environment, built on first use and whenever its pins change."""
    pins = (HERE / "requirements.txt").read_bytes()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = CACHE / f"{version}-{hashlib.sha256(pins).hexdigest()[:12]}"
    interpreter = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / ".gitignore").write_text("*\n")
    with FileLock(CACHE / "build.lock"):
        if not (folder / "ready").exists():
            shutil.rmtree(folder, ignore_errors=True)
            build(folder, interpreter)
            (folder / "ready").touch()
    return interpreter


def build(folder: Path, interpreter: Path) -> None:
    """Make the environment. Without a registry the tests that need it are skipped, or fail where they must run."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    options = ["--quiet", "--disable-pip-version-check", "--no-input", "--retries", "1", "--timeout", "20"]
    command = [str(interpreter), "-m", "pip", "install", *options, "--requirement", str(HERE / "requirements.txt")]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    if result.returncode == 0:
        return
    reason = f"the emulator's environment cannot be installed: {result.stderr.strip().splitlines()[-1]}"
    if any(sign in result.stderr for sign in NO_REGISTRY):
        pytest.skip(reason)
    raise RuntimeError(reason)
