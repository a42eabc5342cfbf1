"""One session for all threads: begun once, begun anew where it died, and never ended under somebody else."""

from __future__ import annotations

from personas_kit.warehouses.one_session import OneSession


class Connection:
    """What a driver gives."""

    closed = False

    def close(self) -> None:
        self.closed = True


def test_it_begins_when_it_is_needed_and_once() -> None:
    begun: list[Connection] = []
    session = OneSession(lambda: begun.append(Connection()) or begun[-1])
    assert begun == []

    assert session.get() is session.get()
    assert len(begun) == 1
    session.end()
    assert begun[0].closed
    assert session.get() is not begun[0]
    session.end()


def test_one_that_died_is_closed_and_another_one_begins() -> None:
    dead: list[Connection] = []
    session = OneSession(Connection, lambda connection: connection not in dead)
    first = session.get()
    dead.append(first)

    assert session.get() is not first
    assert first.closed
    session.end()


def test_two_that_find_one_dead_do_not_end_the_one_that_follows() -> None:
    session = OneSession(Connection)
    dead = session.get()
    session.end(dead)
    following = session.get()
    session.end(dead)

    assert session.get() is following
    assert not following.closed
    session.end()
