"""A hundred definitions of one workspace as SQL: what every preview, plan and run begins with.

Nothing of the kind is sold apart from its product, so beside the kit stands the least that any compiler has to do that
keeps a tree: read SQL of the same length, and write it.
"""

import datetime as dt
import json
from pathlib import Path

import sqlglot

from benchmarks.entry import OURS, Benchmark
from personas_kit.compiler import Column, Source, SourceSettings, Table, bind, compile_definition, compile_several
from personas_kit.compiler.settings import AccountSettings, EventSettings, MembershipSettings, UserSettings
from personas_kit.definitions import AccountAudience, Audience, Definition, parse

DEFINITIONS = 100
AS_OF = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
OF_USERS = (
    "event('Order Completed').within({days} days).count() >= 1",
    "event('Order Completed').where(property('amount') > {days}).within(30 days).sum('amount') > 100",
    "event('Order Completed').then(event('Order Returned').within({days} days)).count() >= 1",
    "(trait('plan') = 'pro' OR trait('seats') >= {days}) AND event('Signed In').within(7 days).count() = 0",
    "top({days}, by: event('Order Completed').sum('amount'), of: trait('plan').exists())",
    "event('Signed In').between({days} days, 120 days).unique('colour').count() >= 3",
    "event('Order Completed').where(property('colour') = trait('plan')).within({days} days).count() >= 2",
)
OF_ACCOUNTS = (
    "ANY event('Feature Used').within({days} days).count() >= 3 AND trait('plan') = 'pro'",
    "users().where(event('Signed In').within({days} days).count() >= 1).count() >= 3",
    "users().share(trait('plan') = 'pro') >= 0.5 AND event('Order Completed').within({days} days).sum('amount') > 9",
)
COLUMNS = {
    "users": "user_id text,plan text,seats integer",
    "accounts": "account_id text,plan text",
    "memberships": "user_id text,account_id text",
    "events": "event text,user_id text,at timestamp,id text,amount decimal,colour text",
}


def source() -> Source:
    """Users, accounts, memberships, and one table of events."""
    columns = {name: [each.split(" ") for each in of.split(",")] for name, of in COLUMNS.items()}
    schema = {name: Table((name,), tuple(Column(*each) for each in of)) for name, of in columns.items()}
    settings = SourceSettings(
        users=UserSettings("users", "user_id"),
        accounts=AccountSettings("accounts", "account_id"),
        memberships=MembershipSettings("memberships", "user_id", "account_id"),
        events=EventSettings("events", name="event", at="at", user="user_id", id="id"),
    )
    return bind(settings, schema)


def read(folder: Path) -> list[Definition]:
    """The definitions of the file."""
    made: list[Definition] = []
    for kind, name, said in json.loads((folder / "definitions.json").read_text()):
        made.append((Audience if kind == "user" else AccountAudience)(name, parse(said)))
    return made


def prepare(folder: Path, scale: float) -> None:
    """The definitions as text, and the SQL of each."""
    texts = [("user", said) for said in OF_USERS] + [("account", said) for said in OF_ACCOUNTS]
    count = max(2, int(DEFINITIONS * scale))
    lines = [
        (texts[at % len(texts)][0], f"d{at}", texts[at % len(texts)][1].format(days=1 + at)) for at in range(count)
    ]
    (folder / "definitions.json").write_text(json.dumps(lines))
    of = source()
    written = [compile_definition(each, of, {}).bound("duckdb", AS_OF)[0] for each in read(folder)]
    (folder / "sql.json").write_text(json.dumps(written))


def ours(folder: Path) -> int:
    """The kit, a statement for each."""
    of = source()
    return len([compile_definition(each, of, {}).bound("duckdb", AS_OF) for each in read(folder)])


def together(folder: Path) -> int:
    """The kit, one statement for all."""
    several = compile_several(read(folder), source(), {})
    several.query.bound("duckdb", AS_OF)
    return len(several.asked)


def read_and_written(folder: Path) -> int:
    """The SQL that the kit wrote, read and written by sqlglot."""
    texts = json.loads((folder / "sql.json").read_text())
    return len([sqlglot.parse_one(text, read="duckdb").sql("duckdb", pretty=True) for text in texts])


benchmark = Benchmark(
    title="a hundred definitions as SQL",
    unit="definitions",
    size=DEFINITIONS,
    prepare=prepare,
    ways={OURS: ours, "personas_kit, one statement": together, "sqlglot, read and written": read_and_written},
)
