"""What takes long, in a notebook: one output that is updated, and that still tells the truth when it is saved.

Widgets and bars that need a script show nothing, or a wrong number, in a saved notebook; this shows where it ended.
Where papermill or nbclient runs the notebook, nobody watches the output: lines are printed besides, for the log.
Without a kernel nothing is shown here.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from personas_kit.activation.course import Progress
from personas_kit.display import LONG, Work, shows_progress, shows_working, stage, ticking
from personas_kit.notebook import html
from personas_kit.notebook.live import Handle, kernel, watched

#: Seconds between two updates, and between two lines of a log.
SECONDS = 0.2
LINES = 10.0


class _Output:
    """One output of the running cell, made when there is something to show; where nobody watches, lines besides.

    Args:
        after: seconds before which nothing is shown, unless it ends there.
    """

    def __init__(self, after: float) -> None:
        self._handle: Handle | None = None
        self._shown: dict[str, str] | None = None
        self._watched = watched()
        self._due = time.monotonic() + (after if self._watched else LINES)

    def show(self, shown: dict[str, str]) -> None:
        """Show how things stand, if it is time for that."""
        now = time.monotonic()
        if now < self._due or shown == self._shown:
            return
        if self._watched:
            self._put(shown)
            return
        self._due = now + LINES
        self._shown = shown
        print(shown["text/plain"], flush=True)  # noqa: T201  (the log of whoever runs the notebook)

    def end(self, shown: dict[str, str]) -> None:
        """Show how it ended: this is what is saved."""
        self._put(shown)

    @property
    def begun(self) -> bool:
        """Whether anything was shown."""
        return self._shown is not None

    def _put(self, shown: dict[str, str]) -> None:
        self._shown = shown
        if self._handle is None:
            self._handle = _handle(shown)
        else:
            self._handle.update(shown, raw=True)


@shows_progress
@contextlib.contextmanager
def notebook_progress(total: int) -> Iterator[Callable[[Progress], None]]:
    """Shows how far a push is; silent where there is no kernel or nothing to send."""
    if not (total and _shows()):
        yield _silence
        return
    output, started, about = _Output(after=0), time.monotonic(), stage()
    last = [Progress(0, total, "")]

    def tell(progress: Progress) -> None:
        last[0] = progress

    def show() -> None:
        now = last[0]
        output.show(_shown(now.done, now.total, now.about, now.pace, f"{time.monotonic() - started:,.0f} s"))

    try:
        with ticking(show, SECONDS):
            yield tell
    finally:
        done, total = last[0].done, last[0].total
        output.end(_shown(done, total, about, "" if done == total else "when it stopped"))


@shows_working
@contextlib.contextmanager
def notebook_working(work: Work) -> Iterator[None]:
    """Shows what takes more than a second and for how long; what is left of it is how long it took."""
    if not _shows():
        yield
        return
    output = _Output(after=LONG)

    def show() -> None:
        if not work.rests:
            output.show(_line(work.words()))

    try:
        with ticking(show, SECONDS):
            yield
    finally:
        if output.begun:
            output.end(_line(work.ended()))


def _shows() -> bool:
    """Whether there is a cell to show something in. Threads of widgets have none: they show what they do themselves."""
    return kernel() is not None and threading.current_thread() is threading.main_thread()


def _handle(shown: dict[str, str]) -> Handle:
    """An output of the running cell."""
    from IPython.display import display  # noqa: PLC0415  (there is a kernel, so it is there)

    found: Handle = display(shown, raw=True, display_id=True)  # type: ignore[no-untyped-call]
    return found


def _silence(_: Progress) -> None:
    """No display."""


def _line(words: str) -> dict[str, str]:
    return {"text/plain": words, "text/html": f'<div style="{html.FAINT};font-size:12px">{html.text(words)}</div>'}


def _shown(done: int, total: int, *more: str) -> dict[str, str]:
    """A bar, and its number in words: a share is rounded down, so that 100% is all of them."""
    share = f"{100 * done // max(total, 1)}%"
    words = ", ".join([f"{done:,} of {total:,} changes ({share})", *filter(None, more)])
    bar = (
        f'<div title="{html.text(words)}" style="border:{html.LINE};border-radius:4px;max-width:320px;height:8px">'
        f'<div style="background:{html.BLUE};border-radius:4px;height:8px;width:{share}"></div></div>'
    )
    said = f'<div style="font-size:12px">{html.text(words)}</div>'
    return {"text/plain": words, "text/html": f'<div style="padding:2px 0">{bar}{said}</div>'}
