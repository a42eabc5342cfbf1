"""docs/constructs.md: every construct of the language, in Python, as text, as a sentence, and as SQL."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import personas_kit as pk
from personas_kit.compiler import Column, Source, SourceSettings, Table, bind, compile_definition
from personas_kit.compiler.settings import AccountSettings, EventSettings, MembershipSettings, UserSettings
from personas_kit.definitions import Definition

AS_OF = dt.datetime(2026, 10, 31, tzinfo=dt.UTC)
TABLES = {
    "users": "user_id text,country text,plan text,seats integer,trial_ends timestamp,active boolean,tags list",
    "accounts": "account_id text,plan text,seats integer",
    "memberships": "user_id text,account_id text,valid_from timestamp,valid_to timestamp",
    "events": (
        "event text,user_id text,group_id text,timestamp timestamp,id text,revenue decimal,shipping decimal,"
        "product text,order_id text,tags list"
    ),
    "scores": "user_id text,account_id text,score integer,at timestamp",
}


@dataclass(frozen=True)
class Example:
    """One construct: what it is for, and how it is written in Python: a condition, a value, or a definition of it."""

    about: str
    python: str
    kind: str = ""

    @property
    def definition(self) -> Definition:
        """What the Python makes, with every public name at hand."""
        names = {name: getattr(pk, name) for name in pk.__all__ if name not in {"open", "demo"}}
        made = eval(f"({self.python})", {**names, "pk": pk})  # noqa: S307  (written below)
        whole: Definition = getattr(pk, self.kind)("A", made) if self.kind else made
        return whole


def source() -> Source:
    """The tables of the page."""
    tables = {
        name: Table((name,), tuple(Column(*each.split(" ")) for each in columns.split(",")))  # type: ignore[arg-type]
        for name, columns in TABLES.items()
    }
    settings = SourceSettings(
        users=UserSettings("users", "user_id"),
        accounts=AccountSettings("accounts", "account_id"),
        memberships=MembershipSettings("memberships", "user_id", "account_id", "valid_from", "valid_to"),
        events=EventSettings("events", name="event", at="timestamp", user="user_id", account="group_id", id="id"),
    )
    return bind(settings, tables)


def _a(about: str, condition: str) -> Example:
    return Example(about, condition, "Audience")


def _account(about: str, condition: str) -> Example:
    return Example(about, condition, "AccountAudience")


def _t(about: str, value: str) -> Example:
    return Example(about, value, "Trait")


def _account_t(about: str, value: str) -> Example:
    return Example(about, value, "AccountTrait")


ORDER = 'event("Order Completed")'
PARTS: dict[str, list[Example]] = {
    "Events that are counted": [
        _a("At least once, ever", f"{ORDER}.count() >= 1"),
        _a("In a window that ends now", f"{ORDER}.within(days=30).count() >= 2"),
        _a("In a window that ended: never, in the second month back", f"{ORDER}.between(days=(60, 30)).count() == 0"),
        _a("Only those with a property", f'{ORDER}.where(prop("revenue") >= 100).count() >= 1'),
        _a("Properties compared with each other", f'{ORDER}.where(prop("shipping") > prop("revenue")).count() >= 1'),
        _a(
            "With a trait of the user whose event it is",
            f'{ORDER}.where(prop("product") == trait("plan")).count() >= 1',
        ),
        _a("With a list among the properties", f'{ORDER}.where(prop("tags", "list").contains("gift")).count() >= 1'),
    ],
    "Values of events": [
        _t("How many", f"{ORDER}.within(days=90).count()"),
        _t("A sum; `avg`, `min` and `max` are alike", f'{ORDER}.within(days=90).sum("revenue")'),
        _t("A mean", f'{ORDER}.avg("revenue")'),
        _t("The smallest", f'{ORDER}.min("revenue")'),
        _t("The largest", f'{ORDER}.max("revenue")'),
        _t("Of the first event", f'{ORDER}.first("product")'),
        _t("Of the last event", f'{ORDER}.last("product")'),
        _t("The most frequent, if it came so often", f'{ORDER}.most_frequent("product", at_least=3)'),
        _t("All different ones, as a list", f'{ORDER}.unique("product")'),
        _t("How many different ones", f'{ORDER}.unique("product").count()'),
        _a("Every value can be compared", f'{ORDER}.last("product") == "Chair"'),
    ],
    "Traits": [
        _a(
            "Equal; `!=` does not hold where the value is missing",
            '(trait("plan") == "pro") & (trait("country") != "US")',
        ),
        _a("Larger and smaller", '(trait("seats") > 1) & (trait("seats") <= 10) & (trait("seats") < 9)'),
        _a(
            "One of several, none of several",
            'trait("plan").one_of("pro", "team") & trait("country").none_of("US", "CA")',
        ),
        _a("There, or missing", 'trait("plan").exists() | trait("seats").absent()'),
        _a("Parts of texts", 'trait("plan").starts_with("p") & trait("plan").ends_with("o")'),
        _a("Parts of texts, whatever their case", 'trait("plan").contains("pro", "team", ignore_case=True)'),
        _a("Without a part", 'trait("plan").omits("trial")'),
        _a("Truth values", 'trait("active") == True'),
        _a("Elements of lists", 'trait("tags").contains("beta")'),
        _a(
            "Before and after an instant",
            'trait("trial_ends").after("2026-01-01") & trait("trial_ends").before("2027-01-01")',
        ),
        _a(
            "Within the last, or the next, so many days",
            'trait("trial_ends").within_last(days=7) | trait("trial_ends").within_next(days=7)',
        ),
        _a(
            "Longer ago, or later, than so many days",
            'trait("trial_ends").before_last(days=30) | trait("trial_ends").after_next(days=30)',
        ),
    ],
    "Together": [
        _a("Both", f'({ORDER}.count() >= 1) & (trait("plan") == "pro")'),
        _a("One of them", f'({ORDER}.count() >= 1) | (trait("plan") == "pro")'),
        _a("Not: exactly those for whom it does not hold", f"~({ORDER}.count() >= 1)"),
        _a("One without the other", f'(trait("plan") == "pro").except_({ORDER}.count() >= 1)'),
        _a("Another audience, by its key", 'in_audience("buyers") & (trait("country") == "US")'),
        Example(
            "Kept out, whatever else holds",
            f'pk.Audience("Buyers abroad", {ORDER}.count() >= 1, unless=trait("country") == "US")',
        ),
        _a("A computed trait, by its key", 'trait("spent") >= 500'),
    ],
    "What follows an event": [
        _a("Followed by another within a week", f'{ORDER}.then(event("Order Returned").within(days=7)).count() >= 1'),
        _a("Not followed by another", f'{ORDER}.not_then(event("Order Returned").within(days=7)).count() >= 1'),
        _a(
            "Followed by one of the same order",
            f'{ORDER}.then(event("Order Returned").where(prop("order_id") == prop(parent="order_id"))).count() >= 1',
        ),
    ],
    "Accounts": [
        _account("At least one of the users", f"any_user({ORDER}.within(days=30).count() >= 1)"),
        _account("All of them, and there are some", 'all_users(trait("active") == True)'),
        _account("None of them", f"no_user({ORDER}.count() >= 1)"),
        _account(
            "Its own traits, and events of all its users together",
            f'(trait("plan") == "pro") & ({ORDER}.sum("revenue") >= 1000)',
        ),
        _account("So many users", f"users().where({ORDER}.count() >= 1).count() >= 3"),
        _account("A share of the users", f"users().share({ORDER}.count() >= 1) >= 0.5"),
        _account_t(
            "A mean of the users; `sum`, `min`, `max`, `unique` and `most_frequent` are alike",
            'users().avg("seats")',
        ),
        Example("Events that name the account", f'pk.AccountTrait("Orders", {ORDER}.count(), scope="event")'),
        Example(
            "Events of those who were members then",
            f'pk.AccountTrait("Revenue", {ORDER}.sum("revenue"), membership="at_event")',
        ),
        _a("Of users: a trait of one of their accounts", 'account_trait("plan") == "pro"'),
        Example(
            "Kept out wherever the audience becomes users",
            f'pk.AccountAudience("Buying", any_user({ORDER}.count() >= 1), unless_user=trait("country") == "US")',
        ),
    ],
    "Choosing some": [
        _a("The largest", f'top(100, by={ORDER}.sum("revenue"), of=trait("active") == True)'),
        _a("One arm of an experiment", '(trait("active") == True) & split("spring", (0, 50))'),
        _a("All but those who are held out", '(trait("active") == True) & ~holdout("spring", 10)'),
    ],
    "SQL of one's own": [
        Example(
            "An audience",
            'pk.SqlAudience("Scored", "SELECT DISTINCT user_id FROM scores WHERE score > 7 AND at <= :as_of")',
        ),
        Example(
            "A trait",
            'pk.SqlTrait("Best", "SELECT user_id, MAX(score) AS value '
            'FROM scores WHERE at <= :as_of GROUP BY user_id")',
        ),
    ],
}  # fmt: skip
REGISTRY: dict[str, Definition] = {
    "buyers": Example("", f'pk.Audience("Buyers", {ORDER}.count() >= 1)').definition,
    "spent": Example("", f'pk.Trait("Spent", {ORDER}.sum("revenue"))').definition,
}

HEAD = """\
# Every construct, with its SQL

Made by the tests from the examples of `tests/docs/constructs.py`; `pytest tests/docs --update-golden` writes it anew.
[The language](language.md) says what they mean. The SQL is DuckDB's, as `ws.sql(x)` shows it, with `as_of` 2026-10-31;
when it is run, every value is bound. `ws.sql(x, dialect="snowflake")` shows another one, and
[`tests/golden`](../tests/golden) holds four dialects of many more definitions.

The tables are `users`, `accounts`, `memberships` and `events`, with the columns that you see. A condition is an
audience (`pk.Audience(name, condition)`), a value is a trait (`pk.Trait(name, value)`); those below *Accounts* are of
accounts (`pk.AccountAudience`, `pk.AccountTrait`).
`event`, `trait`, `prop` and the like come from `personas_kit`, which is `pk`.
"""


def page() -> str:
    """The text of the page."""
    parts = [f"## {part}\n\n" + "\n".join(_section(each) for each in examples) for part, examples in PARTS.items()]
    return HEAD + "\n" + "\n".join(parts)


def _section(example: Example) -> str:
    made = example.definition
    sql = compile_definition(made, source(), REGISTRY).sql("duckdb", AS_OF)
    text = f"```text\n{made.expression}\n```\n\n" if example.kind else ""
    return (
        f"### {example.about}\n\n```python\n{example.python}\n```\n\n{text}{made.english()}\n\n"
        f"<details><summary>SQL</summary>\n\n```sql\n{sql}\n```\n\n</details>\n"
    )
