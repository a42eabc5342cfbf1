"""The sandbox itself: a receiver on loopback that behaves like the destinations, in a thread or as a command."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from personas_kit.errors import ConfigError
from personas_kit.sandbox.faults import Fault, Script
from personas_kit.sandbox.received import Arrival, Entry, Received, Traits, arrival_line
from personas_kit.sandbox.server import LOOPBACK, Server

_POLL = 0.02  # seconds until a stop is noticed


class Sandbox:
    """A local stand-in for Segment, RudderStack, Amplitude, Meta's custom audiences and a webhook.

    ::

        with Sandbox() as sandbox:
            ...  # point a destination's ``url`` at ``sandbox.url``
            sandbox.fail(503, Fault(kind="drop", applied=True))
            sandbox.users(), sandbox.lists(), sandbox.summary()

    Args:
        port: where to listen on 127.0.0.1; 0 takes a free one.
        path: a file that keeps what was applied, so that it survives and other processes can read it.
        seen: called after each request, from the thread that serves it.

    Raises:
        ConfigError: the port is taken.
        StateError: ``path`` is no journal of a sandbox.
    """

    def __init__(
        self, port: int = 0, path: Path | None = None, *, seen: Callable[[Arrival], None] | None = None
    ) -> None:
        self.received = Received(path)
        self._faults = Script()
        try:
            self._server = Server(port, self.received, self._faults, seen)
        except OSError:
            self.received.close()
            hint = "choose another, or 0 for a free one"
            raise ConfigError(f"port {port} of this machine is taken", hint=hint) from None
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL,), name="sandbox", daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Its address, without a slash at the end; RudderStack's is ``url + "/rudderstack"``."""
        return f"http://{LOOPBACK}:{self.port}"

    def start(self) -> Self:
        """Listen in a thread of its own."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop listening, end every connection, close the file. What was received can still be read."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self.received.close()

    def __enter__(self) -> Self:
        """Listen."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.close()

    # --- what arrived ------------------------------------------------------------------------------------------------

    @property
    def requests(self) -> list[Arrival]:
        """Every request, oldest first."""
        return self.received.requests

    @property
    def duplicates(self) -> dict[str, int]:
        """Message id -> how often it came again."""
        return self.received.duplicates

    @property
    def conflicts(self) -> list[str]:
        """Message ids that came again with different content."""
        return self.received.conflicts

    def users(self, account: str | None = None) -> dict[str, Traits]:
        """User id -> traits; see ``Received`` for ``account``."""
        return self.received.users(account)

    def accounts(self, account: str | None = None) -> dict[str, Traits]:
        """Account id -> traits."""
        return self.received.accounts(account)

    def lists(self, account: str | None = None) -> dict[str, set[Entry]]:
        """List id -> its entries."""
        return self.received.lists(account)

    def events(self, account: str | None = None) -> list[dict[str, Any]]:
        """The track calls in order."""
        return self.received.events(account)

    def summary(self) -> dict[str, Any]:
        """Sizes of everything, ready for JSON."""
        return {**self.received.summary(), "faults_left": len(self._faults)}

    # --- what goes wrong ---------------------------------------------------------------------------------------------

    def fail(self, *faults: Fault | int | None) -> None:
        """Append to the script of faults, one for each of the next requests; a number is a status, None is no fault."""
        self._faults.extend(faults)

    def heal(self) -> None:
        """Forget the faults to come."""
        self._faults.clear()


def serve(port: int = 8765, path: Path | None = None, *, announce: Callable[[str], None] = print) -> None:
    """Listen until interrupted, and announce a line for each request.

    Args:
        port: where to listen on 127.0.0.1; 0 takes a free one.
        path: a file that keeps what was applied.
        announce: takes the lines; called in the caller's thread.

    Raises:
        ConfigError: the port is taken.
        StateError: ``path`` is no journal of a sandbox.
    """
    arrivals: queue.SimpleQueue[Arrival] = queue.SimpleQueue()
    with Sandbox(port, path, seen=arrivals.put) as sandbox:
        try:
            announce(f"listening at {sandbox.url}/ (Ctrl-C ends)")
            while True:
                try:
                    arrival = arrivals.get(timeout=0.5)  # a wait without end could not be interrupted on Windows
                except queue.Empty:
                    continue
                announce(arrival_line(arrival))
        except KeyboardInterrupt:
            summary = sandbox.summary()
            announce(f"{summary['requests']:,} requests, {summary['items']:,} items")
