"""A warm process that forks one life after another: each plans and pushes, and is killed after so many seconds.

Starting Python and importing everything takes longer than a push. A fork takes nothing, but only while no thread is
needed on the other side: so the modules that run queries when they are imported are left to each life.
"""

from __future__ import annotations

import datetime as dt
import importlib
import json
import os
import select
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

#: What can be imported before the fork; the kit's stores, and what needs them, cannot.
WARM = (
    "duckdb", "pyarrow", "httpx", "sqlglot", "sqlglot.dialects.duckdb", "sqlglot.optimizer", "sqlite3", "filelock",
    "personas_kit.config", "personas_kit.compiler", "personas_kit.activation.courier", "personas_kit.activation.wanted",
    "personas_kit.warehouses.duckdb",
)  # fmt: skip
HURRY = 50.0
"""So many seconds pass in one."""
SLOWEST = 120.0
"""Seconds that a life may take to begin."""


class HurriedClock:
    """The real clock, but faster, and on another day: waits take no long, and no interval stands in the way."""

    def __init__(self, day: int) -> None:
        self._began = time.monotonic()
        self._start = dt.datetime(2026, 11, 1, tzinfo=dt.UTC) + dt.timedelta(days=day)

    def now(self) -> dt.datetime:
        return self._start + dt.timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return (time.monotonic() - self._began) * HURRY

    def sleep(self, seconds: float, unless: threading.Event | None = None) -> None:
        (unless or threading.Event()).wait(seconds / HURRY)


def live(said: dict[str, Any]) -> int:
    """Plan and push once. Returns the exit code: 0 if all was acknowledged, else 5."""
    from tests.activation.attack.world import World, hostile, registered

    with registered(hostile(items=said["items"], parallel=said["parallel"])):
        clock = HurriedClock(said["life"])
        world = World(
            Path(said["folder"]), said["url"], lines=said["lines"], send=said["send"], key=said["key"], clock=clock
        )
        world.everybody = set(said["everybody"])
        world.want(said["wanted"])
        return 0 if world.push(deadline=said["deadline"]).complete else 5


def main() -> None:
    """Serve commands, a line of JSON each, until there are no more; answer each with how the life ended."""
    for name in WARM:
        importlib.import_module(name)
    assert not _busy_threads(), f"a module of {WARM} runs queries when it is imported: leave it to the lives"
    for line in sys.stdin:
        said = json.loads(line)
        print(json.dumps({"ended": _one_life(said)}), flush=True)  # noqa: T201  (the answer)


def _one_life(said: dict[str, Any]) -> int:
    """The exit code of a life; that of a killed one is below zero."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        try:
            import personas_kit.workspace  # noqa: F401

            os.write(writing, b".")
            code = live(said)
        except BaseException:  # noqa: BLE001  (whatever it is, the life ends here, and not the loop around it)
            traceback.print_exc()
            code = 1
        os._exit(code)
    os.close(writing)
    begun, _, _ = select.select([reading], [], [], SLOWEST)
    os.close(reading)
    if not begun:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return 1
    return _ended(pid, time.monotonic() + said["kill_after"])


def _ended(pid: int, until: float) -> int:
    while time.monotonic() < until:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.001)
    os.kill(pid, signal.SIGKILL)  # nobody has waited for it, so the number is still its own
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _busy_threads() -> list[str]:
    """The threads of polars's pool, where the system tells of threads."""
    tasks = Path("/proc/self/task")
    names = [(task / "comm").read_text().strip() for task in tasks.iterdir()] if tasks.exists() else []
    return [name for name in names if name.startswith("polars-") and name[len("polars-") :].isdecimal()]


if __name__ == "__main__":
    main()
