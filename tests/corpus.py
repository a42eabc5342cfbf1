"""The corpus: definitions of every kind, over seven layouts of a source. Their SQL is kept; every warehouse runs it."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence

from personas_kit.compiler import Column, Source, SourceSettings, Table, bind
from personas_kit.compiler.settings import (
    AccountSettings,
    EventSettings,
    IdentitySettings,
    MembershipSettings,
    UserSettings,
)
from personas_kit.compiler.source import ColumnType
from personas_kit.definitions.definition import (
    AccountAudience,
    AccountTrait,
    Audience,
    Definition,
    SqlAudience,
    SqlTrait,
    Trait,
)
from personas_kit.definitions.vocabulary import (
    account_trait,
    all_users,
    any_user,
    event,
    holdout,
    in_audience,
    no_user,
    prop,
    split,
    top,
    trait,
    users,
)

AS_OF = dt.datetime(2026, 3, 31, 12, tzinfo=dt.UTC)
order = event("Order Completed")
pays = order.within(days=30).count() >= 1
REGISTRY: dict[str, Definition] = {
    "buyers": Audience("Buyers", pays),
    "big": AccountAudience("Big", order.sum("amount") > 1000),
    "listed": SqlAudience("Listed", "SELECT DISTINCT user_id FROM users WHERE plan ILIKE 'p%'"),
    "rich": SqlAudience("Rich", "SELECT account_id FROM accounts WHERE seats > 1", of="account"),
    "usual": Trait("Usual", order.avg("amount")),
}
DEFINITIONS: dict[str, tuple[str, Definition]] = {
    "order_completed_last_30days": ("plain", Audience("A", pays)),
    "did_not": ("plain", Audience("A", order.within(hours=36).count() < 1)),
    "between": ("plain", Audience("A", order.between(days=(90, 30)).count() >= 2)),
    "where": (
        "plain",
        Audience("A", order.where((prop("amount") > 9.5) & ~prop("colour").contains("red", "%")).count() > 0),
    ),
    "traits": (
        "plain",
        Audience("A", ((trait("plan") == "it's") | (trait("seats") >= 5)) & trait("plan").none_of("x", "y")),
    ),
    "dates": ("plain", Audience("A", trait("birthday").before("2000-01-01") & trait("trial_ends").within_next(days=3))),
    "inlined": ("plain", Audience("A", ~in_audience("buyers") & in_audience("big"))),
    "sum": ("plain", Trait("T", order.sum("amount"))),
    "average": ("plain", Trait("T", order.within(days=7).avg("amount"))),
    "first": ("plain", Trait("T", order.first("colour"))),
    "most_frequent": ("plain", Trait("T", order.most_frequent("colour"))),
    "unique": ("plain", Trait("T", order.unique("colour"))),
    "unique_count": ("plain", Trait("T", order.unique("colour").count())),
    "any_user": ("full", AccountAudience("A", any_user(pays))),
    "all_users": ("full", AccountAudience("A", all_users(pays) & (trait("plan") == "pro"))),
    "no_user": ("full", AccountAudience("A", no_user(pays & (trait("plan") == "pro")))),
    "account_sum": ("full", AccountTrait("T", order.sum("amount"))),
    "account_of_user": ("full", Audience("A", pays & (account_trait("plan") == "pro"))),
    "json": ("json", Audience("A", order.where(prop("cart.size", "number") >= 2).sum("amount") > 100)),
    "json_dates": (
        "json",
        Audience("A", order.where((prop("on", "date") > dt.date(2026, 3, 1)) & (prop("new").one_of(True))).count() > 0),  # noqa: FBT003
    ),
    "json_compared": ("json", Audience("A", (order.last("plan") == "pro") & (order.last("cart.size") > 2))),
    "own_table": ("tables", Audience("A", event("Signed Up").within(days=7).count() >= 1)),
    "whole_days": ("days", Audience("A", event("Opened").between(days=(14, 7)).count() == 0)),
    "odd_names": (
        "odd",
        Audience("A", (trait("order") == "a\\b\n'c'") & (event('Say "hi"; --').last("Größe").exists())),
    ),
    "all_but_some": ("full", AccountAudience("A", all_users(~pays) | ~any_user(account_trait("plan").exists()))),
    "funnel": (
        "plain",
        Audience("A", order.within(days=90).then(event("Order Returned").within(days=7)).count() >= 1),
    ),
    "funnel_not": ("full", Audience("A", order.not_then(event("Order Returned").within(hours=36)).count() >= 2)),
    "funnel_of_three": (
        "plain",
        Trait("T", order.then(event("Order Returned").within(days=7)).not_then(order.within(days=3)).last("colour")),
    ),
    "funnel_parent": (
        "json",
        Audience(
            "A",
            order.where(
                event("Order Returned")
                .where(prop("sku") == prop(parent="sku"))
                .between(days=(1, 5), parent=True)
                .sum("amount")
                > 10
            ).count()
            > 0,
        ),
    ),
    "of_the_user": (
        "plain",
        Audience("A", order.where((prop("colour") == trait("plan")) & in_audience("buyers")).count() >= 1),
    ),
    "whatever_case": (
        "plain",
        Audience(
            "A", trait("plan").equals("PRO", ignore_case=True) | trait("plan").contains("x_", "y", ignore_case=True)
        ),
    ),
    "two_values": ("plain", Audience("A", order.count() > event("Order Returned").count())),
    "some_users": (
        "full",
        AccountAudience("A", (users().where(pays).count() >= 3) & (users().share(trait("plan") == "pro") >= 0.5)),
    ),
    "users_reduced": ("full", AccountTrait("T", users().where(pays).most_frequent("plan", at_least=2))),
    "then_members": ("full", AccountTrait("T", order.sum("amount"), membership="at_event")),
    "named_account": ("named", AccountAudience("A", any_user(order.count() >= 5), scope="event")),
    "top": ("full", Audience("A", top(100, by=order.sum("amount"), of=pays))),
    "split": ("full", Audience("A", pays & split("spring", (25, 50)) & ~holdout("all", 10, by="account"))),
    "unless": ("plain", Audience("A", pays, unless=trait("plan") == "none")),
    "json_list": ("json", Audience("A", order.where(prop("tags", "list").contains("a", "b")).count() >= 1)),
    "list_elements": ("json", Trait("T", order.unique(prop("tags", "list")))),
    "own_sql": (
        "plain",
        Audience("A", pays & in_audience("listed")),
    ),
    "own_value": (
        "plain",
        SqlTrait("T", "SELECT user_id, COUNT(*) AS value FROM events WHERE timestamp < :as_of GROUP BY user_id"),
    ),
    "list_of_accounts": ("full", AccountAudience("A", (trait("plan") == "pro") & any_user(trait("seats") > 1))),
    "every_text": (
        "plain",
        Audience(
            "A",
            trait("plan").starts_with("p")
            | trait("plan").ends_with("%", ignore_case=True)
            | (trait("plan").omits("o") & trait("plan").exists()),
        ),
    ),
    "every_number": (
        "plain",
        Audience("A", (trait("seats").one_of(1, 3, 5) | (trait("seats") > 6)) & trait("seats").none_of(5)),
    ),
    "every_date": (
        "plain",
        Audience(
            "A",
            trait("created_at").before_last(days=300)
            | (trait("trial_ends").after_next(hours=36) & trait("birthday").after("1990-05-17"))
            | trait("created_at").within_last(days=60),
        ),
    ),
    "truth_values": ("plain", Audience("A", (trait("active") == True) | trait("active").absent())),  # noqa: E712
    "neither": ("plain", Audience("A", ~(pays | (trait("plan") == "pro")))),
    "newest": ("plain", Audience("A", order.max("timestamp").before_last(days=10) & (order.min("amount") < 20))),
    "last_id": ("full", Trait("T", order.last("id"))),
    "texts_in_order": ("plain", Audience("A", (order.min("colour") < "b") | (trait("plan") >= "pro"))),
    "accounts_of_users": (
        "full",
        Audience("A", (account_trait("seats") >= 3) & ~(account_trait("plan") == "free")),
    ),
    "account_values": ("full", AccountAudience("A", trait("seats") <= users().count())),
    "mean_of_users": ("full", AccountTrait("T", users().avg(order.sum("amount")))),
    "plans_of_users": ("full", AccountTrait("T", users().unique("plan"))),
    "smallest_accounts": (
        "full",
        AccountAudience("A", top(2, by=order.count(), of=any_user(trait("plan").exists()), smallest=True)),
    ),
    "arm_of_accounts": ("full", AccountAudience("A", split("spring", (0, 60)) & ~holdout("all", 10))),
    "kept_out": (
        "full",
        AccountAudience("A", any_user(pays), unless=trait("plan") == "free", unless_user=trait("plan") == "team"),
    ),
    "json_truths": (
        "json",
        Audience("A", order.where(prop("new").exists() & ~(prop("new") == True)).count() >= 1),  # noqa: E712
    ),
    "json_values": ("json", Trait("T", order.unique("sku"))),
    "funnel_then": (
        "full",
        AccountTrait("T", order.then(event("Order Returned").within(days=20)).count(), membership="at_event"),
    ),
    "computed_inside": (
        "plain",
        Audience("A", order.where(prop("amount") >= trait("usual")).within(days=60).count() >= 1),
    ),
    "listed_accounts": ("full", AccountAudience("A", in_audience("rich") & ~in_audience("big"))),
    "weekly": ("days", Trait("T", event("Opened").within(days=28).count())),
}
#: As users with these traits, for lists.
EXPANDED = {"list_of_accounts": ("plan", "birthday"), "kept_out": ("plan",)}
EVENT = (
    "event text,user_id text,anonymous_id text,timestamp timestamp,id text,amount decimal,colour text,properties json,"
    "group_id text"
)
TABLES = {
    "users": (
        "user_id text,plan text,seats integer,birthday date,trial_ends timestamp_tz,created_at timestamp,active boolean"
    ),
    "accounts": "account_id text,plan text,seats integer",
    "memberships": "user_id text,account_id text,valid_from timestamp,valid_to timestamp",
    "identifiers": "user_id text,id_type text,id_value text,first_seen_at timestamp",
    "events": EVENT,
    "Signed-Up": "user_id text,timestamp timestamp_tz",
    "opened": "user_id text,day date",
    "claims": "userId text,order text",
    "lower case": "event text,userId text,at timestamp,Größe integer",
}
#: Their names are in any case as they are written here.
QUOTED = {"claims", "lower case"}


def table_of(name: str, *, upper: bool) -> Table:
    kinds: list[tuple[str, ColumnType]] = [tuple(each.split(" ")) for each in TABLES[name].split(",")]  # type: ignore[misc]
    upper = upper and name not in QUOTED
    own = name.upper() if upper and name.islower() else name
    return Table((own,), tuple(Column(each.upper() if upper else each, kind) for each, kind in kinds))


def source_of(layout: str, *, upper: bool) -> Source:
    """As in Snowflake, names are upper case there; written in lower case they are found all the same."""
    schema = {table.name: table for table in (table_of(name, upper=upper) for name in TABLES)}
    one = EventSettings("events", name="event", at="timestamp", user="user_id", anonymous="anonymous_id", id="id")
    accounts, memberships, identities = None, None, None
    users = UserSettings("users", "user_id", "created_at" if layout == "full" else "")
    accounts = AccountSettings("accounts", "account_id")
    memberships = MembershipSettings("memberships", "user_id", "account_id", "valid_from", "valid_to")
    events = EventSettings("events", name="event", at="timestamp", user="user_id", id="id")
    if layout == "full":
        identities, events = IdentitySettings("identifiers", "user_id", "id_value", "id_type", "first_seen_at"), one
    if layout == "named":
        events = EventSettings("events", name="event", at="timestamp", user="user_id", id="id", account="group_id")
    if layout == "json":
        events = EventSettings("events", name="event", at="timestamp", user="user_id", properties="properties")
    if layout == "tables":
        events = EventSettings(tables={"Signed Up": "signed-up"}, at="timestamp", user="user_id")
    if layout == "days":
        events = EventSettings(tables={"Opened": "opened"}, at="day", user="user_id")
    if layout == "odd":
        users, accounts, memberships = UserSettings("claims", "userid"), None, None
        events = EventSettings("lower case", name="event", at="at", user="userid")
    zone = "Europe/Prague" if layout == "days" else ""
    return bind(SourceSettings(zone, "", users, accounts, memberships, identities, events), schema)


# ------------------------------------------------------------------------------------------------------------ its lines

Cell = str | int | float | bool | dt.date | dt.datetime | dict[str, object] | None
ODD = "a\\b\n'c'"
FEW = ["few1", "few2"]
"""Users of one small account of theirs."""
PLANS = ["pro", "pro", "pro", "pro", "free", "team", "Pro", "it's", "50%", ODD, "Größe", "", None]
COLOURS = ["red", "blue", "Blue", "50%", "b", "é", "\U0001f389", None]


def lines() -> dict[str, list[tuple[Cell, ...]]]:
    """The lines of every table: the same in every warehouse, around the edges of the windows above."""
    chance = random.Random(7)  # noqa: S311  (the same everywhere is the point)

    def some(values: Sequence[Cell]) -> Cell:
        return chance.choice(values)

    def ago(*, most: int = 120) -> dt.datetime:
        days, off = chance.randrange(most), chance.choice([0, 0, 1, -1, 3600, 40_000])
        return AS_OF.replace(tzinfo=None) - dt.timedelta(days=days, seconds=off)

    people, accounts = [f"u{at}" for at in range(30)], [f"a{at}" for at in range(6)]
    busy, quiet = ["u0", "u1", "u2"] * 6, [f"u{at}" for at in range(30, 40)]
    found: dict[str, list[tuple[Cell, ...]]] = {
        "users": [
            (
                who,
                some(PLANS),
                some([None, *range(9)]),
                some([dt.date(1980, 2, 29), dt.date(1990, 5, 17), dt.date(2001, 1, 1), None]),
                some([AS_OF + dt.timedelta(hours=hours) for hours in (-1, 0, 24, 72, 73)]),
                some([ago(), ago(most=900), None]),
                some([True, False, None]),
            )
            for who in (*people, *quiet)
        ]
        + [(who, "pro", 3, None, None, None, True) for who in FEW],
        "accounts": [("a6", "pro", 2)]
        + [(one, some(["pro", "free", None]), some([1, 2, 3, 5, None])) for one in accounts],
        "memberships": [
            (some(people), some(accounts), some([ago(), None]), some([ago(), AS_OF.replace(tzinfo=None), None, None]))
            for _ in range(60)
        ]
        + [(who, "a6", None, None) for who in FEW],
        "identifiers": [
            (some(people), some(["anonymous_id", "anonymous_id", "email"]), f"x{at % 12}", some([ago(), None]))
            for at in range(30)
        ],
        "Signed-Up": [(some(people), ago(most=20).replace(tzinfo=dt.UTC)) for _ in range(20)],
        "opened": [(some(people), ago(most=40).date()) for _ in range(40)],
        "claims": [("u0", ODD), *((who, some(PLANS)) for who in people[1:])],
        "lower case": [
            (some(['Say "hi"; --', "other"]), some([*people, "u0", "u0"]), ago(), some([None, 1, 2])) for _ in range(60)
        ],
    }
    found["events"] = [
        (
            some(["Order Completed", "Order Completed", "Order Returned", "Signed In"]),
            some([*people, *busy, None]),
            f"x{chance.randrange(14)}",
            ago(),
            f"e{at % 380}",
            some([None, 5, 9.5, 10, 20.25, 200]),
            some(COLOURS),
            {
                "amount": some([None, 5, 60.5, "many"]),
                "cart": {"size": some([None, 1, 2, 3])},
                "on": some(["2026-03-01", "2026-03-02", "soon", None]),
                "new": some([True, False, None]),
                "plan": some(["pro", "free"]),
                "sku": some(["s1", "s2", None]),
                "tags": [each for each in ("a", "b", "c") if chance.random() < 0.1],
            },
            some([*accounts, *["a0"] * 6, None]),
        )
        for at in range(400)
    ]
    for who in FEW:
        for name, days in (("Order Completed", 10), ("Order Returned", 8), ("Order Completed", 2)):
            at, document = AS_OF.replace(tzinfo=None) - dt.timedelta(days=days), {"amount": 60.5, "sku": "s1"}
            found["events"].append((name, who, None, at, f"{who} {days}", 12, "red", document, None))
    return found
