"""What a warehouse offers so that the kit can keep tables of its own there: a schema, transactions, frames as tables.

Statements have ``?`` for values and name tables without their schema. The names of everything that is kept are lower
case and need no quotes, so that every warehouse takes them as they stand.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import polars as pl

#: Seconds to wait for somebody else who is writing.
PATIENCE = 30.0
#: Seconds after which a session that nobody used is asked whether it still lives: servers and networks end idle ones.
RESTED = 60.0
#: What the relation of lines is called within a statement for many lines.
LINES = "line"


#: A line of an answer.
Line = Mapping[str, Any]


class Session(Protocol):
    """An open session in the schema."""

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[Line]:
        """What a SELECT gives, each line by the names of its columns, in lower case."""
        ...

    def run(self, statement: str, values: Sequence[object] = ()) -> int:
        """Change something. Returns how many lines were changed."""
        ...

    def many(self, statement: str, lines: Iterable[Sequence[object]]) -> None:
        """An INSERT ... VALUES, or a DELETE ... WHERE, for many lines at once; each text, a whole number or None."""
        ...

    def drop(self, table: str) -> bool:
        """Drop a table if it is there, and nobody is using it. Returns whether it is gone: nobody is waited for."""
        ...


class Keeper(Protocol):
    """A schema of a warehouse. Whatever goes wrong there is a ``WarehouseError`` that says what to do."""

    def describe(self) -> str:
        """For people: ``schema personas of postgres · prod``."""
        ...

    def tables(self) -> frozenset[str]:
        """The names of the tables in it, in lower case; none where there is no such schema. Makes nothing."""
        ...

    def place(self, table: str) -> tuple[str, ...]:
        """The name of a table in it, part by part and as the warehouse spells it: queries of the adapter find it so."""
        ...

    def make(self, statements: Iterable[str]) -> None:
        """Make the schema, if it is not there, and run statements that define tables."""
        ...

    def looking(self) -> AbstractContextManager[Session]:
        """To read what is committed: when a statement begins, or when the block did."""
        ...

    def changing(self) -> AbstractContextManager[Session]:
        """A transaction: all of it when the block ends, nothing of it when the block raises.

        It makes no tables. It may drop some, after all that has to be one with what came before: there are warehouses
        where that commits.
        """
        ...

    def put(self, name: str, frame: pl.DataFrame) -> None:
        """A table of the frame under a new name, there whole or not at all. Text, whole numbers, truth, bytes only."""
        ...

    def derive(self, name: str, statement: str) -> int:
        """A table of what a SELECT gives, as ``put`` makes one of a frame. Returns how many lines it has."""
        ...

    def get(self, name: str) -> pl.DataFrame:
        """The frame of a table."""
        ...


def over_lines(statement: str, relation: str) -> str:
    """A statement for one line as one for all lines of a relation ``line`` with columns ``c0``, ``c1``, ...

    ``insert into t values (?, 'x', ?)`` becomes ``insert into t select line.c0, 'x', line.c1 from <relation>``;
    ``delete from t where a = ?`` becomes ``delete from t using <relation> where a = line.c0``.
    """
    columns = (f"{LINES}.c{at}" for at in itertools.count())
    filled = re.sub(r"\?", lambda _: next(columns), statement.strip())
    if found := re.fullmatch(r"(insert into \w+) values \((.*)\)", filled, re.DOTALL):
        return f"{found[1]} select {found[2]} from {relation}"  # noqa: S608  (a statement of ours)
    if found := re.fullmatch(r"(delete from \w+) where (.*)", filled, re.DOTALL):
        return f"{found[1]} using {relation} where {found[2]}"
    raise AssertionError(f"neither an INSERT nor a DELETE: {statement}")


@functools.cache
def numbered(statement: str) -> str:
    """The statement with ``$1``, ``$2``, ... instead of ``?``."""
    numbers = itertools.count(1)
    return re.sub(r"\?", lambda _: f"${next(numbers)}", statement)


def columns_of(lines: Iterable[Sequence[object]]) -> list[tuple[bool, list[object]]]:
    """Lines by column: whether it holds whole numbers (else it is text), and its values."""
    columns = [list(column) for column in zip(*lines, strict=True)]
    return [(_whole(column), column) for column in columns]


def _whole(values: Sequence[object]) -> bool:
    some = next((value for value in values if value is not None), None)
    return isinstance(some, int)
