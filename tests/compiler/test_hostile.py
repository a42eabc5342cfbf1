"""A value is one literal or one bound value, a name one identifier, whatever is in it; SQL of one's own only reads."""

from __future__ import annotations

import datetime as dt
import functools
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp
from sqlglot.tokens import Token, TokenType

from personas_kit.compiler import SQL, Column, Query, Source, SourceSettings, Table, bind, compile_definition
from personas_kit.compiler.catalogue import compile_property_columns, compile_property_names
from personas_kit.compiler.common_values import compile_property_values, compile_trait_values
from personas_kit.compiler.compile import compile_lookup
from personas_kit.compiler.own_allowed import CALLED, CHANCE, CLOCKS, FUNCTIONS, LINES, PARTS, TYPES
from personas_kit.compiler.own_sql import compile_own_problems, own_select
from personas_kit.compiler.settings import (
    AccountSettings,
    EventSettings,
    IdentitySettings,
    MembershipSettings,
    UserSettings,
)
from personas_kit.compiler.source import ColumnType
from personas_kit.definitions.definition import AccountAudience, Audience, SqlAudience, SqlTrait, Trait
from personas_kit.definitions.expressions import Condition
from personas_kit.definitions.vocabulary import any_user, event, holdout, prop, split, trait
from personas_kit.errors import DefinitionError
from tests.corpus import AS_OF, DEFINITIONS, EXPANDED, REGISTRY, source_of
from tests.hostile import (
    DATES,
    DIALECTS,
    INSTANTS,
    KEPT,
    LONE_SURROGATES,
    NAMES,
    NO_NUMBERS,
    NUL,
    NUMBERS,
    REFUSED,
    VALUES,
    Kept,
    Refused,
)

BENIGN = "benignvalue"
ALL_VALUES = {**VALUES, "nul": NUL}
order = event("Order Completed")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The parser says of some statements that it does not know them; that they are refused is what counts here."""
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    yield
    logging.getLogger("sqlglot").setLevel(logging.NOTSET)


# ------------------------------------------------------------------------------------------- what is compared with what


def parsed(text: str, dialect: str) -> exp.Expr:
    """The one statement that a text is."""
    (statement,) = sqlglot.parse(text, read=dialect)
    assert isinstance(statement, exp.Select)
    return statement


@functools.lru_cache(200)
def tokens_of(text: str, dialect: str) -> list[Token]:
    return sqlglot.tokenize(text, read=dialect)


def differences(one: str, other: str, dialect: str) -> set[tuple[str, str]]:
    """The texts, or the names, in which two statements differ: token by token they have to be alike in all else."""
    if one == other:
        return set()
    pairs = zip(tokens_of(one, dialect), sqlglot.tokenize(other, read=dialect), strict=True)
    found = set()
    for mine, theirs in pairs:
        kinds = {mine.token_type, theirs.token_type}
        assert len(kinds) == 1 or kinds <= {TokenType.VAR, TokenType.IDENTIFIER}
        if mine.text != theirs.text:
            assert kinds <= {TokenType.STRING, TokenType.VAR, TokenType.IDENTIFIER}
            found.add((mine.text, theirs.text))
    return found


def with_value(params: object, new: str) -> object:
    """The bound values with another in place of the benign one."""

    def changed(value: object) -> object:
        return value.replace(BENIGN, new) if isinstance(value, str) else value

    if isinstance(params, tuple):
        return tuple(map(changed, params))
    assert isinstance(params, dict)
    return {name: changed(value) for name, value in params.items()}


# --------------------------------------------------------------------------------------------------------------- values


def everywhere(value: str) -> Condition:
    """A value in every place that one can stand in, of a user."""
    plan, colour = trait("plan"), prop("colour")
    parts = [
        plan == value,
        plan >= value,
        plan.none_of(value, "other"),
        plan.contains(value, "other"),
        plan.starts_with(value),
        plan.ends_with(value),
        plan.equals(value, ignore_case=True),
        plan.one_of(value, "other", ignore_case=True),
        plan.ends_with(value, ignore_case=True),
        event(value).where(colour.omits(value)).then(event(value).within(days=7)).last("colour") == value,
        split(value, (25, 50)),
    ]
    return functools.reduce(lambda one, other: one | other, parts)


def in_documents(value: str) -> Condition:
    """The same, where properties lie in a document."""
    sku, tags = prop("sku"), prop("tags", "list")
    return (
        order.where((sku == value) | sku.contains(value) | (prop(value.replace(".", "\\.")) == value)).count() >= 1
    ) | (order.where(tags.contains(value)).last("plan") == value)


def sourced(value: str, layout: str) -> Source:
    """With a value that stands in the settings."""
    found = source_of(layout, upper=False)
    identities = found.identities and replace(found.identities, anonymous_type=value)
    return replace(found, identities=identities)


PLACES: dict[str, Callable[[str], Query]] = {
    "of users": lambda value: compile_definition(Audience("A", everywhere(value)), sourced(value, "full"), {}),
    "of accounts": lambda value: compile_definition(
        AccountAudience("A", any_user(trait("plan") == value) & (trait("plan") != value) & ~holdout(value, 10)),
        sourced(value, "full"), {},
    ),
    "in documents": lambda value: compile_definition(
        Audience("A", in_documents(value)), source_of("json", upper=False), {}
    ),
    "values": lambda value: compile_definition(
        Trait("T", event(value).where(prop("colour") == value).most_frequent("colour")),
        source_of("plain", upper=False), {},
    ),
    "ids": lambda value: compile_lookup(source_of("plain", upper=False), "user", [value, "other"]),
    "properties": lambda value: compile_property_columns(source_of("plain", upper=False), value, 30)[0],
    "common values": lambda value: compile_property_values(
        source_of("plain", upper=False), value, prop("colour"), 30, 50
    ),
}  # fmt: skip


@functools.cache
def of_benign(place: str, dialect: str) -> SQL:
    return PLACES[place](BENIGN).sql(dialect, AS_OF)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("odd", ALL_VALUES)
def test_a_value_changes_one_literal_and_nothing_else(odd: str, place: str) -> None:
    value = ALL_VALUES[odd]
    if place != "values":
        value = value[:1000]  # one place is enough for a long one
    query = PLACES[place](value)
    for dialect in DIALECTS:
        benign, hostile = of_benign(place, dialect), query.sql(dialect, AS_OF)

        changed = differences(benign, hostile, dialect)

        allowed = escaped(value, dialect)
        assert all(other in {one.replace(BENIGN, each) for each in allowed} for one, other in changed)
        assert changed
        assert differences(benign.bound, hostile.bound, dialect) <= (changed if place == "in documents" else set())
        assert hostile.params == with_value(benign.params, value)


def escaped(value: str, dialect: str) -> set[str]:
    """The value, and as it stands in the path of a document."""
    pointer = value.replace("~", "~0").replace("/", "~1")
    path = value.replace("\\", "\\\\").replace('"', '\\"')
    return {value, *({pointer} if dialect == "duckdb" else ()), *({path} if dialect == "bigquery" else ())}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("odd", ALL_VALUES)
def test_a_text_in_sql_of_ones_own_stays_that_text(odd: str, dialect: str) -> None:
    value = ALL_VALUES[odd]
    quoted = exp.Literal.string(value).sql(dialect)
    mark = "@" if dialect == "bigquery" else ":"
    sql = f"SELECT user_id FROM users WHERE plan = {quoted} AND created_at < {mark}as_of"
    source = replace(source_of("plain", upper=False), dialect=dialect)

    query = compile_definition(SqlAudience("A", sql), source, {})

    shown = query.sql(dialect, AS_OF)
    for text in (str(shown), shown.bound):
        texts = [token.text for token in sqlglot.tokenize(text, read=dialect) if token.token_type == TokenType.STRING]
        assert [found for found in texts if not found.startswith("2026-03-31")] == [value]
    assert len(shown.params) == 1


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("column", ["seats", "amount", "ratio"])
@pytest.mark.parametrize("number", NUMBERS, ids=repr)
def test_a_number_is_itself(number: float, column: str, dialect: str) -> None:
    kinds: dict[str, ColumnType] = {"user_id": "text", "seats": "integer", "amount": "decimal", "ratio": "float"}
    users = Table(("users",), tuple(Column(name, kind) for name, kind in kinds.items()))
    source = bind(SourceSettings(users=UserSettings("users", "user_id")), {"users": users})
    query = compile_definition(Audience("A", trait(column) == number), source, {})

    shown, values = query.sql(dialect, AS_OF), query.bound(dialect, AS_OF)[1]

    (compared,) = parsed(str(shown), dialect).find_all(exp.EQ)
    said = compared.expression
    sign = -1 if isinstance(said, exp.Neg) else 1
    (literal,) = said.find_all(exp.Literal)
    assert {type(node) for node in said.walk()} <= {exp.Neg, exp.Literal, exp.Cast, exp.DataType}
    if column == "ratio":  # of floats a whole number is the float nearest to it
        number = float(number)
    assert sign * Decimal(literal.this) == Decimal(repr(number))
    (bound,) = values.values() if isinstance(values, dict) else values
    assert bound in {number, Decimal(repr(number))}


@pytest.mark.parametrize("number", NO_NUMBERS, ids=lambda number: str(number)[:9])
def test_what_is_no_number_is_no_value(number: float) -> None:
    with pytest.raises(DefinitionError, match=r"takes a (finite|whole) number"):
        trait("seats").compare(">", number)


@pytest.mark.parametrize("text", LONE_SURROGATES, ids=ascii)
def test_half_a_character_is_no_value_and_no_name(text: str) -> None:
    said = trait("a") == 1
    makes: list[Callable[[str], object]] = [
        event, trait, prop, trait("a").equals, trait("a").contains, lambda name: Audience(name, said),
        lambda name: SqlAudience("A", f"SELECT '{name}' AS user_id FROM users"),
    ]  # fmt: skip
    for make in makes:
        with pytest.raises(DefinitionError, match="half a character"):
            make(text)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("zone", ["UTC", "Etc/GMT-14"])
@pytest.mark.parametrize("when", [*DATES, *INSTANTS], ids=str)
def test_a_date_is_itself_or_outside_of_the_years_that_there_are(when: dt.date, zone: str, dialect: str) -> None:
    source = replace(source_of("plain", upper=False), timezone=zone)
    for name in ("birthday", "trial_ends", "created_at"):
        definition = Audience("A", trait(name) >= when)
        if zone != "UTC" and when in {DATES[0], INSTANTS[1]}:  # there it is the year 0, or 10000
            with pytest.raises(DefinitionError, match="outside the years 1 to 9999"):
                compile_definition(definition, source, {})
            continue
        query = compile_definition(definition, source, {})
        (compared,) = parsed(str(query.sql(dialect, AS_OF)), dialect).find_all(exp.GTE, exp.GT)
        assert {type(node) for node in compared.expression.walk()} <= {exp.Cast, exp.Literal, exp.DataType}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("as_of", [*INSTANTS[:2], dt.datetime(1, 1, 2, tzinfo=dt.UTC)], ids=str)
def test_an_instant_outside_of_the_years_that_there_are_is_refused(as_of: dt.datetime, dialect: str) -> None:
    where = order.within(days=30).count() >= 1
    later = trait("created_at").within_next(days=3)
    query = compile_definition(Audience("A", where | later), source_of("full", upper=False), {})

    with pytest.raises(DefinitionError, match="outside the years 1 to 9999"):
        query.sql(dialect, as_of)


# ---------------------------------------------------------------------------------------------------------------- names


def named(name: str) -> Source:
    """A warehouse in which everything is called so."""

    def table(of: str, *columns: Column) -> Table:
        return Table((name, f"{of}{name}"), (*columns, Column(name, "text"), Column(f"{name}2", "integer")))

    ids = Column(f"id{name}", "text"), Column(f"account{name}", "text")
    at, document = Column(f"at{name}", "timestamp"), Column(f"document{name}", "json")
    tables = [
        table("users", ids[0], at), table("accounts", ids[1]), table("memberships", *ids, at),
        table("identities", *ids, at), table("events", *ids, at), table("documents", ids[0], at, document),
    ]  # fmt: skip
    schema = {of.name: of for of in tables}
    users, accounts, memberships, identities, events, documents = (of.name for of in tables)
    settings = SourceSettings(
        users=UserSettings(users, ids[0].name, at.name),
        accounts=AccountSettings(accounts, ids[1].name),
        memberships=MembershipSettings(memberships, ids[0].name, ids[1].name, at.name, at.name),
        identities=IdentitySettings(identities, ids[0].name, ids[1].name, name, at.name, anonymous_type="x"),
        events=EventSettings(
            events, {"Elsewhere": documents}, name=name, at=at.name, user=ids[0].name, properties=""
        ),
    )  # fmt: skip
    bound = bind(settings, schema)
    common, own = bound.events[-1], bound.events[0]
    anonymous = replace(common, anonymous=Column(f"account{name}", "text"), id=Column(f"{name}2", "integer"))
    return replace(bound, events=(replace(own, properties=document), anonymous))


def named_everywhere(name: str) -> Condition:
    read, number = trait(name), f"{name}2"
    paid = event("Paid")
    parts = [
        read.contains("x", ignore_case=True),
        trait(f"at{name}").within_last(days=3),
        paid.where((prop(name) == "x") & (prop(number) > 1)).within(days=3).sum(number) > 1,
        paid.most_frequent(name) == read,
        paid.unique(name).count() > 1,
    ]
    return functools.reduce(lambda one, other: one | other, parts)


def of_names(name: str) -> Iterator[Query]:
    source = named(name)
    yield compile_definition(Audience("A", named_everywhere(name)), source, {})
    of_accounts = AccountAudience("A", any_user(trait(name) == "x") & (trait(name) == "x"))
    yield compile_definition(of_accounts, source, {}, expand=True, carry=(name,))
    yield compile_lookup(source, "user", ["u1"])
    found = compile_property_names(source, "Elsewhere", 3)
    assert found is not None
    yield found
    yield compile_trait_values(source, "user", trait(name), 50)
    yield compile_property_values(source, "Paid", prop(name), 3, 50)


def forms(query: Query, dialect: str) -> list[str]:
    """The texts of a statement: shown, executed, and of a short one shown for a warehouse of another kind."""
    shown = query.sql(dialect, AS_OF)
    short = query.columns[0] == "property"
    return [str(shown), shown.bound, *([str(query.sql(dialect, AS_OF, foreign=True))] if short else [])]


@functools.cache
def of_benign_names(dialect: str) -> list[list[str]]:
    return [forms(query, dialect) for query in of_names(BENIGN)]


@pytest.mark.parametrize("odd", NAMES)
def test_a_name_changes_one_identifier_and_nothing_else(odd: str) -> None:
    name = NAMES[odd]
    for position, query in enumerate(of_names(name)):
        for dialect in DIALECTS:
            for benign, hostile in zip(of_benign_names(dialect)[position], forms(query, dialect), strict=True):
                changed = differences(benign, hostile, dialect)

                assert all(other == one.replace(BENIGN, name) for one, other in changed)
                assert changed


def of_key(key: str, dialect: str) -> list[str]:
    read = prop(key.replace(".", "\\."), "number")
    return forms(compile_definition(Trait("T", order.last(read)), source_of("json", upper=False), {}), dialect)


@pytest.mark.parametrize("odd", {**NAMES, "nul": NUL})
def test_the_key_of_a_document_is_a_text(odd: str) -> None:
    name = {**NAMES, "nul": NUL}[odd]
    for dialect in DIALECTS:
        for benign, hostile in zip(of_benign_key(dialect), of_key(name, dialect), strict=True):
            changed = differences(benign, hostile, dialect)

            allowed = escaped(name, dialect)
            assert all(other in {one.replace(BENIGN, each) for each in allowed} for one, other in changed)
            assert changed


@functools.cache
def of_benign_key(dialect: str) -> list[str]:
    return of_key(BENIGN, dialect)


# ------------------------------------------------------------------------------------------------ statements only read

#: Functions that the kit writes and sqlglot has no class for.
WRITTEN = {"array_contains", "as_array", "contains", "startswith", "to_varchar", "timezone", "list_contains", "unnest"}


def check_reads_only(tree: exp.Expr, dialect: str, tables: set[str]) -> None:
    parts = {cte.alias.casefold() for cte in tree.find_all(exp.CTE)}
    for node in tree.walk():
        kind = type(node).__name__
        if isinstance(node, exp.Anonymous):
            assert node.name.lower() in CALLED[dialect] | LINES[dialect] | WRITTEN
        else:
            assert kind in PARTS | FUNCTIONS
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            assert node.name.casefold() in parts | tables


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", DEFINITIONS)
def test_every_statement_reads_tables_of_the_source_and_does_nothing_else(name: str, dialect: str) -> None:
    layout, definition = DEFINITIONS[name]
    source = source_of(layout, upper=dialect == "snowflake")
    carry = EXPANDED.get(name, ())
    members = [source.users, source.accounts, source.memberships, source.identities]
    tables = {of.table.parts[-1].casefold() for of in [*members, *source.events] if of is not None}

    query = compile_definition(definition, source, REGISTRY, expand=bool(carry), carry=carry)

    check_reads_only(parsed(query.bound(dialect, AS_OF)[0], dialect), dialect, tables)


# ----------------------------------------------------------------------------------------------------- SQL of one's own


def asked_of(dialect: str) -> Source:
    return replace(source_of("full", upper=dialect == "snowflake"), dialect=dialect)


def underlined(error: DefinitionError) -> str:
    *_, line, carets = error.where.split("\n")
    return line[carets.index("^") : len(carets)]


def each(cases: Any) -> list[Any]:
    """Every case in every dialect that it is written in."""
    return [
        pytest.param(case, dialect, id=f"{dialect}-{case.sql[:60]!a}") for case in cases for dialect in case.dialects
    ]


@pytest.mark.parametrize(("case", "dialect"), each(REFUSED))
def test_sql_that_does_more_than_read_tables_is_refused(case: Refused, dialect: str) -> None:
    for definition in (SqlAudience("Mine", case.sql, dialect=dialect), SqlTrait("Mine", case.sql, dialect=dialect)):
        with pytest.raises(DefinitionError) as refused:
            compile_definition(definition, asked_of(dialect), {})

        error = refused.value
        assert case.words in str(error)
        assert error.hint
        assert error.where.startswith(f"{definition.kind} 'Mine': the SQL")
        str(error).encode()
    with pytest.raises(DefinitionError):
        compile_own_problems(SqlAudience("Mine", case.sql, dialect=dialect), asked_of(dialect))


@pytest.mark.parametrize(
    ("sql", "part", "hint"),
    [
        ("SELECT user_id FROM users WHERE pg_sleep(9) IS NULL", "pg_sleep", "view"),
        ("SELECT user_id\nFROM users\nWHERE lcase_(plan) = 'a'", "lcase_", "view"),
        ("SELECT user_id FROM users WHERE lisst_sum(plan) = 'a'", "lisst_sum", "did you mean 'list_sum'"),
        ("SELECT user_id FROM userz", "userz", "did you mean 'users'"),
        ("SELECT user_id FROM main.secret.userz AS u", "main.secret.userz", ""),
        ("WITH x AS (DELETE FROM users RETURNING user_id) SELECT user_id FROM x", "DELETE", "only reads"),
        ("SELECT user_id FROM users WHERE created_at < NOW()", "NOW", ":as_of"),
        ("SELECT user_id FROM users WHERE created_at < :now", "now", ":as_of"),
        ("SELECT user_id FROM read_csv('x.csv')", "read_csv", "load it into a table"),
        ("SELECT user_id FROM users USING SAMPLE 10", "SAMPLE", "split(...)"),
        ("SELECT user_id FROM users WHERE plan = E'a'", "E'a'", "plain quotes"),
        ("SELECT user AS user_id FROM users", "user", '"user"'),
        ("SELECT user_id FROM users WHERE (plan = 'a'", "'a'", "dialect="),
        ("DROP TABLE users", "DROP", "write SELECT"),
    ],
)  # fmt: skip
def test_an_error_underlines_what_is_wrong_and_says_what_to_write(sql: str, part: str, hint: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        compile_definition(SqlAudience("Mine", sql), asked_of("duckdb"), {})

    assert underlined(refused.value) == part
    assert hint in refused.value.hint


@pytest.mark.parametrize(("case", "dialect"), each(KEPT))
def test_sql_that_reads_tables_is_kept(case: Kept, dialect: str) -> None:
    query = compile_definition(SqlAudience("Mine", case.sql), asked_of(dialect), {})

    for text in forms(query, dialect):
        tree = parsed(text, dialect)
        check_reads_only(tree, dialect, {"users", "events"})
        assert not any(node.comments for node in tree.walk())


PIECES = {
    dialect: [
        [case.sql[token.start : token.end + 1] for token in sqlglot.tokenize(case.sql, read=dialect)]
        for case in KEPT
        if dialect in case.dialects
    ]
    for dialect in DIALECTS
}


ODD_PIECES = ["E'x FROM users --'", "$$", "evil", ";", "\x00", "@a", "'", "--", "SELECT", "DELETE", "nextval"]


@given(st.data())
def test_sql_in_any_disorder_is_refused_or_only_reads(data: st.DataObject) -> None:
    dialect = data.draw(st.sampled_from(DIALECTS))
    pieces = [*data.draw(st.sampled_from(PIECES[dialect]))]
    words = st.sampled_from([*(word for known in PIECES[dialect] for word in known), *ODD_PIECES])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(pieces) - 1))
        pieces[at : at + data.draw(st.integers(0, 1))] = data.draw(st.lists(words, min_size=1, max_size=2))
    source = asked_of(dialect)
    try:
        query = compile_definition(SqlTrait("Mine", " ".join(pieces)), source, {})
    except DefinitionError as refused:
        str(refused).encode()
        return
    check_reads_only(parsed(query.bound(dialect, AS_OF)[0], dialect), dialect, {"users", "events"})


def test_a_name_of_with_holds_where_it_stands_and_hides_no_table() -> None:
    source = asked_of("postgres")
    sql = (
        "WITH users AS (SELECT user_id FROM users), Both AS (SELECT users.user_id FROM users) "
        "SELECT both.user_id FROM both JOIN events ON events.user_id = both.user_id"
    )

    tree, _ = own_select(source, sql, "postgres", "user", valued=False)

    assert tree.sql("postgres") == (
        'WITH users_ AS (SELECT user_id FROM "users" AS users), Both AS (SELECT users.user_id FROM users_ AS users) '
        'SELECT both.user_id FROM Both AS both JOIN "events" AS events ON events.user_id = both.user_id'
    )


def test_a_part_of_with_takes_no_name_of_another() -> None:
    sql = "WITH users AS (SELECT user_id FROM users), users_ AS (SELECT user_id FROM users) SELECT user_id FROM users_"

    tree, _ = own_select(asked_of("duckdb"), sql, "duckdb", "user", valued=False)

    assert [part.alias for part in tree.find_all(exp.CTE)] == ["users__", "users_"]


def test_names_of_bigquery_may_have_dashes() -> None:
    source = asked_of("bigquery")
    users = Table(("my-project", "data", "users"), source.users.table.columns)
    sql = "SELECT users.user_id FROM my-project.data.users"

    tree, _ = own_select(replace(source, schema={users.name: users}), sql, "bigquery", "user", valued=False)

    assert tree.sql("bigquery") == "SELECT users.user_id FROM `my-project`.`data`.`users` AS users"


def test_what_may_be_called_exists_and_tells_no_time() -> None:
    assert all(hasattr(exp, name) for name in PARTS | FUNCTIONS)
    assert set(exp.DataType.Type.__members__) >= TYPES
    assert not (CLOCKS | CHANCE) & FUNCTIONS
    assert not any((CLOCKS | CHANCE) & names for names in CALLED.values())
    assert not {name for name in FUNCTIONS if name.startswith(("Current", "Read", "AI", "ML", "Generate"))}
