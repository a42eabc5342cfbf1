"""The session of Snowflake's keeper: all it does is done in it, and one that breaks off is not used again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl
import pytest

from personas_kit.warehouses.snowflake_keeper import SnowflakeKeeper


class BrokenOffError(Exception):
    """What a driver raises."""


class Session:
    """A connection whose statements fail once it is broken."""

    description: tuple[()] = ()
    rowcount = 1

    def __init__(self) -> None:
        self.broken = False
        self.ran: list[str] = []

    def cursor(self) -> Session:
        return self

    def execute(self, statement: str, *_: object) -> None:
        if self.broken:
            raise BrokenOffError
        self.ran.append(statement.split(maxsplit=1)[0])

    def fetchall(self) -> list[tuple[object, ...]]:
        return []

    def fetch_arrow_batches(self, **_: object) -> Iterator[object]:
        return iter(())

    def is_valid(self) -> bool:
        return not self.broken

    def close(self) -> None:
        pass


def test_a_session_that_broke_off_is_not_used_again() -> None:
    opened: list[Any] = []

    def open_session(_: Mapping[str, object]) -> Any:
        opened.append(Session())
        return opened[-1]

    adapter: Any = None
    keeper = SnowflakeKeeper(adapter, "personas", open_session, contextlib.nullcontext)
    keeper.tables()
    opened[0].broken = True

    with pytest.raises(BrokenOffError):
        keeper.tables()
    with keeper.changing() as session:
        session.run("update sync set paused = 1")

    assert len(opened) == 2
    keeper.close()


def test_frames_travel_by_the_session_that_reads_and_writes_the_tables_beside_them() -> None:
    """What one session of Snowflake has committed, another may see a moment later."""
    session: Any = Session()
    adapter: Any = None
    keeper = SnowflakeKeeper(adapter, "personas", lambda _: session, contextlib.nullcontext)

    keeper.put("plans_1", pl.DataFrame({"member": ["u1"]}))
    keeper.get("plans_1")

    assert session.ran == ["CREATE", "PUT", "CREATE", "COPY", "COMMIT", "DROP", "SELECT"]
    keeper.close()
