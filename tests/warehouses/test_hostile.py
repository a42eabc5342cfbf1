"""Hostile values, names and SQL, executed: a value finds its line, a name its column, and nothing is written."""

from __future__ import annotations

import json
import logging
import operator
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from personas_kit.clock import SystemClock
from personas_kit.compiler import Source, SourceSettings, bind, compile_definition, compile_several
from personas_kit.compiler.settings import EventSettings, UserSettings
from personas_kit.config import Config, WarehouseSettings
from personas_kit.definitions.definition import Audience, SqlAudience
from personas_kit.definitions.expressions import Condition
from personas_kit.definitions.vocabulary import event, prop, trait
from personas_kit.errors import DefinitionError, WarehouseError
from personas_kit.reading import Reader
from personas_kit.warehouses.base import Warehouse
from personas_kit.warehouses.duckdb import DuckDB
from personas_kit.warehouses.postgres import Postgres
from personas_kit.warehouses.snowflake import Snowflake
from tests.corpus import AS_OF
from tests.hostile import KEPT, NAMES, NUL, REFUSED, VALUES
from tests.postgres_server.server import Server
from tests.snowflake_emulator.emulator import Emulator
from tests.warehouses.conftest import DUCKDB_TYPES
from tests.warehouses.test_corpus import made as corpus

STOLEN = "personas_stolen"
CANARY = [("a", 1), ("b", 2)]
IDS = {f"u{at}": value for at, value in enumerate(VALUES.values())}
ENGINES = [
    "duckdb",
    pytest.param("postgres", marks=pytest.mark.postgres),
    pytest.param("snowflake", marks=pytest.mark.emulator),
]


@dataclass(frozen=True)
class Engine:
    """A warehouse of hostile lines, and its owner, who asks it past the kit."""

    warehouse: Warehouse
    run: Callable[..., list[tuple[Any, ...]]]

    @property
    def source(self) -> Source:
        users, events = (
            UserSettings("users", "user_id"),
            EventSettings("events", name="event", at="at", user="user_id", properties="document"),
        )
        return bind(SourceSettings(users=users, events=events), self.warehouse.schema())

    def members(self, where: Condition, source: Source | None = None) -> set[str]:
        query = compile_definition(Audience("A", where), source or self.source, {})
        return set(self.warehouse.query(*query.bound(self.warehouse.dialect, AS_OF))["user_id"].to_list())

    def reader(self) -> Reader:
        settings = SourceSettings(users=UserSettings("users", "user_id"))
        config = Config(Path("personas.toml"), WarehouseSettings(), Path(), settings)
        return Reader(config, self.warehouse, SystemClock(), dict)

    def untouched(self) -> None:
        """Everything is as it was."""
        assert sorted(self.run("SELECT id, n FROM canary")) == CANARY
        tables = {str(line[0]).lower() for line in self.run(TABLES[self.warehouse.dialect])}
        assert tables == {"canary", "users", "events"}
        assert not [*Path("/tmp").glob(f"{STOLEN}*")]  # noqa: S108 - where the statements would put it


TABLES = {
    "duckdb": "SELECT table_name FROM duckdb_tables()",
    "postgres": "SELECT relname FROM pg_class WHERE relnamespace = 'hostile'::regnamespace AND relkind IN ('r', 'v')",
    "snowflake": "SELECT table_name FROM information_schema.tables WHERE table_schema = 'HOSTILE'",
}


def users() -> pl.DataFrame:
    return pl.DataFrame({"user_id": [*IDS], "odd": [*IDS.values()]})


def events() -> pl.DataFrame:
    at = AS_OF.replace(tzinfo=None)
    lines = [(value, who, at, json.dumps({"key": value}, ensure_ascii=False)) for who, value in IDS.items()]
    return pl.DataFrame(lines, schema=["event", "user_id", "at", "document"], orient="row")


def made(json_type: str, text: str = "TEXT") -> list[str]:
    return [
        f"CREATE TABLE canary (id {text}, n INTEGER)",
        *(f"INSERT INTO canary VALUES ('{name}', {number})" for name, number in CANARY),
        f"CREATE TABLE users (user_id {text}, odd {text})",
        f'CREATE TABLE events (event {text}, user_id {text}, "at" TIMESTAMP, document {json_type})',
    ]


def filled(handle: duckdb.DuckDBPyConnection) -> None:
    for statement in [*made("JSON"), "CREATE SEQUENCE counter"]:
        handle.execute(statement)
    for name, frame in (("users", users()), ("events", events())):
        handle.register("frame", frame)
        handle.execute(f"INSERT INTO {name} SELECT * FROM frame")
        handle.unregister("frame")


@pytest.fixture(scope="module")
def duckdb_engine() -> Iterator[Engine]:
    """A connection that is lent."""
    with duckdb.connect() as owner:
        filled(owner)
        yield Engine(DuckDB(connection=owner), lambda said, *values: owner.execute(said, values or None).fetchall())


@pytest.fixture(scope="module")
def duckdb_file_engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    path = tmp_path_factory.mktemp("hostile") / "warehouse.duckdb"
    with duckdb.connect(path) as owner:
        filled(owner)

    def run(statement: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(path, read_only=True) as handle:
            return handle.execute(statement).fetchall()

    return Engine(DuckDB(path), run)


@pytest.fixture(scope="module")
def postgres_engine(server: Server) -> Iterator[Engine]:
    import psycopg

    with server.connect(cursor_factory=psycopg.RawCursor) as owner:

        def run(statement: str, *values: object) -> list[tuple[Any, ...]]:
            done = owner.execute(statement.encode(), values or None)
            return done.fetchall() if done.description else []

        for statement in [
            "CREATE SCHEMA hostile",
            "SET search_path = hostile",
            *made("JSONB"),
            "CREATE SEQUENCE counter",
        ]:
            run(statement)
        with owner.cursor() as cursor:
            cursor.executemany(b"INSERT INTO users VALUES ($1, $2)", users().rows())
            cursor.executemany(b"INSERT INTO events VALUES ($1, $2, $3, $4)", events().rows())
        warehouse = Postgres("shop", schema="hostile")
        yield Engine(warehouse, run)
        warehouse.close()


@pytest.fixture(scope="module")
def snowflake_engine(emulator: Emulator) -> Iterator[Engine]:
    import snowflake.connector

    emulator.run("CREATE SCHEMA shop.hostile")
    where = {
        "connections_file_path": str(emulator.connections),
        "enable_server_session_keep_alive_auto_detection": False,
    }
    with closing(
        snowflake.connector.connect(connection_name="emulator", schema="HOSTILE", paramstyle="qmark", **where)
    ) as owner:

        def run(statement: str, *values: object) -> list[tuple[Any, ...]]:
            with owner.cursor() as cursor:
                return [tuple(line) for line in cursor.execute(statement, values).fetchall()]

        for statement in made("VARIANT"):
            run(statement)
        for line in users().rows():
            run("INSERT INTO users VALUES (?, ?)", *line)
        for name, who, at, document in events().rows():
            run(
                "INSERT INTO events SELECT ?, ?, CAST(? AS TIMESTAMP_NTZ), PARSE_JSON(?)",
                name,
                who,
                at.isoformat(),
                document,
            )
        warehouse = Snowflake("emulator", schema="HOSTILE", connections_file=emulator.connections)
        yield Engine(warehouse, run)
        warehouse.close()


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    found: Engine = request.getfixturevalue(f"{request.param}_engine")
    return found


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The parser says of some statements that it does not know them; that they are refused is what counts here."""
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    yield
    logging.getLogger("sqlglot").setLevel(logging.NOTSET)


# --------------------------------------------------------------------------------------------------------------- values

odd, key = trait("odd"), prop("key", "string")
#: What is asked of a value, and of which values it is true.
ASKED: dict[str, tuple[Callable[[str], Condition], Callable[[str, str], bool]]] = {
    "equals": (lambda value: odd == value, operator.eq),
    "differs": (lambda value: odd != value, operator.ne),
    "one of": (lambda value: odd.one_of(value, "nobody"), operator.eq),
    "contains": (odd.contains, operator.contains),
    "starts with": (odd.starts_with, str.startswith),
    "ends with": (odd.ends_with, str.endswith),
    "orders": (lambda value: odd >= value, operator.ge),
    "event": (lambda value: event(value).count() == 1, operator.eq),
    "document": (lambda value: event(value).where(key == value).count() == 1, operator.eq),
    "document contains": (lambda value: event(value).where(key.contains(value)).count() == 1, operator.eq),
}  # fmt: skip


@pytest.mark.parametrize("asked", ASKED)
def test_a_value_finds_its_own_lines_and_no_others(asked: str, engine: Engine) -> None:
    """All values in one statement."""
    if engine.warehouse.dialect == "snowflake" and asked.startswith("document"):
        pytest.xfail("the emulator's TO_VARCHAR of a text in a VARIANT has quotes")
    where, holds = ASKED[asked]
    definitions = [Audience(f"A{at}", where(value)) for at, value in enumerate(VALUES.values())]
    several = compile_several(definitions, engine.source, {})

    found = engine.warehouse.query(*several.query.bound(engine.warehouse.dialect, AS_OF))

    for column, value in zip(several.asked, VALUES.values(), strict=True):
        lines = found.filter(pl.col(column.column) & pl.col("user_id").is_not_null())
        assert set(lines["user_id"]) == {who for who, own in IDS.items() if holds(own, value)}
    engine.untouched()


@pytest.mark.parametrize("odd_one", [name for name in VALUES if name != "long"])
def test_what_is_shown_can_be_pasted(odd_one: str, duckdb_engine: Engine) -> None:
    value = VALUES[odd_one]
    where = (odd == value) & odd.contains(value) & (event(value).where(key == value).count() == 1)
    shown = compile_definition(Audience("A", where), duckdb_engine.source, {}).sql("duckdb", AS_OF)

    assert duckdb_engine.run(str(shown)) == [(who,) for who, own in IDS.items() if own == value]
    assert duckdb_engine.members(where) == {who for who, own in IDS.items() if own == value}


def test_a_character_that_a_warehouse_cannot_hold(engine: Engine) -> None:
    for where in (odd == NUL, event("drop").where(prop(NUL) == "x").count() >= 1, event(NUL).count() >= 1):
        if engine.warehouse.dialect != "postgres":  # the others can
            assert engine.members(where) == set()
            continue
        with pytest.raises(WarehouseError, match=r"U\+0000") as refused:
            engine.members(where)
        assert refused.value.hint


# ---------------------------------------------------------------------------------------------------------------- names


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


#: Names that the emulator cannot make a table of; Snowflake can.
EMULATOR = {
    "single quote": "the emulator quotes no names in its own tables",
    "json path": "the emulator quotes no names in its own tables",
    "named placeholder": "the emulator takes it for a variable of the session, whatever its quotes",
}
#: The type of a document, and how one is bound.
DOCUMENTS = {"duckdb": ("JSON", "?"), "postgres": ("JSONB", "$1::JSONB"), "snowflake": ("VARIANT", "PARSE_JSON(?)")}


@pytest.mark.parametrize("odd_one", NAMES)
def test_a_name_is_that_of_a_table_of_columns_and_of_keys(odd_one: str, engine: Engine) -> None:
    if engine.warehouse.dialect == "snowflake" and odd_one in EMULATOR:
        pytest.xfail(EMULATOR[odd_one])
    name = NAMES[odd_one][:60]  # PostgreSQL keeps 63 letters
    table, other, column = quoted(name), quoted(f"{name}2"), quoted(name)
    json_type, document = DOCUMENTS[engine.warehouse.dialect]
    engine.run(f"CREATE TABLE {table} (id TEXT, {column} TEXT)")
    engine.run(f"INSERT INTO {table} VALUES ('u1', 'x'), ('u2', 'y')")
    engine.run(f'CREATE TABLE {other} (id TEXT, "at" TIMESTAMP, {column} TEXT, document {json_type})')
    insert = f"INSERT INTO {other} SELECT 'u1', CAST('2026-03-01' AS TIMESTAMP), 'Paid', {document}"
    try:
        engine.run(insert, json.dumps({name: "in a document"}))
        settings = SourceSettings(
            users=UserSettings(name, "id"),
            events=EventSettings(f"{name}2", name=name, at="at", user="id", properties="document"),
        )
        source = bind(settings, engine.warehouse.schema())
        paid = event("Paid")
        inside = prop(name.replace(".", "\\."), "string")

        assert engine.members(trait(name) == "x", source) == {"u1"}
        assert engine.members(trait(name).contains("y", ignore_case=True), source) == {"u2"}
        if engine.warehouse.dialect != "snowflake":  # the emulator's TO_VARCHAR of a text in a VARIANT has quotes
            assert engine.members(paid.where(inside == "in a document").count() == 1, source) == {"u1"}
        own = SqlAudience("Own", f"SELECT o.id AS user_id FROM {table} AS o WHERE o.{column} = 'y'")
        query = compile_definition(own, source, {})
        assert engine.warehouse.query(*query.bound(engine.warehouse.dialect, AS_OF))["user_id"].to_list() == ["u2"]
    finally:
        engine.run(f"DROP TABLE {table}")
        engine.run(f"DROP TABLE {other}")
    engine.untouched()


WORDS = {
    "duckdb": "SELECT DISTINCT keyword_name FROM duckdb_keywords() WHERE keyword_category <> 'unreserved'",
    "postgres": "SELECT word FROM pg_get_keywords() WHERE catcode <> 'U'",
}


@pytest.mark.parametrize("dialect", ["duckdb", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_every_word_of_the_language_is_a_name(dialect: str, request: pytest.FixtureRequest) -> None:
    """A table ``user`` is a table, and not who asks."""
    engine: Engine = request.getfixturevalue(f"{dialect}_engine")
    words = [word for (word,) in engine.run(WORDS[dialect])]
    tables = [f"CREATE TABLE {quoted(word)} (id TEXT, {quoted(word)} TEXT)" for word in words]
    for statement in tables:
        engine.run(statement)
    try:
        schema = engine.warehouse.schema()
        for word in words:
            source = bind(SourceSettings(users=UserSettings(word, "id")), schema)
            query = compile_definition(Audience("A", trait(word) == "x"), source, {}, carry=(word,))
            statement, params = query.bound(dialect, AS_OF)
            assert engine.warehouse.query(statement, params).columns == ["user_id", word]
    finally:
        for word in words:
            engine.run(f"DROP TABLE {quoted(word)}")


# ----------------------------------------------------------------------------------------------------- SQL of one's own


def test_sql_that_does_more_than_read_is_never_asked(engine: Engine, request: pytest.FixtureRequest) -> None:
    reader, dialect = engine.reader(), engine.warehouse.dialect
    assert reader.source
    emulator = request.getfixturevalue("emulator") if dialect == "snowflake" else None
    if emulator is not None:
        emulator.log()

    for case in REFUSED:
        if dialect in case.dialects:
            for ask in (reader.members, lambda one, as_of: reader.find([one], as_of)):
                with pytest.raises(DefinitionError):
                    ask(SqlAudience("Mine", case.sql), AS_OF)

    assert emulator is None or emulator.log() == []
    engine.untouched()


def test_sql_that_reads_is_asked() -> None:
    """Over the tables of the corpus."""
    with duckdb.connect() as handle:
        for statement in corpus(DUCKDB_TYPES, upper=False):
            handle.execute(statement)
        warehouse = DuckDB(connection=handle)
        source = bind(SourceSettings(users=UserSettings("users", "user_id")), warehouse.schema())
        for case in KEPT:
            if "duckdb" in case.dialects:
                query = compile_definition(SqlAudience("Mine", case.sql), source, {})
                assert warehouse.query(*query.bound("duckdb", AS_OF)).columns == ["user_id"]


@pytest.mark.parametrize("name", ["duckdb_file", *ENGINES])
def test_the_session_would_not_write_either(name: str, request: pytest.FixtureRequest) -> None:
    """Past the compiler: what is refused there is refused once more."""
    engine: Engine = request.getfixturevalue(f"{name}_engine")
    dialect = engine.warehouse.dialect
    known = [case for case in REFUSED if case.writes and dialect in case.dialects]
    if dialect == "snowflake":  # whose emulator has no sequences, and runs several statements whatever the session says
        known = [case for case in known if "counter.n" not in case.sql.lower() and ";" not in case.sql]
    for case in known:
        for ask in (engine.warehouse.query, lambda sql, params: [*engine.warehouse.batches(sql, params)]):
            with pytest.raises(WarehouseError):
                ask(case.sql, {} if dialect == "duckdb" else ())

    assert len(known) > 10
    engine.untouched()


@pytest.mark.postgres
def test_a_session_of_postgresql_reads_only_whatever_it_was_told(server: Server, postgres_engine: Engine) -> None:
    told = "SELECT set_config('default_transaction_read_only', 'off', FALSE) AS said"
    assert postgres_engine.warehouse.query(told, ()).height == 1

    with pytest.raises(WarehouseError, match="read-only transaction"):
        postgres_engine.warehouse.query("WITH gone AS (DELETE FROM canary RETURNING id) SELECT id FROM gone", ())
    with pytest.raises(WarehouseError, match="read-only transaction"):
        [*postgres_engine.warehouse.batches("SELECT nextval('counter') AS n", ())]

    postgres_engine.untouched()


@pytest.mark.emulator
def test_a_session_of_snowflake_takes_one_statement_at_a_time(emulator: Emulator) -> None:
    emulator.log()
    with closing(Snowflake("emulator", connections_file=emulator.connections)) as warehouse:
        warehouse.query("SELECT 1 AS one", ())

    (login,) = [entry["login"] for entry in emulator.log() if "login" in entry]
    assert str(login["SESSION_PARAMETERS"]["MULTI_STATEMENT_COUNT"]) == "1"


def test_a_lent_connection_is_still_its_owners(duckdb_engine: Engine) -> None:
    with pytest.raises(WarehouseError, match="read-only"):
        [*duckdb_engine.warehouse.batches("SELECT nextval('counter') AS n", {})]

    assert duckdb_engine.run("SELECT nextval('counter')") == [(1,)]


def test_files_are_the_only_files_that_are_read(tmp_path: Path) -> None:
    shop, secret = tmp_path / "it's [new]", tmp_path / "secret.csv"
    (shop / "events").mkdir(parents=True)
    pl.DataFrame({"user_id": ["u1"]}).write_parquet(shop / "events" / "one.parquet")
    secret.write_text("password\nhunter2\n")
    warehouse = DuckDB(files={"events": "events/*.parquet"}, base=shop)

    assert warehouse.query("SELECT user_id FROM events", {})["user_id"].to_list() == ["u1"]
    for reading in (f"read_csv('{secret}')", f"read_text('{secret}')", f"glob('{tmp_path}/*')", f"'{secret}'"):
        with pytest.raises(WarehouseError, match=r"(disabled by configuration|does not exist)"):
            warehouse.query(f"SELECT * FROM {reading}", {})
