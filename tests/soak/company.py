"""The demo's company at a small size, in which time passes: what the warehouse holds, hour by hour.

The generated company is cut down to the users of some accounts. What it would do until its last day is kept back, and
arrives when its time has come: most of it at once, some late, some twice with one id. Besides that users change, become
one, and go; memberships move; accounts disappear. The seed of the story decides all of it, the company is the same.
"""

from __future__ import annotations

import datetime as dt
import functools
import random

import duckdb
import polars as pl

from personas_kit.company.generate import make_tables

BEGIN = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
LAST = BEGIN + dt.timedelta(days=34)
TABLES = ("users", "accounts", "memberships", "identifiers", "events")
LATE, TWICE = 0.10, 0.04
OLDEST = dt.timedelta(days=40)


def naive(instant: dt.datetime) -> dt.datetime:
    """As the tables have it: UTC, without saying so."""
    return instant.astimezone(dt.UTC).replace(tzinfo=None)


class Company:
    """The warehouse, in the memory of DuckDB.

    Args:
        some: chance.
        users: about how many there are.
        begin: when the story begins.

    Attributes:
        merged: users that became part of others, and these: old -> new.
        moved: e-mail addresses that were changed, for the diary.
    """

    def __init__(self, some: random.Random, users: int, begin: dt.datetime = BEGIN) -> None:
        self.some, self.merged = some, dict[str, str]()
        self.tables = duckdb.connect(config={"threads": 1})  # several hand over lines in an order of chance
        self._coming = {name: self._arriving(name, frame) for name, frame in _cut(users).items()}
        self._beats, self._next = 0, dict.fromkeys(TABLES, 0)
        for name, frame in self._coming.items():
            self.tables.register("shape", frame.drop("arrives").clear())
            self.tables.execute(f"create table {name} as from shape")
            self.tables.unregister("shape")
        self.arrive(begin)

    def ask(self, statement: str, **given: object) -> list[tuple]:
        """Lines of the tables."""
        return self.tables.execute(statement, given).fetchall()

    # --- what arrives ------------------------------------------------------------------------------------------------

    def arrive(self, now: dt.datetime) -> None:
        """What has come by now; and somebody unknown looks at a page, so that the source is never silent."""
        for name, frame in self._coming.items():
            start, stop = self._next[name], int(frame["arrives"].search_sorted(naive(now), side="right"))
            if stop > start:
                self._insert(name, frame[start:stop].drop("arrives"))
                self._next[name] = stop
        self._beats += 1
        self.tables.execute(
            "insert into events (message_id, event, timestamp, anonymous_id) values (?, 'Page Viewed', ?, 'an_nobody')",
            [f"beat_{self._beats}", naive(now)],
        )

    def _insert(self, name: str, frame: pl.DataFrame) -> None:
        """New lines. What is told of a user who became part of another one is told of that one."""
        if self.merged and "user_id" in frame.columns:
            frame = frame.with_columns(pl.col("user_id").replace({old: self.who(old) for old in self.merged}))
        self.tables.register("more", frame)
        self.tables.execute(f"insert into {name} from more")
        self.tables.unregister("more")

    def who(self, user: str) -> str:
        """Who a user has become."""
        while user in self.merged:
            user = self.merged[user]
        return user

    def _arriving(self, name: str, frame: pl.DataFrame) -> pl.DataFrame:
        """With when each line arrives, in that order."""
        at = {"users": "created_at", "accounts": "created_at", "memberships": "valid_from"}
        begins = frame[at.get(name, "first_seen_at" if name == "identifiers" else "timestamp")]
        if name != "events":
            return frame.with_columns(arrives=begins).sort("arrives", maintain_order=True)
        chance = random.Random(self.some.random())  # noqa: S311  (chance, not secrecy)
        late = [dt.timedelta(hours=chance.uniform(0, 30) if chance.random() < LATE else 0) for _ in range(frame.height)]
        once = frame.with_columns(arrives=begins + pl.Series(late, dtype=pl.Duration("us")))
        again = once.filter(pl.Series([chance.random() < TWICE for _ in range(frame.height)]))
        waits = [dt.timedelta(hours=chance.uniform(0, 50)) for _ in range(again.height)]
        twice = again.with_columns(arrives=pl.col("arrives") + pl.Series(waits, dtype=pl.Duration("us")))
        return pl.concat([once, twice]).sort("arrives", maintain_order=True)

    # --- what changes ------------------------------------------------------------------------------------------------

    def live(self, now: dt.datetime) -> list[str]:
        """An hour of other things: what happened, for the diary."""
        happened = []
        for what, share in (
            (self._changes, 0.5), (self._withdraws, 0.1), (self._moves_house, 0.15), (self._joins_another, 0.2),
            (self._become_one, 0.06), (self._goes, 0.05), (self._account_goes, 0.01),
        ):  # fmt: skip
            if self.some.random() < share:
                happened.append(what(naive(now)))
        return happened

    def _one(self, table: str, column: str) -> str:
        return self.some.choice([line[0] for line in self.ask(f"select distinct {column} from {table} order by 1")])

    def _changes(self, _: dt.datetime) -> str:
        user, role = self._one("users", "user_id"), self.some.choice(["member", "buyer", "admin", "owner"])
        self.ask("update users set role = $role where user_id = $user", role=role, user=user)
        return f"{user} is {role}"

    def _withdraws(self, _: dt.datetime) -> str:
        user = self._one("users", "user_id")
        self.ask("update users set marketing_consent = not marketing_consent where user_id = $user", user=user)
        return f"{user} changes the consent"

    def _moves_house(self, _: dt.datetime) -> str:
        """A new address; that of somebody else, or none, now and then."""
        user, chance = self._one("users", "user_id"), self.some.random()
        email: str | None = f"{user}.{self.some.randrange(10**6)}@Example.com"
        if chance < 0.3:
            email = self._one("(select email from users where email is not null)", "email")
        elif chance < 0.4:
            email = None
        self.ask("update users set email = $email where user_id = $user", email=email, user=user)
        return f"{user} has another address"

    def _joins_another(self, now: dt.datetime) -> str:
        user, account = self._one("users", "user_id"), self._one("accounts", "account_id")
        if self.some.random() < 0.7:
            end = "update memberships set valid_to = $now where user_id = $user and valid_to is null"
            self.ask(end, now=now, user=user)
        self.ask("delete from memberships where user_id = $user and account_id = $account", user=user, account=account)
        self.ask("insert into memberships values ($user, $account, $now, null)", user=user, account=account, now=now)
        return f"{user} belongs to {account}"

    def _become_one(self, now: dt.datetime) -> str:
        """Two users are one: of the older id only an identifier of the other's is left."""
        old, new = (line[0] for line in self.some.sample(self.ask("select user_id from users order by 1"), 2))
        self.merged[old] = new
        there = "select account_id from memberships where user_id = $new"
        self.ask(f"delete from memberships where user_id = $old and account_id in ({there})", old=old, new=new)
        for table in ("memberships", "identifiers", "events"):
            self.ask(f"update {table} set user_id = $new where user_id = $old", old=old, new=new)
        self.ask("delete from users where user_id = $old", old=old)
        self.ask("insert into identifiers values ($new, 'user_id', $old, $now)", new=new, old=old, now=now)
        return f"{old} is part of {new}"

    def _goes(self, _: dt.datetime) -> str:
        user = self._one("users", "user_id")
        self.ask("delete from users where user_id = $user", user=user)
        return f"{user} is gone"

    def _account_goes(self, _: dt.datetime) -> str:
        account = self._one("accounts", "account_id")
        self.ask("delete from accounts where account_id = $account", account=account)
        return f"{account} is gone"


@functools.cache
def _generated() -> dict[str, pl.DataFrame]:
    return make_tables(seed=7, events=800_000, as_of=LAST)


@functools.cache
def _cut(users: int) -> dict[str, pl.DataFrame]:
    """The users of the first accounts, and what belongs to them."""
    tables = _generated()
    sizes = tables["memberships"].group_by("account_id").len().sort("account_id")
    kept = sizes.filter(pl.col("len").is_between(3, 60)).with_columns(total=pl.col("len").cum_sum())
    accounts = kept.filter(pl.col("total") <= users)["account_id"]
    people = tables["memberships"].filter(pl.col("account_id").is_in(accounts.implode()))["user_id"].unique()
    mine, theirs = pl.col("user_id").is_in(people.implode()), pl.col("account_id").is_in(accounts.implode())
    return {
        "users": tables["users"].filter(mine),
        "accounts": tables["accounts"].filter(theirs),
        "memberships": tables["memberships"].filter(mine & theirs),
        "identifiers": tables["identifiers"].filter(mine),
        "events": tables["events"].filter(mine & (pl.col("timestamp") > naive(BEGIN - OLDEST))),
    }
