"""Writes the demo's warehouse: a year of a B2B product in one DuckDB file; for one seed the same content everywhere."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import polars as pl

from personas_kit.company.behaviour import make_events
from personas_kit.company.chance import Chance
from personas_kit.company.people import DAY, make_people

#: The instant the demo speaks of. Events go on for two days after it, so that its clock can be moved.
DEMO_AS_OF = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
TIMES = ("created_at", "valid_from", "valid_to", "first_seen_at", "timestamp")


def generate(path: Path, *, seed: int = 7, events: int = 220_000, as_of: dt.datetime = DEMO_AS_OF) -> Path:
    """Write the warehouse and return its path; a file that is there is replaced.

    The tables are ``users`` (8,000), ``accounts`` (900), ``memberships``, ``identifiers`` and ``events``; times are
    naive UTC, ``revenue`` is a decimal.

    Args:
        path: the DuckDB file to write.
        seed: another seed, another warehouse.
        events: how many events at least, without the few that happen once per user or account.
        as_of: midnight UTC of the day the demo speaks of; events are from 363 days before it to two days after.
    """
    tables = make_tables(seed=seed, events=events, as_of=as_of)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with duckdb.connect(unfinished) as connection:
        connection.execute("set enable_progress_bar = false")  # a notebook would keep a widget of it
        for name, table in tables.items():
            connection.register("made", table.to_arrow())
            connection.execute(f"create table {name} as select * from made")  # noqa: S608  (names of this module)
            connection.unregister("made")
    unfinished.replace(path)
    return path


def make_tables(*, seed: int, events: int, as_of: dt.datetime) -> dict[str, pl.DataFrame]:
    """The five tables by name, as ``generate`` writes them."""
    end = int(as_of.timestamp()) + 2 * DAY
    chance = Chance(seed)
    people = make_people(chance, end)
    tables = {
        "users": people.users,
        "accounts": people.accounts,
        "memberships": people.memberships,
        "identifiers": people.identifiers,
        "events": make_events(chance, people, events, end),
    }
    return {name: _timed(table) for name, table in tables.items()}


def _timed(table: pl.DataFrame) -> pl.DataFrame:
    times = [pl.from_epoch(name, time_unit="s").cast(pl.Datetime("us")) for name in TIMES if name in table.columns]
    return table.with_columns(times)
