"""Definitions nobody thought of, over small worlds full of boundaries: the SQL says what plain Python says."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from personas_kit.compiler import (
    Query,
    Source,
    SourceSettings,
    bind,
    compile_definition,
    compile_several,
    compile_sizes,
    population,
)
from personas_kit.compiler import metrics as metrics_of_compiler
from personas_kit.compiler.settings import (
    AccountSettings,
    EventSettings,
    IdentitySettings,
    MembershipSettings,
    UserSettings,
)
from personas_kit.definitions import (
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
from personas_kit.definitions.definition import AccountAudience, AccountTrait, Audience, Definition, Trait
from personas_kit.definitions.expressions import Condition, Not, Top, Value
from personas_kit.definitions.streams import Events, Reduced
from personas_kit.insight.explanation import Reason, explain
from tests.compiler.by_hand import Claim, Facts, Happened, Membership, Subject
from tests.compiler.conftest import schema_of
from tests.postgres_server.server import Server

_Set = tuple[list[Condition], list[Condition], list[Reduced]]
AS_OF = dt.datetime(2026, 3, 31, 12)  # noqa: DTZ001  - as the columns have it
HOURS = [-72, -48, -24, -1, 0, 1, 24]
COLOURS = ["", "a", "B", "b", "é", "É", "%", "10", "2", "a_b"]
USERS, ACCOUNTS, ANONYMOUS = ["u1", "u2", "u3"], ["a1", "a2"], ["x", "y"]
LAYOUT = {
    "users": "user_id TEXT, since TIMESTAMP, plan TEXT",
    "accounts": "account_id TEXT, since TIMESTAMP, seats INTEGER",
    "memberships": "user_id TEXT, account_id TEXT, valid_from TIMESTAMP, valid_to TIMESTAMP",
    "claims": "user_id TEXT, id_type TEXT, id_value TEXT, since TIMESTAMP",  # called like a part of the statement
    "events": (
        'event TEXT, user_id TEXT, anonymous TEXT, "at" TIMESTAMP, id TEXT, amount INTEGER, colour TEXT, '
        "account TEXT, tags TEXT[]"
    ),
}
SETTINGS = SourceSettings(
    users=UserSettings("users", "user_id", "since"),
    accounts=AccountSettings("accounts", "account_id", "since"),
    memberships=MembershipSettings("memberships", "user_id", "account_id", "valid_from", "valid_to"),
    identities=IdentitySettings("claims", "user_id", "id_value", "id_type", "since"),
    events=EventSettings(
        "events", name="event", at="at", user="user_id", anonymous="anonymous", id="id", account="account"
    ),
)

# ---------------------------------------------------------------------------------------------------------- the facts

instants = st.builds(
    lambda hours, seconds: AS_OF + dt.timedelta(hours=hours, seconds=seconds),
    st.sampled_from(HOURS),
    st.sampled_from([-1, 0, 0, 1]),
)
begun = st.sampled_from(
    [None, *(AS_OF - dt.timedelta(hours=ago) for ago in (72, 1, 0)), AS_OF + dt.timedelta(seconds=1)]
)
over = st.sampled_from(
    [None, AS_OF, AS_OF - dt.timedelta(hours=1), *(AS_OF + dt.timedelta(seconds=ago) for ago in (1, 9))]
)
someone, somewhere = st.sampled_from([*USERS, *USERS, "ghost"]), st.sampled_from([*ACCOUNTS, *ACCOUNTS, "gone"])


def facts() -> st.SearchStrategy[Facts]:
    def some(kind: type, least: int, most: int, *parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.lists(st.builds(kind, *parts), min_size=least, max_size=most).map(tuple)

    plans, seats = st.none() | st.sampled_from(COLOURS), st.none() | st.integers(-1, 3)
    users = st.tuples(*(st.builds(Subject, st.just(each), begun, plans) for each in USERS))
    accounts = st.tuples(*(st.builds(Subject, st.just(each), begun, seats) for each in ACCOUNTS))
    memberships = some(Membership, 3, 7, someone, somewhere, begun, over)
    types, anonymous = st.sampled_from(["anonymous_id", "anonymous_id", "email"]), st.sampled_from(ANONYMOUS)
    claims = some(Claim, 3, 6, someone, types, anonymous, begun)
    names, ids = st.sampled_from(["Paid", "Paid", "Paid", "Seen"]), st.sampled_from(["e1", "e2", "e10"])
    tags = st.none() | st.lists(st.sampled_from(["a", "B", "10"]), max_size=3)
    named = st.none() | somewhere
    happened = (names, st.none() | someone, st.none() | anonymous, instants, ids, seats, plans, named, tags)
    return st.builds(Facts, users, accounts, memberships, claims, some(Happened, 8, 14, *happened), st.just(AS_OF))


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
            return getattr(value, said)(*draw(st.lists(plain, min_size=1, max_size=2)), **draw(cases[kind]))
        case "contains":
            return value.contains(*draw(st.lists(plain.filter(bool), min_size=1, max_size=2)), **draw(cases[kind]))
        case "omits" | "starts_with" | "ends_with":
            return getattr(value, said)(draw(plain.filter(bool)), **draw(cases[kind]))
        case "within":
            near = draw(st.sampled_from(["within_last", "within_next", "before_last", "after_next"]))
            return getattr(value, near)(hours=draw(durations))
        case "before" | "after":
            return getattr(value, said)(draw(instants))
        case _:
            return draw(symbols(value, plain))


cases = {
    "text": st.sampled_from([{}, {"ignore_case": True}]),
    "number": st.just({}),
    "time": st.just({}),
}


def symbols(value: Value, others: st.SearchStrategy[Any]) -> st.SearchStrategy[Condition]:
    """The value compared with some other thing by a symbol."""
    return st.builds(value.compare, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), others)


def combined(part: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    """With and, or, not."""

    def deeper(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
        pairs = st.tuples(inner, inner)
        return st.one_of(pairs.map(lambda two: two[0] & two[1]), pairs.map(lambda two: two[0] | two[1]), inner.map(_no))

    return st.recursive(part, deeper, max_leaves=3)


def _no(condition: Condition) -> Condition:
    return ~condition


PROPERTIES = [("amount", "number"), ("colour", "text"), ("at", "time"), ("user_id", "text")]
names = st.sampled_from(["Paid", "Paid", "Paid", "Seen"])
spans = st.sampled_from([(1, 0), (48, 24), (0, 72), (24, 1)])
tagged = st.builds(
    lambda says, tags: getattr(prop("tags"), says)(*tags[: 1 if says == "omits" else 2]),
    st.sampled_from(["contains", "omits"]),
    st.lists(st.sampled_from(["a", "b", "10"]), min_size=1, max_size=2),
)
of_its_user = st.one_of(
    symbols(prop("colour"), st.just(trait("plan"))),
    symbols(trait("plan"), st.just(prop("colour"))),
    symbols(prop("amount"), st.just(trait("orders"))),
    compared(trait("plan"), "text"),
    compared(trait("orders"), "number"),
    st.sampled_from([in_audience("payers"), trait("payers") == False, in_audience("local")]),  # noqa: E712
)
of_the_other = st.one_of(
    symbols(prop("amount"), st.just(prop(parent="amount"))),
    symbols(prop("colour"), st.just(prop(parent="colour"))),
    st.builds(
        lambda says: getattr(prop("colour"), says)(prop(parent="colour")), st.sampled_from(["contains", "omits"])
    ),
    st.sampled_from([prop(parent="at").exists(), prop(parent="colour") == "a", prop(parent="amount") > prop("amount")]),
)
plain_wheres = st.sampled_from(PROPERTIES).flatmap(lambda of: compared(prop(of[0]), of[1]))


def wheres(level: int) -> st.SearchStrategy[Condition]:
    """What stands in ``where``: of the first event, of one that follows it, of one that follows that."""
    part = st.one_of(plain_wheres, plain_wheres, of_its_user, tagged)
    part = st.one_of(part, of_the_other) if level > 1 else part
    return combined(st.one_of(part, following(level + 1)) if level < 3 else part)


@st.composite
def following(draw: st.DrawFn, level: int) -> Condition:
    made = event(draw(names))
    match draw(st.sampled_from(["", "within", "within", "between", "of as_of"])):
        case "within":
            made = made.within(hours=draw(durations), parent=True)
        case "between":
            made = made.between(hours=draw(spans), parent=True)
        case "of as_of":
            made = made.within(hours=draw(durations))
    if draw(st.integers(0, 2)) == 0:
        made = made.where(draw(wheres(level)))
    match draw(st.sampled_from(["some", "some", "none", "count", "metric"])):
        case "some":
            return made.count() >= 1
        case "none":
            return ~(made.count() >= 1)
        case "count":
            return draw(symbols(made.count(), st.integers(0, 2)))
        case _:
            reducer, name, kind = draw(
                st.sampled_from(
                    [("last", "colour", "text"), ("sum", "amount", "number"), ("first", "amount", "number")]
                )
            )
            return draw(compared(getattr(made, reducer)(name), kind))


@st.composite
def streams(draw: st.DrawFn, *, of_account: bool = False) -> Events:
    made = event(draw(names))
    window = draw(st.sampled_from(["", "within", "between"]))
    if window == "within":
        made = made.within(hours=draw(durations))
    if window == "between":
        made = made.between(hours=draw(spans))
    if of_account:
        made = draw(st.sampled_from([made, made.scope("event"), made.membership("at_event")]))
    return made.where(draw(wheres(1))) if draw(st.integers(0, 2)) == 0 else made


@st.composite
def metrics(draw: st.DrawFn, *, of_account: bool = False) -> tuple[Reduced, str]:
    """A reduced stream, and the type of its value."""
    stream = draw(streams(of_account=of_account))
    reducer = draw(st.sampled_from(["count", "count", "sum", "avg", "min", "max", "first", "last", "most", "unique"]))
    if reducer == "count":
        return stream.count(), "number"
    if reducer in {"sum", "avg"}:
        return getattr(stream, reducer)("amount"), "number"
    name, kind = draw(st.sampled_from([("amount", "number"), ("colour", "text"), ("at", "time")]))
    if reducer in {"most", "unique"} and draw(st.integers(0, 3)) == 0:
        name, kind = "tags", "text"
    if reducer == "most":
        return stream.most_frequent(name, at_least=draw(st.integers(1, 2))), kind
    if reducer == "unique":
        return stream.unique(name).count(), "number"
    return getattr(stream, reducer)(name), kind


behaviour = metrics().flatmap(lambda of: compared(*of))
of_account = metrics(of_account=True).flatmap(lambda of: compared(*of))
alike = st.builds(
    lambda one, other: one.compare(">", other), st.just(event("Paid").count()), st.just(event("Seen").count())
)
payers = Audience("Payers", event("Paid").count() >= 1)
big = AccountAudience("Big", (event("Paid").sum("amount") > 0) | any_user(trait("plan").exists()))
local = Audience("Local", account_trait("seats").exists() & event("Seen").count().one_of(0, 1))
orders = Trait("Orders", event("Paid").sum("amount"))
REGISTRY: dict[str, Definition] = {made.key: made for made in (payers, big, local, orders)}


def chosen(part: st.SearchStrategy[Condition], by: st.SearchStrategy[Value]) -> st.SearchStrategy[Condition]:
    """The first of those for whom something holds, and arms of experiments."""
    arms = st.sampled_from([(0, 50), (50, 100), (25, 75), (0, 12.5)])
    whose = st.sampled_from(["member", "account"])
    return st.one_of(
        st.builds(
            lambda count, by, of, less: top(count, by=by, of=of, smallest=less),
            st.integers(1, 2),
            by,
            part,
            st.booleans(),
        ),
        st.builds(lambda name, arm, by: split(name, arm, by=by), st.sampled_from("pqr"), arms, whose),
        st.builds(lambda name, by: holdout(name, 50, by=by), st.sampled_from("pqr"), whose),
    )


of_members = combined(
    behaviour
    | compared(trait("plan"), "text")
    | compared(account_trait("seats"), "number")
    | st.sampled_from([in_audience("payers"), in_audience("local"), trait("payers") == False])  # noqa: E712
)
by = st.one_of(st.sampled_from([trait("plan"), trait("orders")]), metrics().map(lambda of: of[0]))
of_users = combined(
    of_members
    | st.sampled_from([in_audience("big"), trait("big") != True])  # noqa: E712
    | alike
    | symbols(trait("plan"), st.just(event("Paid").last("colour")))
    | chosen(of_members, by)
)
asked = st.sampled_from([any_user, all_users, no_user])
of_pairs = combined(of_members | of_account | symbols(trait("orders"), st.just(account_trait("seats"))))


@st.composite
def users_reduced(draw: st.DrawFn) -> tuple[Reduced, str]:
    """The users of an account, reduced."""
    stream = users().where(draw(of_pairs)) if draw(st.booleans()) else users()
    match draw(st.sampled_from(["count", "share", "sum", "avg", "min", "max", "most", "unique"])):
        case "count":
            return stream.count(), "number"
        case "share":
            return stream.share(draw(of_pairs)), "number"
        case "sum" | "avg" as reducer:
            return getattr(stream, reducer)("orders"), "number"
        case "unique":
            return stream.unique(draw(by)).count(), "number"
        case "most":
            return stream.most_frequent("plan", at_least=draw(st.integers(1, 2))), "text"
        case reducer:
            return getattr(stream, reducer)("plan"), "text"


of_accounts = combined(
    behaviour
    | of_account
    | users_reduced().flatmap(lambda of: compared(*of))
    | chosen(compared(trait("seats"), "number"), st.sampled_from([trait("seats"), event("Paid").sum("amount")]))
    | compared(trait("seats"), "number")
    | st.just(in_audience("big"))
    | st.builds(lambda asks, part: asks(part), asked, of_pairs)
    | st.builds(lambda asks, part: asks(part), asked, behaviour)
)
lists = st.builds(lambda of, name: of.unique(name), streams(), st.sampled_from(["amount", "colour", "tags"]))
of_one_user = st.one_of(metrics().map(lambda of: of[0]), metrics().map(lambda of: of[0]), lists)
of_one_account = st.one_of(metrics(of_account=True), users_reduced()).map(lambda of: of[0])
values = st.tuples(of_one_account | lists, of_one_user, of_one_user).map(list)

# ---------------------------------------------------------------------------------------------------------------- both


def _load(handle: Any, facts: Facts, mark: str = "?") -> None:
    parts: dict[str, Iterable[Any]] = {
        "users": facts.users, "accounts": facts.accounts, "memberships": facts.memberships,
        "claims": facts.claims, "events": facts.events,
    }  # fmt: skip
    for name, lines in parts.items():
        handle.execute(f"CREATE TABLE {name} ({LAYOUT[name]})")
        for line in lines:
            said = list(vars(line).values())
            marks = ", ".join(mark.format(at) for at, _ in enumerate(said, 1))
            handle.execute(f"INSERT INTO {name} VALUES ({marks})", said)


def _asked(handle: duckdb.DuckDBPyConnection, source: Source, definition: Definition) -> list[tuple[Any, ...]]:
    """The lines of both renderings, which have to be the same."""
    sql = compile_definition(definition, source, REGISTRY).sql("duckdb", AS_OF.replace(tzinfo=dt.UTC))
    executed = handle.execute(sql.bound, sql.params).fetchall()
    shown = handle.execute(sql).fetchall()
    assert sorted(executed, key=repr) == sorted(shown, key=repr)
    return executed


def _on_postgres(connection: Any, source: Source, definition: Definition) -> list[tuple[Any, ...]]:
    """The lines of both renderings, as PostgreSQL answers."""
    sql = compile_definition(definition, source, REGISTRY).sql("postgres", AS_OF.replace(tzinfo=dt.UTC))
    executed = connection.execute(sql.bound.encode(), sql.params).fetchall()
    shown = connection.execute(str(sql).encode()).fetchall()
    assert sorted(executed, key=repr) == sorted(shown, key=repr)
    return [tuple(float(part) if isinstance(part, Decimal) else part for part in line) for line in executed]


CASES = 500 if settings().max_examples <= 100 else 20_000  # the long profile is `make test-long`


# A world is costly: no explanation of which parts of one did not matter.
@pytest.mark.timeout(900 if CASES == 500 else 0)
@settings(max_examples=CASES, phases=[phase for phase in Phase if phase is not Phase.explain])
@given(facts(), of_users, of_accounts, values)
def test_the_sql_says_what_plain_python_says(
    facts: Facts, users_where: Condition, accounts: Condition, values: list[Reduced]
) -> None:
    with duckdb.connect() as handle:
        handle.execute("SET TimeZone = 'America/St_Johns'")
        _load(handle, facts)
        source = bind(SETTINGS, schema_of(handle))
        _holds(functools.partial(_asked, handle, source), facts, users_where, accounts, values)


@pytest.mark.postgres
@settings(max_examples=CASES // 5, phases=[phase for phase in Phase if phase is not Phase.explain])
@given(facts(), of_users, of_accounts, values)
def test_postgresql_says_so_too(
    worlds: Any, facts: Facts, users_where: Condition, accounts: Condition, values: list[Reduced]
) -> None:
    with duckdb.connect() as handle:
        _load(handle, facts)
        source = bind(SETTINGS, schema_of(handle))
    try:
        _load(worlds, facts, mark="${}")
        _holds(functools.partial(_on_postgres, worlds, source), facts, users_where, accounts, values)
    finally:
        worlds.rollback()


class _Asked:
    """What an explanation asks, over one world."""

    def __init__(self, handle: duckdb.DuckDBPyConnection, source: Source) -> None:
        self.handle, self.source = handle, source

    def definitions(self) -> dict[str, Definition]:
        return REGISTRY

    def ask(self, query: Query, as_of: dt.datetime, key: str) -> pl.DataFrame:
        lines = self.handle.execute(*query.bound("duckdb", as_of)).fetchall()
        return pl.DataFrame(lines, [column[0] for column in self.handle.description], orient="row", strict=False)


@settings(max_examples=CASES // 10, phases=[phase for phase in Phase if phase is not Phase.explain])
@given(facts(), of_users, of_accounts)
def test_an_explanation_says_what_plain_python_says(facts: Facts, users_where: Condition, accounts: Condition) -> None:
    """Of everybody: of the whole, and of each of its parts."""
    facts.registry.update(REGISTRY)
    with duckdb.connect() as handle:
        _load(handle, facts)
        asked = _Asked(handle, bind(SETTINGS, schema_of(handle)))
        for audience in (Audience("A", users_where), AccountAudience("A", accounts)):
            for who in facts.user if audience.subject == "user" else facts.account:
                found = explain(asked, audience, who, AS_OF.replace(tzinfo=dt.UTC))
                assert repr(found)
                _explained(found.reason, audience.where, audience, facts, who)


def _explained(reason: Reason, node: Condition, inside: Definition, facts: Facts, who: str) -> None:
    assert (reason.said, reason.holds) == (str(node), facts.holds(node, inside.subject, who))
    parts = getattr(node, "parts", None) or ((node.part,) if isinstance(node, Not | Top) else ())
    for part, under in zip(parts, reason.parts, strict=False):
        _explained(under, part, inside, facts, who)
    if reason.parts and not parts:
        (named,) = reason.parts
        meant = REGISTRY[node.left.key]  # type: ignore[attr-defined]
        _explained(named, meant.expression, meant, facts, who)


sets = st.tuples(
    st.lists(st.one_of(of_members, of_users), min_size=3, max_size=5), st.lists(of_accounts, max_size=3), values
)


@settings(max_examples=CASES // 10, phases=[phase for phase in Phase if phase is not Phase.explain])
@given(facts(), sets)
def test_definitions_together_say_what_each_says_by_hand(facts: Facts, asked: _Set) -> None:
    """Ids stand there several times, so what is counted together is held against a count of different ids."""
    with duckdb.connect() as handle:
        _load(handle, facts)
        source = bind(SETTINGS, schema_of(handle))
        _holds_together(functools.partial(_ran, handle), "duckdb", source, facts, asked)


@pytest.mark.postgres
@settings(max_examples=CASES // 50, phases=[phase for phase in Phase if phase is not Phase.explain])
@given(facts(), sets)
def test_definitions_together_say_so_on_postgresql(worlds: Any, facts: Facts, asked: _Set) -> None:
    with duckdb.connect() as handle:
        _load(handle, facts)
        source = bind(SETTINGS, schema_of(handle))
    try:
        _load(worlds, facts, mark="${}")
        _holds_together(lambda text, params: _ran(worlds, text.encode(), params), "postgres", source, facts, asked)
    finally:
        worlds.rollback()


def _ran(connection: Any, text: str | bytes, params: Any) -> list[dict[str, Any]]:
    """The lines of an answer, each by the names of its columns."""
    found = connection.execute(text, params)
    names = [column[0] for column in found.description]
    return [dict(zip(names, line, strict=True)) for line in found.fetchall()]


def _holds_together(
    ran: Callable[[str, Any], list[dict[str, Any]]], dialect: str, source: Source, facts: Facts, asked: _Set
) -> None:
    facts.registry.update(REGISTRY)
    users_where, accounts, (first, *others) = asked
    others += [event("Paid").count(), event("Seen").within(hours=24).count()]
    audiences = [Audience(f"U{at}", each) for at, each in enumerate(users_where)]
    audiences += [AccountAudience(f"A{at}", each) for at, each in enumerate(accounts)]
    counted = [AccountTrait("N", event("Paid").count()), AccountTrait("M", event("Paid").within(hours=24).count())]
    traits = [AccountTrait("T", first), *counted, *(Trait(f"T{at}", each) for at, each in enumerate(others))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metrics_of_compiler, "MANY", 2)  # few definitions are easier to read when one is wrong
        patch.setattr(population, "MOST", 3)
        patch.setattr(population, "APART", 2)
        several = compile_several([*audiences, *traits], source, REGISTRY)
        sizes = compile_sizes(audiences, source, REGISTRY)
    at = AS_OF.replace(tzinfo=dt.UTC)
    lines = ran(*several.query.bound(dialect, at))
    said = {of.key: (f"{of.subject}_id", of.column) for of in several.asked}
    for each in audiences:
        of, column = said[each.key]
        assert {line[of] for line in lines if line.get(of) and line[column]} == set(facts.members(each)), each
    for made in traits:
        of, column = said[made.key]
        found = {line[of]: line[column] for line in lines if line.get(of) and line[column] is not None}
        plain = {key: float(value) if isinstance(value, Decimal) else value for key, value in found.items()}
        assert plain == facts.values(made), made
    (line,) = ran(*sizes.bound(dialect, at))
    for place, each in enumerate(audiences):
        assert line[f"size_{place}"] == len(facts.members(each)), each


@pytest.fixture(scope="module")
def worlds(server: Server) -> Iterator[Any]:
    """One connection for all the worlds, in a schema of their own: each is rolled back."""
    import psycopg

    with psycopg.connect(server.url, cursor_factory=psycopg.RawCursor) as connection:
        connection.execute("CREATE SCHEMA worlds")
        connection.execute("SET search_path = worlds")
        connection.execute("SET enable_nestloop = off; SET jit = off")  # as the adapter does
        connection.commit()
        yield connection


def _holds(
    asked: Callable[[Definition], list[tuple[Any, ...]]],
    facts: Facts,
    users_where: Condition,
    accounts: Condition,
    values: list[Reduced],
) -> None:
    facts.registry.update(REGISTRY)
    for audience in (Audience("A", users_where), AccountAudience("A", accounts)):
        assert sorted(asked(audience)) == sorted((each,) for each in facts.members(audience))
    first, *others = values
    for made in (AccountTrait("T", first), *(Trait("T", each) for each in others)):
        lines = asked(made)
        assert len(dict(lines)) == len(lines)
        assert dict(lines) == facts.values(made)
