"""Something happens at the k-th operation on the disk or the network: the process dies, or the disk is full.

Every transaction, every statement in it, every frame and every request of a push is counted and has a name that says
where in the protocol it stands; so a loop over k goes through every instant at which the outside world can tell the
difference. No hook in the kit is needed: its few doors to the outside are wrapped.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import polars as pl

from personas_kit.activation import courier, transport, wire
from personas_kit.activation.store import files, looking, pushing, sqlite, store


class Died(BaseException):
    """The process is gone. Not an ``Exception``, so that nothing can recover from it."""


class Points:
    """Counts the points that a push passes, and makes one of them go wrong.

    Args:
        at: which one; None for none.
        raises: what happens there.
        forever: and at every later one, as if the process were dead or the disk stayed full.
        only: the kinds that count: ``table`` and ``disk`` are what a broken disk breaks.
    """

    def __init__(
        self,
        at: int | None = None,
        raises: Callable[[], BaseException] = Died,
        *,
        forever: bool = True,
        only: tuple[str, ...] = ("table", "frame", "disk", "request"),
    ) -> None:
        self.names: list[str] = []
        self._at, self._raises, self._forever, self._only = at, raises, forever, only
        self._lock = threading.Lock()
        self._gone = False
        self._named = ("", 0)

    def fail_at(self, name: str, nth: int) -> None:
        """Instead of at a number: at the nth time that a point of this name is passed, from 0."""
        self._named = name, nth

    @property
    def happened(self) -> bool:
        """Whether it went wrong."""
        return self._gone

    @property
    def name(self) -> str:
        """Where."""
        return self.names[-1] if self._gone and self._forever else ""

    def passed(self, kind: str, what: str) -> None:
        """One more point."""
        if kind not in self._only:
            return
        with self._lock:
            if not (self._gone and self._forever):
                self.names.append(f"{_where()}: {what}")
            name, nth = self._named
            now = not self._gone and (len(self.names) - 1 == self._at or self.names.count(name) == nth + 1)
            self._gone = self._gone or now
            wrong = now or (self._gone and self._forever)
        if wrong:
            raise self._raises()

    @contextlib.contextmanager
    def watching(self) -> Iterator[Points]:
        """Within the block, the kit's doors are wrapped."""
        with contextlib.ExitStack() as stack:
            for owner, name, wrapped in (
                (sqlite3, "connect", self._before("table", lambda *_: "before the database is opened")),
                (sqlite.SqliteTables, "rows", self._before("table", _verb)),
                (sqlite.SqliteTables, "run", self._before("table", _verb)),
                (sqlite.SqliteTables, "many", self._before("table", _verb)),
                (sqlite, "transaction", self._transaction),
                (files.FileFrames, "write", self._before("frame", lambda *_: "before the frame")),
                (files.FileFrames, "keep_only", self._before("frame", lambda *_: "before tidying up")),
                (pl, "read_parquet", self._on_disk("before a frame is read")),
                (os, "open", self._on_disk("before a file is opened")),
                (os, "fsync", self._fsync),
                (os, "replace", self._on_disk("before the frame gets its name")),
                (os, "unlink", self._on_disk("before a frame is removed")),
                (transport.HttpTransport, "send", self._around_request),
                (wire._Reading, "answer", self._before("request", lambda *_: "the answer was read")),
            ):
                stack.enter_context(mock.patch.object(owner, name, wrapped(getattr(owner, name))))
            yield self

    def _before(self, kind: str, what: Callable[..., str]) -> Callable[[Any], Any]:
        def wrap(inner: Any) -> Any:
            def outer(*args: Any, **more: Any) -> Any:
                self.passed(kind, what(*args))
                return inner(*args, **more)

            return outer

        return wrap

    def _transaction(self, inner: Any) -> Any:
        @contextlib.contextmanager
        def outer(db: Any) -> Iterator[None]:
            self.passed("table", "before the transaction")
            with inner(db):
                yield
                self.passed("table", "before its commit")
            self.passed("table", "after its commit")

        return outer

    def _on_disk(self, what: str) -> Callable[[Any], Any]:
        """Where the first argument is a file of a state."""

        def wrap(inner: Any) -> Any:
            def outer(path: Any, *args: Any, **more: Any) -> Any:
                if "/.personas/" in str(path):
                    self.passed("disk", what)
                return inner(path, *args, **more)

            return outer

        return wrap

    def _fsync(self, inner: Any) -> Any:
        def outer(handle: int) -> None:
            inner(handle)
            renamed = stat.S_ISDIR(os.fstat(handle).st_mode)
            self.passed("disk", "the frame is there" if renamed else "the frame is written, and not there yet")

        return outer

    def _around_request(self, inner: Any) -> Any:
        def outer(this: Any, request: Any) -> Any:
            self.passed("request", "before the request")
            answer = inner(this, request)
            self.passed("request", "the answer is there")
            return answer

        return outer


def _verb(_: object, statement: str, *__: object) -> str:
    """``before insert batch``: what a statement does, and to which table."""
    words = statement.lower().split()
    table = {"select": words.index("from") + 1 if "from" in words else 0, "update": 1}.get(words[0], 2)
    return f"before {words[0]} {words[table]}"


def _where() -> str:
    """What the store, or the sender, was asked to do: the outermost of its own functions that are running."""
    frame, found = sys._getframe(1), "elsewhere"
    while frame is not None:
        file, name = frame.f_code.co_filename, frame.f_code.co_name
        if file in {each.__file__ for each in (looking, pushing, store)} and not name.startswith("_"):
            found = name
        if file == courier.__file__:
            return "send"
        frame = frame.f_back
    return found
