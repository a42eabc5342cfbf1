"""The demo's workspace: a generated company, a receiver on this machine, and a clock that can be moved."""

from __future__ import annotations

import datetime as dt
import tempfile
import weakref
from pathlib import Path

from personas_kit.clock import SystemClock
from personas_kit.company.config import SECRETS, at_sandbox, config_text
from personas_kit.company.generate import DEMO_AS_OF, generate
from personas_kit.config import FILE, load
from personas_kit.display import working
from personas_kit.errors import short_traceback
from personas_kit.opening import open_warehouse
from personas_kit.sandbox import Sandbox
from personas_kit.workspace import Workspace


class DemoClock(SystemClock):
    """A clock that stands at the demo's present until it is moved; waiting is real."""

    def __init__(self, now: dt.datetime = DEMO_AS_OF) -> None:
        self._now = now

    def now(self) -> dt.datetime:
        """The demo's present."""
        return self._now

    def move(self, *, days: float = 0, hours: float = 0) -> dt.datetime:
        """Let time pass in the demo. Returns the new present."""
        self._now += dt.timedelta(days=days, hours=hours)
        return self._now


class DemoWorkspace(Workspace):
    """A workspace whose destinations are a receiver in this process.

    Attributes:
        clock: the demo's present; ``ws.clock.move(days=1)`` lets a day pass.
        sandbox: what received everything: ``ws.sandbox.summary()``, ``.users()``, ``.lists()``.
    """

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.clock = DemoClock()
        self.sandbox = sandbox
        config = load(folder / FILE)
        super().__init__(config, open_warehouse(config), clock=self.clock)
        self._stop = weakref.finalize(self, sandbox.close)

    def close(self) -> None:
        """Let go of the warehouse and stop the receiver."""
        super().close()
        self._stop()


@short_traceback
def open_demo(folder: str | Path | None = None, *, seed: int = 7) -> DemoWorkspace:
    """A generated company to try things on: nothing leaves this machine.

    Args:
        folder: where the warehouse, ``personas.toml`` and the state go; by default a new temporary folder, so that
            every time is the first time.
        seed: another seed, another company.
    """
    place = Path(folder) if folder is not None else Path(tempfile.mkdtemp(prefix="personas-demo-"))
    place.mkdir(parents=True, exist_ok=True)
    for name, value in SECRETS.items():
        (place / name).touch(mode=0o600)
        (place / name).write_text(value, encoding="utf-8")
    warehouse = place / "warehouse.duckdb"
    if not warehouse.exists():
        with working("a company is generated"):
            generate(warehouse, seed=seed)
    sandbox = Sandbox(path=place / "received.sqlite").start()
    file = place / FILE
    text = file.read_text(encoding="utf-8") if file.exists() else config_text()
    file.write_text(at_sandbox(text, sandbox.url), encoding="utf-8")
    return DemoWorkspace(place, sandbox)
