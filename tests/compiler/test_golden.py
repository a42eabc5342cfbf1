"""What a person reads: the SQL of definitions, kept as files. ``pytest tests/compiler --update-golden`` writes them."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from personas_kit.compiler import Column, Query, Source, SourceSettings, Table, bind, compile_definition
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

#: What can be done to a warehouse, reading included.
STATEMENTS = (exp.Query, exp.DDL, exp.DML, exp.Command)
AS_OF = dt.datetime(2026, 3, 31, 12, tzinfo=dt.UTC)
order = event("Order Completed")
pays = order.within(days=30).count() >= 1
REGISTRY: dict[str, Definition] = {
    "buyers": Audience("Buyers", pays),
    "big": AccountAudience("Big", order.sum("amount") > 1000),
    "listed": SqlAudience("Listed", "SELECT DISTINCT user_id FROM users WHERE plan ILIKE 'p%'"),
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
}
#: As users with these traits, for lists.
EXPANDED = {"list_of_accounts": ("plan", "birthday")}
_EVENT = (
    "event text,user_id text,anonymous_id text,timestamp timestamp,id text,amount decimal,colour text,properties json,"
    "group_id text"
)
_TABLES = {
    "users": "user_id text,plan text,seats integer,birthday date,trial_ends timestamp_tz,created_at timestamp",
    "accounts": "account_id text,plan text",
    "memberships": "user_id text,account_id text,valid_from timestamp,valid_to timestamp",
    "identifiers": "user_id text,id_type text,id_value text,first_seen_at timestamp",
    "events": _EVENT,
    "Signed-Up": "user_id text,timestamp timestamp_tz",
    "opened": "user_id text,day date",
    "claims": "userId text,order text",
    "lower case": "event text,userId text,at timestamp,Größe integer",
}
#: Their names are in any case as they are written here.
_QUOTED = {"claims", "lower case"}


def _table(name: str, *, upper: bool) -> Table:
    kinds: list[tuple[str, ColumnType]] = [tuple(each.split(" ")) for each in _TABLES[name].split(",")]  # type: ignore[misc]
    upper = upper and name not in _QUOTED
    own = name.upper() if upper and name.islower() else name
    return Table((own,), tuple(Column(each.upper() if upper else each, kind) for each, kind in kinds))


def _source(layout: str, *, upper: bool) -> Source:
    """As in Snowflake, names are upper case there; written in lower case they are found all the same."""
    schema = {table.name: table for table in (_table(name, upper=upper) for name in _TABLES)}
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


def _query(name: str, dialect: str) -> Query:
    layout, definition = DEFINITIONS[name]
    carry = EXPANDED.get(name, ())
    source = _source(layout, upper=dialect == "snowflake")
    return compile_definition(definition, source, REGISTRY, expand=bool(carry), carry=carry)


@pytest.mark.parametrize("dialect", ["duckdb", "snowflake", "postgres", "bigquery"])
@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_sql_is_what_it_was(name: str, dialect: str, request: pytest.FixtureRequest) -> None:
    sql = _query(name, dialect).sql(dialect, AS_OF)
    params = list(sql.params) if isinstance(sql.params, tuple) else dict(sql.params)
    text = f"{sql}\n\n-- executed:\n\n{sql.bound}\n\n-- with:\n-- {params}\n"
    path = Path(__file__).parents[1] / "golden" / f"{name}.{dialect}.sql"
    if request.config.getoption("--update-golden", default=False):
        path.write_text(text, encoding="utf-8", newline="\n")
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("dialect", ["duckdb", "snowflake", "postgres", "bigquery"])
@pytest.mark.parametrize("name", DEFINITIONS)
def test_what_is_written_is_one_select_and_means_the_same_read_back(name: str, dialect: str) -> None:
    sql = _query(name, dialect).sql(dialect, AS_OF)
    for text in (str(sql), sql.bound):
        (statement,) = sqlglot.parse(text, read=dialect)
        assert statement is not None
        assert {type(node) for node in statement.walk() if isinstance(node, STATEMENTS)} <= {exp.Select, exp.Subquery}
        again = sqlglot.parse_one(statement.sql(dialect), read=dialect)
        assert again.sql(dialect) == statement.sql(dialect)
        if dialect == "bigquery":  # whose ORDER BY inside ARRAY_AGG is read with, and without, where NULLs go
            again, statement = (sqlglot.parse_one(tree.sql(dialect), read=dialect) for tree in (again, statement))
        assert _bare(again) == _bare(statement)


def _bare(tree: exp.Expr) -> exp.Expr:
    """Without the parentheses, which say nothing that the tree does not."""
    for parenthesis in reversed(list(tree.find_all(exp.Paren))):
        parenthesis.replace(parenthesis.this)
    return tree


@pytest.mark.parametrize("dialect", ["duckdb", "snowflake", "postgres", "bigquery"])
@pytest.mark.parametrize("name", DEFINITIONS)
def test_no_clock_and_no_value_is_in_what_is_executed(name: str, dialect: str) -> None:
    sql = _query(name, dialect).sql(dialect, AS_OF)
    for words in (sql.upper(), sql.bound.upper()):
        assert "CURRENT_" not in words
        assert "NOW()" not in words
    for said in ("Order Completed", "Signed Up", "2026-03", "it's", "anonymous_id'"):
        assert said not in sql.bound
    if dialect == "snowflake":
        outside = re.sub(r"'[^']*'", "", sql.bound)
        assert outside.count("?") == len(sql.params)
        assert ":" not in outside
    elif dialect == "postgres":
        assert set(re.findall(r"\$(\d+)", sql.bound)) == {str(at) for at, _ in enumerate(sql.params, 1)}
    else:
        mark = "@" if dialect == "bigquery" else r"\$"
        assert set(re.findall(rf"{mark}(p\d+)", sql.bound)) == set(sql.params)


def test_the_instant_stands_in_one_place() -> None:
    sql = _query("any_user", "duckdb").sql("duckdb", AS_OF)
    assert sql.count("2026-03-31 12:00:00") == 1
    assert str(sql).startswith("WITH moment AS (")


def test_a_notebook_sees_colours_without_style_sheets() -> None:
    shown = _query("where", "duckdb").sql("duckdb", AS_OF)._repr_html_()
    assert "style=" in shown
    assert 'class="k"' not in shown
    assert "<script" not in shown
