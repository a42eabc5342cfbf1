"""A session of Snowflake's keeper that breaks off: the next use begins another one, however soon it comes."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

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

    def cursor(self) -> Session:
        return self

    def execute(self, *_: object) -> None:
        if self.broken:
            raise BrokenOffError

    def fetchall(self) -> list[tuple[object, ...]]:
        return []

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
