"""What a contract is about: a destination and its fixture, and the work that is made of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from personas_kit.destinations.base import Asking, Call, Connection, Destination, FieldNeeded, Post, Request
from personas_kit.destinations.outcomes import Outcomes
from personas_kit.testing.written import Canary, Said, batch_of, check, computation_of, read, settings_of

PARTS = {
    "case": "cases",
    "answer": "answers",
    "exchange": "exchanges",
    "field": "fields",
    "made_list": "lists",
    "probe": "probe",
    "poll": "polls",
}
"""Argument of a test -> the part of a fixture whose entries it is run for."""

STATUSES = (*range(200, 227), *range(300, 309), *range(400, 452), *range(500, 512), 520, 599)
NAMES = {"short": "u", "long": "\N{SNOWMAN}" * 60}
NO_URLS = (
    "http://example.com",
    "ftp://example.com",
    "https://user:pw@example.com",
    "https://example.com?key=1",
    "example.com",
)


class Subject:
    """A destination and its fixture.

    Attributes:
        destination: yours.
        fixture: the file with its settings, cases and answers.
    """

    destination: ClassVar[Destination]
    fixture: ClassVar[Path]

    def pytest_generate_tests(self, metafunc: Any) -> None:  # noqa: ANN401  (pytest need not be there)
        """One test for each entry; one with None where the fixture has no such part."""
        for name in metafunc.fixturenames:
            entries = self._entries(name)
            if entries is not None:
                metafunc.parametrize(name, list(entries.values()), ids=list(entries))

    def _entries(self, name: str) -> Mapping[str, object] | None:
        """What a test with this argument is run for, by what it is called."""
        match name:
            case "call":
                return {call: call for call in sorted(self.destination.calls)}
            case "status":
                return {str(status): status for status in STATUSES}
            case "who":
                return NAMES
            case "url":
                return {url: url for url in NO_URLS}
        if name not in PARTS:
            return None
        said = self._said.get(PARTS[name]) or [None]
        return {_label(at, entry): entry for at, entry in enumerate(said)}

    @property
    def _said(self) -> Said:
        return read(self.fixture)

    def _connection(self) -> Connection:
        """With the settings of the fixture; every secret is the canary."""
        return self.destination.configure("it", settings_of(self._said, Canary()), url=self._said.get("url"))

    def _posts(self) -> Iterator[Post]:
        for post in self.destination.posts.values():
            yield from (each for each in (post, post.exits, post.replacing) if each is not None)

    def _ways(self, call: Call) -> Iterator[tuple[Connection, str, Post]]:
        """How the call is sent: as a rule, who leaves, and all in the place of whoever is there."""
        connection, post = self._connection(), self.destination.posts[call]
        yield connection, "enter", post
        if post.exits is not None:
            yield connection, "exit", post.exits
        if post.replacing is not None:
            yield connection.replacement(call), "enter", post.replacing

    def _tables(self) -> Sequence[Outcomes]:
        """Every table once."""
        tables = (self.destination.outcomes, *(post.outcomes for post in self._posts()))
        return list({id(table): table for table in tables if table is not None}.values())

    def _lines(self, call: Call, count: int, who: str = "u", change: str = "enter") -> list[Said]:
        return [self._line(call, at, f"{who}{at}", change) for at in range(count)]

    def _line(self, call: Call, at: int, who: str, change: str = "enter", value: str = "true") -> Said:
        """A change of somebody who is known to the call by this."""
        line: dict[str, str] = {"change": change, "value": value, "message_id": f"m{at}", "account_id": who}
        if call == "list":
            known = next(each.name for each in self.destination.identifiers.values() if each.alone)
            return {**line, "member": json.dumps({known: who}, ensure_ascii=False, separators=(",", ":"))}
        if call == "group":
            return line
        address = {f"id_{kind}": f"{who}@example.com" for kind in self.destination.keyed or ("email",)}
        return {**line, **({} if self.destination.keyed else {"user_id": who}), **address}

    def _way(self, said: Said) -> Connection:
        """The connection of an entry: a replacement, if it says ``"replacing": true``."""
        connection = self._connection()
        return connection.replacement(said["call"]) if said.get("replacing") else connection

    def _work(self, said: Said) -> tuple[Connection, Request, pl.DataFrame]:
        """What an exchange of the fixture is about."""
        connection, lines = self._way(said), batch_of(said["given"])
        requests = connection.requests(said["call"], lines, computation_of(self._said))
        check(len(requests) == 1, f"an exchange is about one request, and the given lines make {len(requests)}")
        return connection, requests[0], lines

    def _asking(self, said: Said) -> Callable[[Connection], Asking]:
        """The question of an entry for fields or lists."""
        fields, lists = self.destination.fields, self.destination.lists
        if fields is not None and "do" in said:
            do = {"find": fields.find, "create": fields.create}[said["do"]]
            if do is not None:
                needed = FieldNeeded(**said["field"])
                return lambda connection: do(connection, needed)
        if lists is not None and "name" in said:
            return lambda connection: lists.create(connection, said["name"], said["description"])
        raise AssertionError("the fixture makes what the destination cannot make")

    def _plays(self) -> Iterator[tuple[Connection, Call, pl.DataFrame, Request, Sequence[Sequence[Said]]]]:
        """Work of the fixture, with the answers that each step of it may expect."""
        computation, answers = computation_of(self._said), self._said["answers"]
        for said in self._said.get("exchanges", ()):
            connection, request, lines = self._work(said)
            usual = [[*[answer] * len(answers), *answers] for answer in answers_of(said)]
            yield connection, said["call"], lines, request, usual
        for case in self._said["cases"]:
            connection, batch = self._way(case), batch_of(case["given"])
            for request in connection.requests(case["call"], batch, computation):
                yield connection, case["call"], batch[slice(*request.lines)], request, [answers]


def _label(at: int, entry: Said | None) -> str:
    """What a test with this entry is called."""
    if entry is None:
        return "none"
    words = [str(entry[name]) for name in ("call", "do", "status") if name in entry]
    return "-".join([str(at), *words])


def answers_of(said: Said) -> Sequence[Said]:
    """The answers of an entry with steps."""
    return [step["answer"] for step in said["steps"] if "answer" in step]
