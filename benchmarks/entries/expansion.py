"""From the accounts that match to their users, each with the accounts that brought it in, by the public path.

The kit opens the workspace, asks for the memberships of the accounts that match, and brings them together. Beside it
stands the statement that a person would write. (pandas takes some ten times as long as that, and is left out.)
"""

from pathlib import Path

import duckdb

from benchmarks.entry import OURS, Benchmark, Goal
from benchmarks.workspaces import WAREHOUSE
from personas_kit.opening import open_workspace

MEMBERSHIPS, OF_A_USER, OF_AN_ACCOUNT = 10_000_000, 2, 20
CONFIG = """
[warehouse]
path = "warehouse.duckdb"

[source]
users       = { table = "users", id = "user_id" }
accounts    = { table = "accounts", id = "account_id" }
memberships = { table = "memberships", user = "user_id", account = "account_id" }

[[account_audience]]
name  = "Paying"
where = "trait('plan') = 'pro'"
"""
PAIRS = "select user_id, account_id from memberships join accounts using (account_id) where plan = 'pro'"


def prepare(folder: Path, scale: float) -> None:
    """Users of one to three accounts each; nine of ten accounts match."""
    count = max(100, int(MEMBERSHIPS * scale))
    users, accounts = count // OF_A_USER, count // OF_AN_ACCOUNT
    (folder / "personas.toml").write_text(CONFIG, encoding="utf-8")
    with duckdb.connect(str(folder / WAREHOUSE)) as warehouse:
        warehouse.execute(f"""
            create table users as select 'user_' || n as user_id from range({users}) t(n);
            create table accounts as
            select 'account_' || n as account_id, if(n % 10 = 0, 'free', 'pro') as plan from range({accounts}) t(n);
            create table memberships as
            select 'user_' || (n % {users}) as user_id, 'account_' || (hash(n) % {accounts}) as account_id
            from range({count}) t(n) order by hash(n + 1);
        """)


def ours(folder: Path) -> list[int]:
    """The kit: how many users there are, and how many accounts brought them in."""
    found = open_workspace(folder).members("paying", expand="users")
    return [found.height, int(found["accounts"].list.len().sum())]


def by_hand(folder: Path) -> list[int]:
    """One statement."""
    statement = f"select user_id, list_sort(list(distinct account_id)) as accounts from ({PAIRS}) group by user_id"
    with duckdb.connect(str(folder / WAREHOUSE), read_only=True) as warehouse:
        found = warehouse.sql(statement).pl()
    return [found.height, int(found["accounts"].list.len().sum())]


benchmark = Benchmark(
    title="the users of 500 k accounts, by 10 M memberships",
    unit="memberships",
    size=MEMBERSHIPS,
    prepare=prepare,
    ways={OURS: ours, "sql by hand": by_hand},
    rounds=1,
    goals=(
        Goal(text="accounts to users, 10 M memberships", peer="sql by hand"),
        Goal(text="accounts to users, 10 M memberships", peer="sql by hand", of="memory"),
    ),
)
