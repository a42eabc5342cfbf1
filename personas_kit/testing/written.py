"""A destination's fixture as it is written down: changes, requests, answers, steps of exchanges, outcomes.

Bodies are read as strictly as the standard has it: no NaN, no name twice in an object.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import polars as pl

from personas_kit.destinations.base import Computation, Pause, Request
from personas_kit.destinations.outcomes import Answer, Outcome

Said = Mapping[str, Any]
"""A piece of a fixture."""

CANARY = "canary-4f1c-secret"
COLUMNS = ("user_id", "account_id", "change", "value", "message_id", "member")
NOON = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
_NOTHING: tuple[object, ...] = (None, {}, [], "")
_T = TypeVar("_T")


class Canary:
    """A secret by reference, whose value must not be found where it does not belong."""

    def reveal(self) -> str:
        """The value."""
        return CANARY


@functools.cache
def read(path: Path) -> Said:
    """What a fixture says."""
    found: Said = json.loads(path.read_text(encoding="utf-8"))
    return found


def settings_of(fixture: Said, secret: object) -> dict[str, object]:
    """Its settings; for everything that is a reference to a secret, this one."""
    return {name: secret if isinstance(value, dict) else value for name, value in fixture["settings"].items()}


def computation_of(fixture: Said) -> Computation:
    """What was computed."""
    about = fixture["computation"]
    return Computation(about["key"], about["kind"], about["name"], tuple(about.get("integrations", ())))


def batch_of(lines: Sequence[Said]) -> pl.DataFrame:
    """A batch from short lines: what they leave out is missing, the time is noon."""
    names = [*COLUMNS, *sorted({name for line in lines for name in line if name.startswith("id_")})]
    full = [{name: line.get(name) for name in names} for line in lines]
    frame = pl.DataFrame(full, schema=dict.fromkeys(names, pl.String))
    return frame.with_columns(timestamp=pl.lit(NOON, pl.Datetime("us", "UTC")))


def strict(text: str, number: Callable[[str], object] = float) -> Any:  # noqa: ANN401  (any JSON)
    """JSON as data.

    Args:
        text: the JSON.
        number: what becomes of a number that is no integer.

    Raises:
        ValueError: it is none.
    """
    return json.loads(text, parse_constant=_refuse, parse_float=number, object_pairs_hook=_once)


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON")


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"an object has a name twice: {sorted(name for name, _ in pairs)}")
    return found


def body_of(request: Request, number: Callable[[str], object] = float) -> Any:  # noqa: ANN401  (any JSON)
    """The body of a request as data: JSON, lines of JSON, a form whose fields are JSON or text, or text.

    Args:
        request: whose.
        number: as for ``strict``.

    Raises:
        ValueError: what should be JSON is none.
    """
    kind, text = request.headers.get("content-type", ""), request.content.decode()
    if not text:
        return None
    if kind.startswith("application/x-www-form-urlencoded"):
        return {name: _field(value, number) for name, (value, *_) in parse_qs(text).items()}
    if "ndjson" in kind:
        return [strict(line, number) for line in text.removesuffix("\n").split("\n")]
    return strict(text, number) if "json" in kind else text


def _field(text: str, number: Callable[[str], object]) -> object:
    """A field of a form: JSON, or text; what begins like an object or an array has to be JSON."""
    try:
        return strict(text, number)
    except ValueError:
        if text.startswith(("{", "[")):
            raise
        return text


def readable(request: Request) -> dict[str, object]:
    """A request the way a fixture writes it."""
    parts = urlsplit(request.url)
    return {
        "method": request.method,
        "host": parts.netloc,
        "path": parts.path + (f"?{parts.query}" if parts.query else ""),
        "body": body_of(request),
        "lines": list(request.lines),
    }


def answer_of(said: Said) -> Answer:
    """An answer the way a fixture writes it."""
    body = said.get("body", "")
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Answer(said["status"], said.get("headers", {}), content)


def played(exchange: Generator[Request | Pause, Answer, _T], steps: Iterable[Said]) -> _T:
    """Run an exchange against the steps of a fixture. Returns its result.

    Raises:
        AssertionError: it takes another step.
    """
    answer = None
    for at, step in enumerate(steps):
        try:
            asked = next(exchange) if answer is None else exchange.send(answer)
        except StopIteration:
            raise AssertionError(f"it ended before step {at}") from None
        same(_step(asked, step), _wanted(step), f"step {at}")
        answer = Answer(0) if "pause" in step else answer_of(step["answer"])
    try:
        left = next(exchange) if answer is None else exchange.send(answer)
    except StopIteration as done:
        result: _T = done.value
        return result
    raise AssertionError(f"it took one step more: {_step(left, {})}")


def _step(asked: Request | Pause, said: Said) -> dict[str, object]:
    """A step as a fixture writes it; of a request what the fixture tells of it, and all of its path and body."""
    if isinstance(asked, Pause):
        return {"pause": asked.seconds}
    names = {"method", "path", "body", *said.get("request", ())}
    return {"request": {name: value for name, value in readable(asked).items() if name in names}}


def _wanted(step: Said) -> dict[str, object]:
    return {"pause": step["pause"]} if "pause" in step else {"request": {"body": None, **step["request"]}}


def shown(outcome: Outcome) -> dict[str, object]:
    """An outcome the way a fixture writes it."""
    full = {
        "verdict": outcome.verdict,
        "reason": outcome.reason,
        "after": outcome.after,
        "rejected": {str(at): reason for at, reason in outcome.rejected.items()},
        "again": sorted(outcome.again),
        "handle": outcome.handle,
    }
    return without_nothing(full)


def without_nothing(said: Said) -> dict[str, object]:
    """What is said of an outcome, but for what is nothing."""
    return {name: value for name, value in said.items() if value not in _NOTHING or name == "verdict"}


def check(holds: object, words: str) -> None:
    """As ``assert``, and also where Python leaves these out.

    Raises:
        AssertionError: it does not hold.
    """
    __tracebackhide__ = True  # a failure is shown where it was asked for
    if not holds:
        raise AssertionError(words)


def same(found: object, expected: object, what: str) -> None:
    """Data that is equal, place by place.

    Args:
        found: what the code made.
        expected: what the fixture says.
        what: the whole, for people.

    Raises:
        AssertionError: with each place that differs.
    """
    __tracebackhide__ = True
    lines = list(_differences(found, expected, what))
    check(not lines, "\n".join(["not what the fixture says:", *lines]))


def _differences(found: object, expected: object, where: str) -> Iterator[str]:
    if isinstance(found, dict) and isinstance(expected, dict):
        for name in dict.fromkeys([*expected, *found]):
            at = f"{where}.{name}"
            if name not in found:
                yield f"  {at} is missing; the fixture has {expected[name]!r}"
            elif name not in expected:
                yield f"  {at} is {found[name]!r}, and the fixture does not have it"
            else:
                yield from _differences(found[name], expected[name], at)
    elif isinstance(found, list) and isinstance(expected, list):
        for n, (one, other) in enumerate(zip(found, expected, strict=False)):
            yield from _differences(one, other, f"{where}[{n}]")
        if len(found) != len(expected):
            yield f"  {where} has {len(found)} entries, and {len(expected)} in the fixture"
    elif found != expected or isinstance(found, bool) != isinstance(expected, bool):
        yield f"  {where} is {found!r}; the fixture has {expected!r}"
