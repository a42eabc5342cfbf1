"""Looking things up beside the kernel's own thread: one after the other, and what a person wants last comes first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext

from personas_kit.errors import PersonasError
from personas_kit.notebook.builder.counting import MUCH
from personas_kit.reading import reading_at_most
from personas_kit.warehouses.interrupts import NobodyWaitsError, Watch, watched

Look = Callable[[], object]


class Lookups:
    """What is being looked up, by name, and why something was not.

    What would read much is not looked up, and is a problem, until a person wants it anyway.

    Args:
        show: called whenever that changes, from any thread.
    """

    def __init__(self, show: Callable[[], None]) -> None:
        self._show = show
        self._asked: dict[str, int | None] = {}
        self._looks: dict[str, Look] = {}
        self._problems: dict[str, Mapping[str, str]] = {}
        self._now, self._doing = "", ""
        self._changing = threading.RLock()
        self._thread: threading.Thread | None = None
        self._watch = self._fresh()

    @property
    def shown(self) -> dict[str, object]:
        """``asked`` (names, the one that is being looked up last), ``doing``, and ``problems`` by name."""
        with self._changing:
            return {
                "asked": [*(name for name in self._asked if name != self._now), *([self._now] if self._now else [])],
                "doing": self._doing,
                "problems": dict(self._problems),
            }

    def ask(self, looks: Mapping[str, Look], *, most: int | None = MUCH) -> None:
        """Look these up, in this order, before anything that waits; returns at once.

        What is being looked up is not begun anew, and what failed stays failed, unless it may read any amount.
        """
        with self._changing:
            new = {
                name: most for name in looks if name not in self._asked and (name not in self._problems or most is None)
            }
            self._looks.update({name: looks[name] for name in new})
            self._asked = new | self._asked
            if new and self._thread is None:
                self._thread = threading.Thread(target=self._work, name="looking up", daemon=True)
                self._thread.start()
        self._show()

    def anyway(self, name: str) -> None:
        """Look up what was left out, or has failed, whatever it reads."""
        if name in self._problems:
            self.ask({name: self._looks[name]}, most=None)

    def stop(self) -> None:
        """End what is running, and forget what waits."""
        with self._changing:
            self._asked = {name: most for name, most in self._asked.items() if name == self._now}
            self._watch.end()

    def wait(self) -> None:
        """Until everything that was asked for is there."""
        while (thread := self._thread) is not None:
            thread.join()

    # --- inside ------------------------------------------------------------------------------------------------------

    def _fresh(self) -> Watch:
        return Watch(lambda _, doing: self._tell(doing()))

    def _tell(self, doing: str) -> None:
        if doing != self._doing:
            self._doing = doing
            self._show()

    def _work(self) -> None:
        while True:
            with self._changing:
                self._now, self._doing = next(iter(self._asked), ""), ""
                if not self._now:
                    self._thread = None
                    return
                most, self._watch = self._asked[self._now], self._fresh()
                self._problems.pop(self._now, None)
            self._show()
            try:
                problem = self._looked(self._looks[self._now], most)
            except BaseException:
                self._broke_off()
                raise
            with self._changing:
                if problem is not None:
                    self._problems[self._now] = problem
                self._asked.pop(self._now)
                self._now = ""
            self._show()

    def _broke_off(self) -> None:
        """A mistake of the kit's: what waits is forgotten with it, and what is asked for next begins anew."""
        with self._changing:
            self._problems[self._now] = {"what": "it could not be looked up", "where": "", "hint": ""}
            self._asked.clear()
            self._now, self._thread = "", None
        self._show()

    def _looked(self, look: Look, most: int | None) -> Mapping[str, str] | None:
        """Why not, if it could not be looked up."""
        try:
            with watched(self._watch), nullcontext() if most is None else reading_at_most(most):
                look()
        except NobodyWaitsError:
            return {"what": "stopped", "where": "", "hint": ""}
        except PersonasError as problem:
            return problem.to_dict()
        return None
