"""What can go wrong on purpose: a script of faults, one for each of the next requests."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Literal, get_args

from personas_kit.errors import ConfigError, nearest

FaultKind = Literal["status", "drop", "cut", "delay", "truncate", "html", "invalid"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault. Its kind says what the sender sees; ``applied`` whether the request took effect all the same.

    ========== ============================================================ =======================
    kind       what the sender sees                                         the request took effect
    ========== ============================================================ =======================
    status     ``status`` with ``headers`` and ``body``                     if ``applied``
    drop       the connection closes; nothing is read unless ``applied``    if ``applied``
    cut        the head of the answer and half of its body, then a close    yes
    delay      the true answer, ``seconds`` late                            yes, before the delay
    truncate   200 and a well-formed answer with half of its text           yes
    html       200 and a web page, as from a proxy                          if ``applied``
    invalid    the items at the offsets ``rows`` are invalid                the others, for lists
    ========== ============================================================ =======================

    ``path`` keeps the fault for a request whose path contains it; other requests before that are left alone.
    """

    kind: FaultKind
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    applied: bool = False
    seconds: float = 0.0
    rows: tuple[int, ...] = ()
    path: str = ""

    def __post_init__(self) -> None:
        if self.kind not in get_args(FaultKind):
            near = nearest(str(self.kind), get_args(FaultKind)) or get_args(FaultKind)
            raise ConfigError(f"there is no fault {self.kind!r}", hint=f"one of {', '.join(near)}")
        if not isinstance(self.status, int) or not 200 <= self.status <= 599:  # noqa: PLR2004  (what HTTP can answer)
            raise ConfigError(f"a fault answers a status from 200 to 599, not {self.status!r}")
        if not isinstance(self.seconds, int | float) or self.seconds < 0:
            raise ConfigError(f"a delay is a number of seconds, not {self.seconds!r}")

    @property
    def takes_effect(self) -> bool:
        """Whether the request is applied."""
        return self.applied or self.kind in ("cut", "delay", "truncate", "invalid")


def read_faults(body: object) -> list[Fault | None]:
    """The faults of a control request: a list of objects ``{"kind": ..., ...}``, null for a request left alone."""
    items = body.get("faults") if isinstance(body, dict) else body
    if not isinstance(items, list):
        raise ConfigError("faults are a list of objects", hint='[{"kind": "status", "status": 503}, null]')
    return [None if one is None else _read_fault(one) for one in items]


def _read_fault(values: object) -> Fault:
    if not isinstance(values, dict) or "kind" not in values:
        raise ConfigError("a fault is an object with a kind", hint='{"kind": "status", "status": 503}')
    known = [one.name for one in fields(Fault)]
    for name in values:
        if name not in known:
            raise ConfigError(f"a fault has no {name!r}", hint=f"one of {', '.join(nearest(name, known) or known)}")
    return Fault(**{**values, "rows": tuple(values.get("rows", ()))})


class Script:
    """The faults to come, in order; safe to use from several threads."""

    def __init__(self) -> None:
        self._faults: deque[Fault | None] = deque()
        self._lock = threading.Lock()

    def extend(self, faults: Iterable[Fault | int | None]) -> None:
        """Append faults; a number is the status to answer, None a request left alone."""
        made = [Fault(kind="status", status=one) if isinstance(one, int) else one for one in faults]
        with self._lock:
            self._faults.extend(made)

    def clear(self) -> None:
        """Forget the faults to come."""
        with self._lock:
            self._faults.clear()

    def take(self, path: str) -> Fault | None:
        """The fault for a request to ``path``, which uses it up."""
        with self._lock:
            if not self._faults or ((first := self._faults[0]) is not None and first.path not in path):
                return None
            return self._faults.popleft()

    def __len__(self) -> int:
        """How many are to come."""
        return len(self._faults)
