"""One session with a server: it begins when it is first needed, and ends with the process at the latest."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class _Closing(Protocol):
    def close(self) -> object: ...


C = TypeVar("C", bound=_Closing)


class OneSession(Generic[C]):
    """The driver's connection, shared by all threads that use an adapter.

    Args:
        begin: opens one.
        lives: whether one that was opened before may be used again; if not, another one is opened.
    """

    def __init__(self, begin: Callable[[], C], lives: Callable[[C], bool] = lambda _: True) -> None:
        self._begin = begin
        self._lives = lives
        self._connection: C | None = None
        self._alone = threading.Lock()

    def get(self) -> C:
        """The connection; opened if there is none that lives."""
        with self._alone:
            if self._connection is not None and not self._lives(self._connection):
                self._ended()
            if self._connection is None:
                self._connection = self._begin()
                atexit.register(self.end)
            return self._connection

    def end(self, only: C | None = None) -> None:
        """Close it; a further use opens another one.

        Args:
            only: nothing happens if it is another one by now: several threads may find one and the same dead.
        """
        with self._alone:
            if only is None or only is self._connection:
                self._ended()

    def _ended(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            atexit.unregister(self.end)
            connection.close()
