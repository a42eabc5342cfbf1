"""Answers that are not what they should be, and running an exchange against them."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from typing import Any, TypeVar

import httpx

from personas_kit.destinations.base import Pause, Request
from personas_kit.destinations.outcomes import Answer
from personas_kit.testing.written import CANARY, Said, answer_of, check

PERSON = "Ann Canary <ann.canary@private-mail.example>"
"""Stands in answers, and must not be told on."""

STATUSES = (200, 201, 202, 204, 207, 301, 400, 401, 403, 404, 409, 410, 413, 415, 422, 429, 500, 502, 503)
NO_JSON = (b"", b"<html>", b"\xff\xfe", b"[" * 10_000, b'{"a":' * 10_000)
ODD: tuple[Any, ...] = (
    *(PERSON, "1" * 400, "\ud800", "\x00", "a\r\nb: c", "../../x?y#z", "https://elsewhere.example/", "%", "", "0"),
    *(10**400, -1, 0, 1, 2, 200, 2**63, 1e308, float("nan"), float("inf"), None, True, False),
    *([], {}, [None], [[]], [{}], ["x"], {"": None}, {"id": []}),
)  # fmt: skip
"""What may stand anywhere in an answer; JSON has no NaN, and some that write it do."""

FEW = 3
"""Elements of an array that are made odd; the others are like them."""

UNAVAILABLE = Answer(503)
LONGEST = 2_000
"""Steps of an exchange that is not answered any more."""

_T = TypeVar("_T")


def answers(said: Said) -> Iterator[Answer]:
    """An answer of a fixture, with any status, no JSON at all, or something odd in one of its places."""
    for status in STATUSES:
        yield answer_of({**said, "status": status})
    for content in NO_JSON:
        yield Answer(said["status"], {}, content)
    for body in bodies(said.get("body")):
        yield answer_of({**said, "body": json.dumps(body)})


def bodies(body: object) -> Iterator[object]:
    """A body with something odd in one of its places, or with a part missing, or doubled."""
    yield from ODD
    if isinstance(body, dict):
        for name, value in body.items():
            yield {each: kept for each, kept in body.items() if each != name}
            yield from ({**body, name: odd} for odd in bodies(value))
    elif isinstance(body, list):
        for at, value in enumerate(body[:FEW]):
            before, after = body[:at], body[at + 1 :]
            yield [*before, *after]
            yield [*before, value, value, *after]
            yield from ([*before, odd, *after] for odd in bodies(value))


def driven(exchange: Generator[Request | Pause, Answer, _T], answer: Callable[[int], Answer | None], home: str) -> _T:
    """Run an exchange, and return its result.

    Args:
        exchange: of a destination.
        answer: to the request of this number; None: nobody is there any more.
        home: where all of its requests go.

    Raises:
        AssertionError: a step is no request to the destination, or there is no end.
    """
    asked, there, checked = 0, True, set[tuple[str, bytes]]()
    try:
        step = next(exchange)
        for _ in range(LONGEST):
            said = None
            if there and not isinstance(step, Pause):
                _check_step(step, home, checked)
                said = answer(asked)
                asked, there = asked + 1, said is not None
            step = exchange.send(said or UNAVAILABLE)
    except StopIteration as done:
        result: _T = done.value
        return result
    raise AssertionError(f"it has not ended after {LONGEST} steps, the last of them not answered")


def _check_step(step: object, home: str, checked: set[tuple[str, bytes]]) -> None:
    """A request that can be sent, to the destination itself; the same one once."""
    if not isinstance(step, Request):
        raise AssertionError(f"a step is a request or a pause, and not {type(step).__name__}")  # noqa: TRY004
    if (step.url, step.content) in checked:
        return
    checked.add((step.url, step.content))
    message = httpx.Request(step.method, step.url, headers=dict(step.headers), content=step.content)
    there = httpx.URL(home)
    check(
        (message.url.scheme, message.url.host, message.url.port) == (there.scheme, there.host, there.port),
        "a step goes to another host",
    )
    check("../" not in step.url, "a piece of an answer stands in an address as it is: quote it")
    check(CANARY not in step.url + step.content.decode(errors="replace"), "a step holds a secret")


def attempt(run: Callable[[Answer], None], given: Answer) -> None:
    """Run something with an answer; whatever goes wrong says which it was.

    Raises:
        AssertionError: it went wrong.
    """
    try:
        run(given)
    except Exception as problem:
        shown = given.content[:300].decode(errors="replace")
        raise AssertionError(f"{type(problem).__name__}: {problem}\nanswered {given.status}: {shown}") from problem
