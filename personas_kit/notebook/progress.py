"""What takes long, in a notebook: one output that is updated, and that still tells the truth when it is saved.

Widgets and bars that need a script show nothing, or a wrong number, in a saved notebook; this shows where it ended.
Without a kernel there is nothing to update, and the caller prints lines instead.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from personas_kit.activation.delivery import Progress
from personas_kit.display import Tell, shows_progress, shows_waiting, waiting_words
from personas_kit.notebook import html

SECONDS = 0.2
LONG = 1.0


class _Handle(Protocol):
    def update(self, data: object, *, raw: bool) -> None: ...


@shows_progress
@contextlib.contextmanager
def notebook_progress(total: int) -> Iterator[Callable[[Progress], None]]:
    """Shows how far a push is; silent where there is no kernel or nothing to send."""
    handle = _handle(_shown(0, total, "")) if total else None
    last = [0.0]

    def tell(progress: Progress) -> None:
        now = time.monotonic()
        if handle is not None and (now - last[0] >= SECONDS or progress.done == progress.total):
            last[0] = now
            handle.update(_shown(progress.done, progress.total, progress.sync), raw=True)

    yield tell


@shows_waiting
@contextlib.contextmanager
def notebook_waiting(where: str) -> Iterator[Tell]:
    """Shows how long a query has been running, once that is more than a second; gone when it is done."""
    handles: list[_Handle | None] = []

    def tell(seconds: float, doing: Callable[[], str]) -> None:
        if seconds < LONG:
            return
        words = waiting_words(where, seconds, doing())
        shown = {"text/plain": words, "text/html": f"<div>{html.text(words)}</div>"}
        if not handles:
            handles.append(_handle(shown))
        elif (handle := handles[0]) is not None:
            handle.update(shown, raw=True)

    try:
        yield tell
    finally:
        for handle in handles:
            if handle is not None:
                handle.update({"text/plain": "", "text/html": ""}, raw=True)


def _handle(shown: dict[str, str]) -> _Handle | None:
    """An output of the running cell; None outside a kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    from IPython.display import display  # noqa: PLC0415  (there is a kernel, so it is there)

    found: _Handle = display(shown, raw=True, display_id=True)  # type: ignore[no-untyped-call]
    return found


def _shown(done: int, total: int, sync: str) -> dict[str, str]:
    share = f"{100 * done / max(total, 1):.0f}%"
    words = f"{done:,} of {total:,} changes ({share}) {sync}".rstrip()
    bar = (
        f'<div style="border:{html.LINE};border-radius:4px;width:320px;height:8px">'
        f'<div style="background:{html.BLUE};border-radius:4px;height:8px;width:{share}"></div></div>'
    )
    return {"text/plain": words, "text/html": f"<div>{bar}<span>{html.text(words)}</span></div>"}
