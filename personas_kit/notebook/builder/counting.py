"""How many are in what a person is composing: asked once the person pauses, and ended when the question has changed.

Every question has a turn. A new one ends the query of the one before it, in the warehouse too, and only the last turn
is shown. What a statement would cost is asked first, where that is known: much is not asked without a person's word.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import wait

from personas_kit.compiler import Query
from personas_kit.compiler.compile import compile_population
from personas_kit.compiler.sizes import compile_sizes
from personas_kit.definitions import Definition
from personas_kit.definitions.definition import Subject
from personas_kit.errors import PersonasError
from personas_kit.preview import estimate_words
from personas_kit.reading import Reader
from personas_kit.warehouses.interrupts import NobodyWaitsError, Watch, watched

PAUSE = 0.35
"""Seconds that a person has to pause before the warehouse is asked."""
MUCH = 1_000_000_000
"""Bytes that are read only when somebody says so."""
WHOLE = ""
"""The id of the audience as a whole, among its parts."""

Shown = Mapping[str, object]


class Counter:
    """Counts audiences beside the kernel's own thread; what it finds out is shown as plain data.

    ``state`` is ``waiting``, ``counting`` (with ``doing``), ``asks`` (with ``reads``: much would be read), ``done``
    (with ``sizes`` by id, and ``users`` and ``accounts``: how many there are), or ``failed`` (with ``problem``).
    ``refused`` has the problems of parts that the warehouse's tables do not allow, by id.

    Args:
        reader: asks the warehouse.
        show: called with each state, from any thread; never with that of a turn that is over.
    """

    def __init__(self, reader: Reader, show: Callable[[Shown], None]) -> None:
        self._reader = reader
        self._show = show
        self._turn: _Turn | None = None
        self._changing = threading.RLock()

    def ask(self, audiences: Mapping[str, Definition], subject: Subject, *, pause: float = PAUSE) -> None:
        """Count these, by id, ``WHOLE`` among them if it can be counted; with none, everybody who is there.

        Returns at once. The query before it is ended.
        """
        self._begin(_Turn(dict(audiences), subject, pause, said=False))

    def ask_now(self, audiences: Mapping[str, Definition], subject: Subject) -> None:
        """The same at once, whatever it reads: a person has seen how much, and asked for it."""
        self._begin(_Turn(dict(audiences), subject, 0, said=True))

    def stop(self) -> None:
        """End what is running, and show nothing more."""
        with self._changing:
            turn, self._turn = self._turn, None
        if turn is not None:
            turn.watch.end()

    def wait(self) -> None:
        """Until the last question has been answered."""
        turn = self._turn
        if turn is not None and turn.thread is not None:
            turn.thread.join()

    def _begin(self, turn: _Turn) -> None:
        self.stop()
        turn.watch = Watch(lambda _, doing: self._tell(turn, {"state": "counting", "doing": doing(), **turn.cost}))
        turn.thread = threading.Thread(target=self._work, args=(turn,), name="counting", daemon=True)
        with self._changing:
            self._turn = turn
            self._show({"state": "waiting"})
        turn.thread.start()

    def _tell(self, turn: _Turn, shown: Shown) -> None:
        """Shown, unless another question was asked meanwhile. What was shown just so is not shown again."""
        with self._changing:
            if self._turn is turn and turn.shown != shown:
                turn.shown = shown
                self._show(shown)

    def _work(self, turn: _Turn) -> None:
        if wait([turn.watch.ended], turn.pause).done:
            return
        try:
            with watched(turn.watch):
                self._tell(turn, self._counted(turn))
        except NobodyWaitsError:
            return
        except PersonasError as problem:
            self._tell(turn, {"state": "failed", "problem": problem.to_dict(), "refused": turn.refused})
        except BaseException:
            self._tell(
                turn, {"state": "failed", "problem": {"what": "it could not be counted", "where": "", "hint": ""}}
            )
            raise

    def _counted(self, turn: _Turn) -> Shown:
        """The answer; or what it would cost, where somebody has to say so first."""
        as_of, start = self._reader.now(), time.monotonic()
        query = self._compiled(turn)
        everyone = {f"{turn.subject}s": "size"} if not turn.counted else {"users": "users", "accounts": "accounts"}
        self._tell(turn, {"state": "counting", "doing": "asking", **turn.cost})
        estimate = self._reader.estimate(query, as_of)
        if estimate is not None:
            turn.cost = {"reads": estimate_words(estimate)}
            if estimate.bytes > MUCH and not turn.said:
                return {"state": "asks", "refused": turn.refused, **turn.cost}
            self._tell(turn, {"state": "counting", "doing": "asking", **turn.cost})
        answer = self._reader.ask(query, as_of, "builder").row(0, named=True)
        return {
            "state": "done",
            "sizes": {one: int(answer[f"size_{at}"]) for one, at in turn.counted.items()},
            **{whose: answer.get(column) for whose, column in everyone.items()},
            "seconds": round(time.monotonic() - start, 2),
            "as_of": f"{as_of:%Y-%m-%d %H:%M} UTC",
            "refused": turn.refused,
            **turn.cost,
        }

    def _compiled(self, turn: _Turn) -> Query:
        """One statement for all of them; those that do not compile are left out, each with its reason."""
        source, registry = self._reader.source, self._reader.definitions()
        different = {_same(audience): audience for audience in turn.audiences.values()}
        try:
            query = compile_sizes([*different.values()], source, registry) if different else None
        except PersonasError:
            for said, audience in [*different.items()]:
                try:
                    compile_sizes([audience], source, registry)
                except PersonasError as problem:
                    turn.refused |= {one: problem.to_dict() for one, of in turn.audiences.items() if _same(of) == said}
                    del different[said]
            query = compile_sizes([*different.values()], source, registry) if different else None
        places = {said: at for at, said in enumerate(different)}
        turn.counted = {one: places[_same(of)] for one, of in turn.audiences.items() if _same(of) in places}
        return query or compile_population(source, turn.subject)


def _same(audience: Definition) -> tuple[str, str]:
    """What is counted once: rules that say the same of the same."""
    return audience.subject, str(audience.expression)


class _Turn:
    """One question, and how far it is."""

    def __init__(self, audiences: dict[str, Definition], subject: Subject, pause: float, *, said: bool) -> None:
        self.audiences = audiences
        self.subject = subject
        self.pause = pause
        self.said = said
        self.watch: Watch
        self.thread: threading.Thread | None = None
        self.counted: dict[str, int] = {}
        self.refused: dict[str, Mapping[str, str]] = {}
        self.cost: dict[str, str] = {}
        self.shown: Shown = {}
