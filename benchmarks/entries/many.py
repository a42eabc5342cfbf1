"""A hundred audiences of typical shapes over the same events: asked together, one after the other, the dearest alone.

``definitions`` has what is counted and summed, which is computed together. Here is all that audiences are made of, in
equal parts: traits, the last, how many different, and funnels, too, which have to order events or to join them.
"""

import datetime as dt
import time
from collections.abc import Sequence
from pathlib import Path

import duckdb

from benchmarks.entry import OURS, Benchmark
from personas_kit.definitions import Audience, Definition, parse
from personas_kit.opening import open_workspace
from personas_kit.workspace import Workspace

DEFINITIONS, EVENTS, USERS = 100, 1_000_000, 40_000
AS_OF = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
CONFIG = """
[warehouse]
path = "warehouse.duckdb"

[source]
users  = { table = "users", id = "user_id", since = "created_at" }
events = { table = "events", name = "event", at = "at", user = "user_id", id = "id" }
"""
NAMES = (
    "Page Viewed", "Signed In", "Product Viewed", "Feature Used", "Product Added", "Checkout Started",
    "Order Completed", "Order Returned", "Invited", "Newsletter Opened", "Searched",
)  # fmt: skip
OTHERS = ("Trial Started", "Plan Changed", "Support Ticket Opened", "Logged Out")
#: Three events of a year in four are of the names that audiences ask for; who is active is it again and again.
TABLES = """
CREATE TABLE users AS SELECT
    'u' || i AS user_id, TIMESTAMP '2024-01-01' + to_seconds((hash(i * 7) % 60000000)::BIGINT) AS created_at,
    ['free', 'team', 'pro'][(1 + hash(i * 3) % 3)::BIGINT] AS plan, (hash(i * 11) % 50)::INTEGER AS seats,
    ['de', 'fr', 'us', 'gb', 'jp'][(1 + hash(i * 5) % 5)::BIGINT] AS country
FROM range($users) t(i);
CREATE TABLE events AS SELECT
    $names[(1 + hash(i * 13) % len($names))::BIGINT] AS event,
    'u' || ($users * pow((hash(i * 17) % 1000000) / 1000000.0, 2))::BIGINT AS user_id,
    TIMESTAMP '2026-11-01' - to_seconds((hash(i * 19) % 31536000)::BIGINT) AS "at", 'm' || i AS id,
    ((hash(i * 23) % 20000) / 100.0)::DECIMAL(10, 2) AS amount,
    ['books', 'toys', 'shoes', 'food'][(1 + hash(i * 29) % 4)::BIGINT] AS category
FROM range($events) t(i) ORDER BY "at";
"""
#: What audiences ask: counts in windows, of some of the events, of none; sums; traits; the last; how many different.
SHAPES = (
    "event('{name}').within({days} days).count() >= {least}",
    "event('{name}').within({days} days).count() = 0 AND event('{other}').within(30 days).count() >= 1",
    "event('{name}').where(property('category') = '{category}').within({days} days).count() >= {least}",
    "event('Order Completed').within({days} days).sum('amount') > {amount}",
    "trait('plan') = '{plan}' AND event('{name}').within({days} days).count() >= {least}",
    "event('{name}').where(property('amount') > {amount}).within({days} days).count() >= 1 AND trait('seats') > 9",
    "event('{name}').within({days} days).last('category') = '{category}'",
    "event('{name}').within({days} days).unique('category').count() >= {least}",
    "trait('seats') >= {least} AND NOT event('{name}').count() >= 1",
    "event('Checkout Started').within({days} days).then(event('{name}').within(1 day)).count() >= 1",
)
DAYS, CATEGORIES, PLANS = (1, 7, 14, 30, 60, 90, 180), ("books", "toys", "shoes", "food"), ("free", "team", "pro")


def audiences(count: int) -> list[Definition]:
    """So many, no two alike."""
    made: list[Definition] = []
    for at in range(count):
        turn = at // len(SHAPES)
        said = SHAPES[at % len(SHAPES)].format(
            name=NAMES[(at * 7 + turn * 3) % len(NAMES)], other=NAMES[(at * 5 + turn + 4) % len(NAMES)],
            days=DAYS[(at * 3 + turn * 2) % len(DAYS)] + turn // 10, least=1 + turn % 4, amount=10 * (1 + turn),
            category=CATEGORIES[turn % 4], plan=PLANS[turn % 3],
        )  # fmt: skip
        made.append(Audience(f"d{at}", parse(said)))
    return made


def make(folder: Path, events: int, users: int) -> None:
    """A warehouse of so many events and users, and a workspace beside it."""
    (folder / "personas.toml").write_text(CONFIG)
    with duckdb.connect(folder / "warehouse.duckdb") as connection:
        names = str([*NAMES, *OTHERS])
        said = TABLES.replace("$users", str(users)).replace("$events", str(events)).replace("$names", names)
        connection.execute(said)


def members(workspace: Workspace, asked: Sequence[Definition]) -> dict[str, int]:
    """How many are in each, asked for at once."""
    return {key: found.height for key, found in workspace.members([*asked], as_of=AS_OF).items()}


def prepare(folder: Path, scale: float) -> None:
    """The company, and which audience takes longest by itself."""
    make(folder, int(EVENTS * scale), max(100, int(USERS * scale)))
    workspace, took = open_workspace(folder), list[tuple[float, int]]()
    for at, each in enumerate(audiences(DEFINITIONS)):
        before = time.process_time()
        workspace.members(each, as_of=AS_OF)
        took.append((time.process_time() - before, at))
    (folder / "dearest").write_text(str(max(took)[1]))


def _dearest(folder: Path) -> str:
    return f"d{(folder / 'dearest').read_text()}"


def ours(folder: Path) -> int:
    """The kit: all at once. How many are in the dearest."""
    return members(open_workspace(folder), audiences(DEFINITIONS))[_dearest(folder)]


def each_alone(folder: Path) -> int:
    """A statement for each."""
    workspace = open_workspace(folder)
    found = {each.key: workspace.members(each, as_of=AS_OF).height for each in audiences(DEFINITIONS)}
    return found[_dearest(folder)]


def the_dearest(folder: Path) -> int:
    """The one that takes longest, alone."""
    asked = next(each for each in audiences(DEFINITIONS) if each.key == _dearest(folder))
    return open_workspace(folder).members(asked, as_of=AS_OF).height


benchmark = Benchmark(
    title="a hundred audiences of typical shapes over 1 M events of 40 k users",
    unit="audiences",
    size=DEFINITIONS,
    prepare=prepare,
    ways={OURS: ours, "one after the other": each_alone, "the dearest alone": the_dearest},
)
