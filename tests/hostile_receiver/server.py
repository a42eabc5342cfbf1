"""A receiver on a real socket that follows a script of faults, request by request."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Self

from tests.hostile_receiver.faults import Fault, Told, good
from tests.hostile_receiver.ledger import Ledger
from tests.hostile_receiver.wire import Head, HungUp, Reader, messages, reset

PAUSE = 0.02
"""Seconds between two bytes of a slow answer."""


class Receiver:
    """Listens on loopback, takes Segment's dialect, and does to each request what the script says.

    Attributes:
        ledger: what arrived and what was applied.
        paths: of the requests, in order; also of those whose body never came.
        faults: how many requests were treated badly.
        chance: asked for a fault where the script is over.
        elsewhere: the address of another server, for redirects.
    """

    def __init__(self, elsewhere: str = "", *, chance: Callable[[], Fault | None] = lambda: None) -> None:
        self.ledger = Ledger()
        self.paths: list[str] = []
        self.faults = 0
        self.chance = chance
        self.elsewhere = elsewhere
        self._script: deque[Fault | None] = deque()
        self._always: Fault | None = None
        self._open: set[socket.socket] = set()
        self._guard = threading.Condition()
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._thread = threading.Thread(target=self._accept, name="hostile", daemon=True)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def fail(self, *faults: Fault | None, always: Fault | None = None) -> None:
        """Treat the next requests so, one after another, and all later ones like ``always``."""
        with self._guard:
            self._script.extend(faults)
            self._always = always

    def heal(self) -> None:
        """No more faults."""
        with self._guard:
            self._script.clear()
            self._always = None
            self.chance = lambda: None

    def quiet(self, seconds: float = 10.0) -> None:
        """Wait until everything that was sent by processes that are gone has been read, and applied or thrown away.

        Their connections end then. A probe goes in last: connections are accepted in order.
        """
        with socket.create_connection(self._listener.getsockname()) as probe:
            probe.shutdown(socket.SHUT_WR)
            probe.settimeout(seconds)
            assert probe.recv(1) == b"", "the receiver does not answer"
        until = time.monotonic() + seconds
        with self._guard:
            while self._open:
                assert self._guard.wait(until - time.monotonic()), "a connection is still open"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._guard:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)

    # --- connections -------------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        for number in itertools.count():
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed: the test is over
                return
            with self._guard:
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), name=f"hostile-{number}", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with contextlib.suppress(OSError, HungUp):
                reader = Reader(connection)
                while (head := reader.head()) is not None and self._treat(head, reader, connection):
                    pass
        finally:
            connection.close()
            with self._guard:
                self._open.discard(connection)
                self._guard.notify_all()

    def _treat(self, head: Head, reader: Reader, connection: socket.socket) -> bool:
        """One request. Whether the connection can be used again."""
        fault = self._next(head)
        size = {"head": 0, "half": head.length // 2, "whole": head.length}[fault.reads]
        content = reader.body(size)
        count = 0
        if fault.reads == "whole":
            sent = messages(content)
            count = len(sent)
            self.ledger.take(sent, applies=fault.applies, refused=fault.refuses(count))
        self._answer(fault, fault.says(Told(count, self.elsewhere)), connection)
        return fault.ends == "answer"

    def _next(self, head: Head) -> Fault:
        with self._guard:
            self.paths.append(head.path)
            fault = (self._script.popleft() if self._script else self._always) or self.chance()
            self.faults += fault is not None
        return fault or _FINE

    def _answer(self, fault: Fault, answer: bytes, connection: socket.socket) -> None:
        match fault.ends:
            case "answer":
                connection.sendall(answer)
            case "cut":
                connection.sendall(answer[: -max(1, len(answer) // 8)])
            case "drip":
                self._drip(answer, connection)
            case "flood":
                while not self._closing.is_set():
                    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 50)
            case "silence":
                self._until_hung_up(connection)
            case "reset":
                reset(connection)
            case "close":
                pass

    def _drip(self, answer: bytes, connection: socket.socket) -> None:
        for at in range(len(answer)):
            connection.sendall(answer[at : at + 1])
            if self._closing.wait(PAUSE):
                return

    def _until_hung_up(self, connection: socket.socket) -> None:
        connection.settimeout(0.02)
        while not self._closing.is_set():
            try:
                if not connection.recv(1):
                    return
            except TimeoutError:
                continue


_FINE = Fault(applies=True, says=good)
