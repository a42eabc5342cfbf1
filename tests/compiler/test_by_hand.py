"""Definitions nobody thought of, over small worlds full of boundaries: the SQL says what plain Python says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from personas_kit.compiler import Source, SourceSettings, bind, compile_definition
from personas_kit.compiler.settings import (
    AccountSettings,
    EventSettings,
    IdentitySettings,
    MembershipSettings,
    UserSettings,
)
from personas_kit.definitions.definition import AccountAudience, AccountTrait, Audience, Definition, Trait
from personas_kit.definitions.expressions import (
    Condition,
    Events,
    Reduced,
    Value,
    account_trait,
    all_users,
    any_user,
    event,
    in_audience,
    no_user,
    prop,
    trait,
)
from tests.compiler.by_hand import Claim, Facts, Happened, Membership, Subject
from tests.compiler.conftest import schema_of

AS_OF = dt.datetime(2026, 3, 31, 12)  # noqa: DTZ001  - as the columns have it
HOURS = [-72, -48, -24, -1, 0, 1, 24]
COLOURS = ["", "a", "B", "b", "é", "%", "10", "2", "a_b"]
USERS, ACCOUNTS, ANONYMOUS = ["u1", "u2", "u3"], ["a1", "a2"], ["x", "y"]
LAYOUT = {
    "users": "user_id TEXT, since TIMESTAMP, plan TEXT",
    "accounts": "account_id TEXT, since TIMESTAMP, seats INTEGER",
    "memberships": "user_id TEXT, account_id TEXT, valid_from TIMESTAMP, valid_to TIMESTAMP",
    "claims": "user_id TEXT, id_type TEXT, id_value TEXT, since TIMESTAMP",  # called like a part of the statement
    "events": 'event TEXT, user_id TEXT, anonymous TEXT, "at" TIMESTAMP, id TEXT, amount INTEGER, colour TEXT',
}
SETTINGS = SourceSettings(
    users=UserSettings("users", "user_id", "since"),
    accounts=AccountSettings("accounts", "account_id", "since"),
    memberships=MembershipSettings("memberships", "user_id", "account_id", "valid_from", "valid_to"),
    identities=IdentitySettings("claims", "user_id", "id_value", "id_type", "since"),
    events=EventSettings("events", name="event", at="at", user="user_id", anonymous="anonymous", id="id"),
)

# ---------------------------------------------------------------------------------------------------------- the facts

instants = st.tuples(st.sampled_from(HOURS), st.sampled_from([-1, 0, 0, 1])).map(
    lambda ago: AS_OF + dt.timedelta(hours=ago[0], seconds=ago[1])
)
maybe = st.none() | instants
someone, somewhere = st.sampled_from([*USERS, "ghost"]), st.sampled_from([*ACCOUNTS, "gone"])


def facts() -> st.SearchStrategy[Facts]:
    def some(kind: type, most: int, *parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.lists(st.builds(kind, *parts), max_size=most).map(tuple)

    plans, seats = st.none() | st.sampled_from(COLOURS), st.none() | st.integers(-1, 3)
    users = st.tuples(*(st.builds(Subject, st.just(each), maybe, plans) for each in USERS))
    accounts = st.tuples(*(st.builds(Subject, st.just(each), maybe, seats) for each in ACCOUNTS))
    memberships = some(Membership, 6, someone, somewhere, maybe, maybe)
    types, anonymous = st.sampled_from(["anonymous_id", "anonymous_id", "email"]), st.sampled_from(ANONYMOUS)
    claims = some(Claim, 4, someone, types, anonymous, maybe)
    names, ids = st.sampled_from(["Paid", "Paid", "Seen"]), st.sampled_from(["e1", "e2", "e10"])
    happened = (names, st.none() | someone, st.none() | anonymous, instants, ids, seats, plans)
    return st.builds(Facts, users, accounts, memberships, claims, some(Happened, 8, *happened), st.just(AS_OF))


# ------------------------------------------------------------------------------------------------------ the definitions

durations = st.sampled_from([1, 24, 48])


@st.composite
def compared(draw: st.DrawFn, value: Value, kind: str) -> Condition:
    """Some comparison that the value's type allows."""
    plain = {"text": st.sampled_from(COLOURS), "number": st.integers(-1, 3), "time": instants}[kind]
    own = {"text": ["contains", "omits", "starts_with", "ends_with"], "time": ["within", "before", "after"]}
    said = draw(st.sampled_from(["exists", "absent", "one_of", "none_of", *["symbol"] * 4, *own.get(kind, [])]))
    match said:
        case "exists" | "absent":
            return getattr(value, said)()
        case "one_of" | "none_of":
            return getattr(value, said)(*draw(st.lists(plain, min_size=1, max_size=2)))
        case "contains":
            return value.contains(*draw(st.lists(plain.filter(bool), min_size=1, max_size=2)))
        case "omits" | "starts_with" | "ends_with":
            return getattr(value, said)(draw(plain.filter(bool)))
        case "within":
            near = draw(st.sampled_from(["within_last", "within_next", "before_last", "after_next"]))
            return getattr(value, near)(hours=draw(durations))
        case "before" | "after":
            return getattr(value, said)(draw(instants))
        case _:
            return value.compare(draw(st.sampled_from(["=", "!=", "<", "<=", ">", ">="])), draw(plain))


def combined(part: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    """With and, or, not."""

    def deeper(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
        pairs = st.tuples(inner, inner)
        return st.one_of(pairs.map(lambda two: two[0] & two[1]), pairs.map(lambda two: two[0] | two[1]), inner.map(_no))

    return st.recursive(part, deeper, max_leaves=3)


def _no(condition: Condition) -> Condition:
    return ~condition


PROPERTIES = [("amount", "number"), ("colour", "text"), ("at", "time"), ("user_id", "text")]
wheres = combined(st.sampled_from(PROPERTIES).flatmap(lambda of: compared(prop(of[0]), of[1])))


@st.composite
def streams(draw: st.DrawFn) -> Events:
    made = event(draw(st.sampled_from(["Paid", "Seen"])))
    window = draw(st.sampled_from(["", "within", "between"]))
    if window == "within":
        made = made.within(hours=draw(durations))
    if window == "between":
        made = made.between(hours=draw(st.sampled_from([(1, 0), (48, 24), (0, 72), (24, 1)])))
    return made.where(draw(wheres)) if draw(st.booleans()) else made


@st.composite
def metrics(draw: st.DrawFn) -> tuple[Reduced, str]:
    """A reduced stream, and the type of its value."""
    stream = draw(streams())
    reducer = draw(st.sampled_from(["count", "count", "sum", "avg", "min", "max", "first", "last", "most", "unique"]))
    if reducer == "count":
        return stream.count(), "number"
    if reducer in {"sum", "avg"}:
        return getattr(stream, reducer)("amount"), "number"
    name, kind = draw(st.sampled_from([("amount", "number"), ("colour", "text"), ("at", "time")]))
    if reducer == "most":
        return stream.most_frequent(name, at_least=draw(st.integers(1, 2))), kind
    if reducer == "unique":
        return stream.unique(name).count(), "number"
    return getattr(stream, reducer)(name), kind


behaviour = metrics().flatmap(lambda of: compared(*of))
payers = Audience("Payers", event("Paid").count() >= 1)
big = AccountAudience("Big", (event("Paid").sum("amount") > 0) | any_user(trait("plan").exists()))
local = Audience("Local", account_trait("seats").exists() & event("Seen").count().one_of(0, 1))
REGISTRY: dict[str, Definition] = {made.key: made for made in (payers, big, local)}

of_members = combined(
    behaviour
    | compared(trait("plan"), "text")
    | compared(account_trait("seats"), "number")
    | st.sampled_from([in_audience("payers"), in_audience("local"), trait("payers") == False])  # noqa: E712
)
of_users = combined(of_members | st.sampled_from([in_audience("big"), trait("big") != True]))  # noqa: E712
asked = st.sampled_from([any_user, all_users, no_user])
of_accounts = combined(
    behaviour
    | compared(trait("seats"), "number")
    | st.just(in_audience("big"))
    | st.tuples(asked, of_members).map(lambda two: two[0](two[1]))
)
values = st.one_of(
    metrics().map(lambda of: of[0]),
    streams().map(lambda of: of.unique("colour")),
    streams().map(lambda of: of.unique("amount")),
)

# ---------------------------------------------------------------------------------------------------------------- both


def _loaded(handle: duckdb.DuckDBPyConnection, facts: Facts) -> Source:
    parts: dict[str, Iterable[Any]] = {
        "users": facts.users, "accounts": facts.accounts, "memberships": facts.memberships,
        "claims": facts.claims, "events": facts.events,
    }  # fmt: skip
    for name, lines in parts.items():
        handle.execute(f"CREATE TABLE {name} ({LAYOUT[name]})")
        for line in lines:
            said = list(vars(line).values())
            handle.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(said))})", said)
    return bind(SETTINGS, schema_of(handle))


def _asked(handle: duckdb.DuckDBPyConnection, source: Source, definition: Definition) -> list[tuple[Any, ...]]:
    """The lines of both renderings, which have to be the same."""
    query = compile_definition(definition, source, REGISTRY)
    at = AS_OF.replace(tzinfo=dt.UTC)
    executed = handle.execute(*query.bound("duckdb", at)).fetchall()
    shown = handle.execute(query.sql("duckdb", at)).fetchall()
    assert sorted(executed, key=repr) == sorted(shown, key=repr)
    return executed


@given(facts(), of_users, of_accounts, values)
def test_the_sql_says_what_plain_python_says(
    facts: Facts, users: Condition, accounts: Condition, value: Reduced
) -> None:
    facts.registry.update(REGISTRY)
    with duckdb.connect() as handle:
        handle.execute("SET TimeZone = 'America/St_Johns'")
        source = _loaded(handle, facts)
        for audience in (Audience("A", users), AccountAudience("A", accounts)):
            lines = _asked(handle, source, audience)
            assert sorted(lines) == sorted((each,) for each in facts.members(audience))
        for made in (Trait("T", value), AccountTrait("T", value)):
            lines = _asked(handle, source, made)
            assert len(dict(lines)) == len(lines)
            assert dict(lines) == facts.values(made)
