"""How a result is shown: one line of text everywhere, and HTML where a front end wants it.

The HTML is made by ``personas_kit.notebook``, which nothing below may import; so it registers its renderers here, and
the displays of a push's progress and of a long query.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import polars as pl

from personas_kit.errors import PersonasError
from personas_kit.masking import visible

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

#: Seconds after which something takes long.
LONG = 1.0
_KILO = 1_000
#: Told how many seconds a query has taken, and what to call to hear what it is doing.
Tell = Callable[[float, Callable[[], str]], None]
_Show = TypeVar("_Show", bound=Callable[[int], contextlib.AbstractContextManager[Callable[[Any], None]]])
_ShowWork = TypeVar("_ShowWork", bound=Callable[["Work"], contextlib.AbstractContextManager[None]])
_P = ParamSpec("_P")
_R = TypeVar("_R")
_Tool = TypeVar("_Tool", bound=Callable[..., Any])
_renderers: dict[str, Callable[[Any], str]] = {}
_progress: list[Callable[[int], contextlib.AbstractContextManager[Callable[[Any], None]]]] = []
_working: list[Callable[[Work], contextlib.AbstractContextManager[None]]] = []
_listens: list[Callable[[str], None]] = []
_tools: dict[str, Callable[..., Any]] = {}
_own_ways: dict[str, Callable[[Any], bool]] = {}


def renders(name: str) -> Callable[[Callable[[Any], str]], Callable[[Any], str]]:
    """Register a function that makes the HTML of the results of a class, by the class's name."""

    def register(render: Callable[[Any], str]) -> Callable[[Any], str]:
        _renderers[name] = render
        return render

    return register


def displays(name: str) -> Callable[[Callable[[Any], bool]], Callable[[Any], bool]]:
    """Register what displays the results of a class in a way of its own, and says whether it did.

    It may keep hold of its output, and change what the saved notebook holds once more is known.
    """

    def register(show: Callable[[Any], bool]) -> Callable[[Any], bool]:
        _own_ways[name] = show
        return show

    return register


def opens(name: str) -> Callable[[_Tool], _Tool]:
    """Register what opens a tool, such as the builder."""

    def register(open_it: _Tool) -> _Tool:
        _tools[name] = open_it
        return open_it

    return register


def open_tool(name: str, *given: object) -> Any:  # noqa: ANN401  (a widget, whose class only a notebook can import)
    """A tool that was registered.

    Raises:
        PersonasError: nothing that could show it is loaded.
    """
    if name not in _tools:
        raise PersonasError(f"the {name} is for notebooks", hint="import personas_kit.notebook")
    return _tools[name](*given)


def shows_progress(show: _Show) -> _Show:
    """Register what shows the progress of a push; called with the number of changes."""
    _progress[:] = [show]
    return show


@contextlib.contextmanager
def progress_of(total: int) -> Iterator[Callable[[Any], None]]:
    """The registered display of progress, or one that shows nothing. What is shown of the work around it rests."""
    work = _work.get() or Work("")
    work.rests += 1
    work.make_room()
    try:
        with _progress[0](total) if _progress else contextlib.nullcontext(_silence) as tell:
            yield tell
    finally:
        work.rests -= 1


@dataclass(slots=True)
class Work:
    """Something that may take long, as the person who waits for it sees it.

    Attributes:
        what: in a word or two.
        stage: which part of it; empty if it has none.
        doing: what a query of it is doing just now, in few words; empty while none takes long.
        rests: how many other displays say it better at the moment.
        make_room: called before another display begins, by whoever needs the same place.
        failed: it ended with an error.
    """

    what: str
    stage: str = ""
    doing: str = ""
    rests: int = 0
    make_room: Callable[[], None] = lambda: None
    failed: bool = False
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """For how long."""
        return time.monotonic() - self.started

    def words(self) -> str:
        """``plan of vips: reading members, snowflake · prod running, 12 s``."""
        return f"{self.what}: {', '.join([*filter(None, (self.stage, self.doing)), f'{self.seconds:,.0f} s'])}"

    def ended(self) -> str:
        """``plan of vips: done in 12.3 s``."""
        return f"{self.what}: {'stopped after' if self.failed else 'done in'} {self.seconds:,.1f} s"


_work: contextvars.ContextVar[Work | None] = contextvars.ContextVar("work", default=None)


def shows_working(show: _ShowWork) -> _ShowWork:
    """Register what shows that something takes long."""
    _working[:] = [show]
    return show


def stage() -> str:
    """Which part of the work around is under way; empty for none."""
    work = _work.get()
    return work.stage if work is not None else ""


@contextlib.contextmanager
def working(what: str) -> Iterator[None]:
    """What happens inside is one piece of work to whoever watches; inside another one it is a stage of that."""
    around = _work.get()
    if around is not None:
        before, around.stage = around.stage, what
        try:
            yield
        finally:
            around.stage = before
        return
    work = Work(what)
    token = _work.set(work)
    try:
        with _working[0](work) if _working else contextlib.nullcontext():
            try:
                yield
            except BaseException:
                work.failed = True
                raise
    finally:
        _work.reset(token)


def works(what: str) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Make a call one piece of work."""

    def decorate(call: Callable[_P, _R]) -> Callable[_P, _R]:
        @functools.wraps(call)
        def run(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            with working(what):
                return call(*args, **kwargs)

        return run

    return decorate


@contextlib.contextmanager
def waiting_for(where: str) -> Iterator[Tell]:
    """A query of a warehouse is a part of the work around it; or work of its own."""
    work = _work.get()
    if work is None:
        with working(where), waiting_for(where) as tell:
            yield tell
        return

    def tell_of(seconds: float, doing: Callable[[], str]) -> None:
        if seconds >= LONG:  # only then is the warehouse asked
            work.doing = doing() if work.what == where else f"{where} {doing()}"

    try:
        yield tell_of
    finally:
        work.doing = ""


@contextlib.contextmanager
def ticking(show: Callable[[], None], every: float) -> Iterator[None]:
    """Call something every so many seconds, from a thread that ends with the block and speaks for the same cell."""
    stop = threading.Event()

    def tick() -> None:
        while not stop.wait(every):
            show()

    beside = threading.Thread(target=contextvars.copy_context().run, args=(tick,), name="progress", daemon=True)
    beside.start()
    try:
        yield
    finally:
        stop.set()
        beside.join()


def size_words(size: float) -> str:
    """``12.3 GB``, by thousands."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < _KILO:
            return f"{size:,.0f} B" if unit == "B" else f"{size:,.1f} {unit}"
        size /= _KILO
    return f"{size:,.1f} TB"


def say(words: str) -> None:
    """One line for the person who watches, beside the results."""
    if _listens:
        _listens[-1](words)
    else:
        print(words, file=sys.stderr, flush=True)  # noqa: T201  (that is what it is for)


@contextlib.contextmanager
def spoken(listen: Callable[[str], None]) -> Iterator[None]:
    """Within, nobody watches: what is said goes there, and no progress is shown."""
    before = (*_progress,), (*_working,)
    _progress.clear()
    _working.clear()
    _listens.append(listen)
    try:
        yield
    finally:
        _listens.pop()
        _progress[:], _working[:] = before


class Displayed:
    """A result with a card. The text form is ``repr``, with the same numbers."""

    __slots__ = ()

    def _repr_html_(self) -> str | None:
        """The card, or None where no renderer is loaded."""
        render = _renderers.get(type(self).__name__)
        return render(self) if render else None

    def _ipython_display_(self) -> None:
        """Displayed in a way of its own where there is one.

        Raises:
            NotImplementedError: there is none: IPython asks for the bundle then.
        """
        show = _own_ways.get(type(self).__name__)
        if show is None or not show(self):
            raise NotImplementedError

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        """The text line, with hidden characters written out, and the card if there is one."""
        bundle: dict[str, object] = {"text/plain": visible(repr(self))}
        if html := self._repr_html_():
            bundle["text/html"] = html
        return bundle


class Tabular(Displayed):
    """A result that is a frame, too."""

    __slots__ = ()

    def to_polars(self) -> pl.DataFrame:
        """As a polars frame."""
        raise NotImplementedError

    def to_arrow(self) -> pa.Table:
        """As an Arrow table."""
        return self.to_polars().to_arrow()

    def to_pandas(self) -> pd.DataFrame:
        """As a pandas frame.

        Raises:
            PersonasError: pandas is not installed.
        """
        try:
            return self.to_polars().to_pandas()
        except ModuleNotFoundError:
            raise PersonasError("pandas is not installed", hint="pip install pandas, or use .to_polars()") from None


def _silence(_: object) -> None:
    """No display."""
