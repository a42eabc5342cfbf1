"""An audience on every day of a year of the demo's company: what a backtest costs beside one question.

A backtest is one statement. Beside it stand the last day alone, so that the ratio says how much dearer a year is than a
day, and what anybody can do without it: a statement for each day.
"""

import datetime as dt
from pathlib import Path

from benchmarks.entry import OURS, Benchmark
from personas_kit.company.generate import DEMO_AS_OF, generate
from personas_kit.compiler import Query, Source, SourceSettings, bind, compile_definition
from personas_kit.compiler.history import compile_history
from personas_kit.compiler.settings import AccountSettings, EventSettings, IdentitySettings, UserSettings
from personas_kit.definitions import Audience, event
from personas_kit.warehouses.duckdb import DuckDB

DAYS, DAY = 365, 86_400
BUYERS = Audience("Buyers", event("Order Completed").within(days=30).count() >= 1)
SETTINGS = SourceSettings(
    users=UserSettings("users", "user_id", "created_at"),
    accounts=AccountSettings("accounts", "account_id", "created_at"),
    identities=IdentitySettings("identifiers", "user_id", "id_value", "id_type", "first_seen_at"),
    events=EventSettings(
        "events", name="event", at="timestamp", user="user_id", anonymous="anonymous_id", id="message_id"
    ),
)


def prepare(folder: Path, scale: float) -> None:
    """The company, and how many days back it is asked about: the company is the same at every scale."""
    generate(folder / "warehouse.duckdb")
    (folder / "days").write_text(str(max(2, int(DAYS * scale))))


def read(folder: Path) -> tuple[DuckDB, Source, list[int]]:
    """The warehouse, where things lie in it, and the seconds from the last instant to each."""
    warehouse = DuckDB(folder / "warehouse.duckdb")
    days = int((folder / "days").read_text())
    return warehouse, bind(SETTINGS, warehouse.schema()), [-DAY * ago for ago in reversed(range(days))]


def asked(warehouse: DuckDB, query: Query, shift: int = 0) -> list[tuple[object, ...]]:
    """The lines of an answer."""
    return warehouse.query(*query.bound("duckdb", DEMO_AS_OF + dt.timedelta(seconds=shift))).rows()


def ours(folder: Path) -> object:
    """The kit: one statement for all days. How many there are on the last of them."""
    warehouse, source, shifts = read(folder)
    return max(asked(warehouse, compile_history(BUYERS, source, {}, shifts)))[1]


def one_day(folder: Path) -> object:
    """The last day alone."""
    warehouse, source, _ = read(folder)
    return len(asked(warehouse, compile_definition(BUYERS, source, {})))


def each_day(folder: Path) -> object:
    """A statement for each day."""
    warehouse, source, shifts = read(folder)
    query = compile_definition(BUYERS, source, {})
    return [len(asked(warehouse, query, shift)) for shift in shifts][-1]


benchmark = Benchmark(
    title="an audience on every day of a year",
    unit="days",
    size=DAYS,
    prepare=prepare,
    ways={OURS: ours, "the last day alone": one_day, "a statement for each day": each_day},
)
