"""One audience over events: the kit by its public path beside the statement that a person would write.

The kit opens a workspace, looks at the tables, compiles, asks, checks the ids and hands over a frame.
"""

import datetime as dt
from pathlib import Path

import duckdb

from benchmarks.entry import OURS, Benchmark
from personas_kit.opening import open_workspace

EVENTS, OF_A_USER = 10_000_000, 10
AS_OF = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
CONFIG = """
[warehouse]
path = "warehouse.duckdb"

[source]
users  = { table = "users", id = "user_id" }
events = { table = "events", name = "event", at = "happened", user = "user_id", id = "id" }

[[audience]]
name  = "Buyers"
where = "event('Order Completed').within(30 days).sum(property('amount')) >= 500"
"""


def prepare(folder: Path, scale: float) -> None:
    """A year of four kinds of events, and a user for every ten."""
    events = max(1_000, int(EVENTS * scale))
    users = events // OF_A_USER
    (folder / "personas.toml").write_text(CONFIG, encoding="utf-8")
    with duckdb.connect(str(folder / "warehouse.duckdb")) as warehouse:
        warehouse.execute(f"""
            create table users as select 'user_' || n as user_id, n % 7 as seats from range({users}) t(n);
            create table events as
            select ['Order Completed', 'Signed In', 'Feature Used', 'Order Returned'][1 + (hash(n) % 4)::int] as event,
                   'user_' || hash(n + 1) % {users} as user_id, 'e' || n as id,
                   timestamp '2025-11-01' + to_seconds((n * (365 * 86400.0 / {events}))::bigint) as happened,
                   (hash(n + 2) % 40000 / 100)::double as amount
            from range({events}) t(n);
        """)


def ours(folder: Path) -> int:
    """The kit."""
    return open_workspace(folder).members("buyers", as_of=AS_OF).height


def by_hand(folder: Path) -> int:
    """The statement that says the same, with the same rule for events that came twice."""
    statement = f"""
        select user_id from (select distinct on (id) * from events where event = 'Order Completed'
                             and happened >= timestamp '{AS_OF:%Y-%m-%d}' - interval 30 days
                             and happened < timestamp '{AS_OF:%Y-%m-%d}')
        where user_id in (select user_id from users) group by user_id having sum(amount) >= 500
    """
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as warehouse:
        return len(warehouse.sql(statement).pl())


benchmark = Benchmark(
    title="an audience over 10 M events of 1 M users",
    unit="events",
    size=EVENTS,
    prepare=prepare,
    ways={OURS: ours, "sql by hand": by_hand},
)
