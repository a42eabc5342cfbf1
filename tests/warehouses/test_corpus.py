"""The corpus, run by every warehouse over the same lines: the same members and values as DuckDB in memory gives."""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from personas_kit.compiler import Query, compile_definition, compile_several, metrics
from personas_kit.compiler.history import compile_history, compile_past_sizes
from personas_kit.compiler.source import ColumnType
from personas_kit.warehouses.base import Warehouse
from personas_kit.warehouses.duckdb import DuckDB
from personas_kit.warehouses.postgres import Postgres
from personas_kit.warehouses.snowflake import Snowflake
from tests.compiler.test_history import check
from tests.corpus import AS_OF, DEFINITIONS, EXPANDED, REGISTRY, TABLES, Cell, lines, source_of, table_of
from tests.postgres_server.server import Server
from tests.snowflake_emulator.emulator import Emulator
from tests.warehouses.conftest import DUCKDB_TYPES, POSTGRES_TYPES, SNOWFLAKE_TYPES

Quote = Callable[[Cell, ColumnType], str]
#: Weeks before, in whose windows other events lie; to a second; and now.
SHIFTS = (-21 * 86_400, -3 * 86_400 - 1, -2 * 86_400, 0)
#: What the emulator cannot do; see docs/snowflake.md for what a live Snowflake is asked instead.
_QUOTES = "the emulator's TO_VARCHAR of a text in a VARIANT has quotes"
EMULATOR = {
    "funnel_parent": _QUOTES,
    "json_compared": _QUOTES,
    "json_values": _QUOTES,
    "json_truths": "the emulator's TO_VARCHAR of a null in a VARIANT is a text",
    "json_dates": "the emulator has no TRY_TO_TIMESTAMP_TZ",
    "json_list": "the emulator has no ARRAY",
    "list_elements": "the emulator has no ARRAY",
}
ENGINES = [
    pytest.param("snowflake", marks=pytest.mark.emulator),
    pytest.param("postgres", marks=pytest.mark.postgres),
]


def made(types: Mapping[ColumnType, str], *, upper: bool) -> Iterator[str]:
    """The statements that make the corpus's tables."""
    for name, rows in lines().items():
        table = table_of(name, upper=upper)
        columns = ", ".join(f'"{of.name}" {types[of.type]}' for of in table.columns)
        yield f'CREATE TABLE "{table.parts[0]}" ({columns})'
        for start in range(0, len(rows), 100):
            selects = [
                "SELECT "
                + ", ".join(_literal(cell, of.type, types) for cell, of in zip(row, table.columns, strict=True))
                for row in rows[start : start + 100]
            ]
            yield f'INSERT INTO "{table.parts[0]}" {" UNION ALL ".join(selects)}'


def _literal(cell: Cell, kind: ColumnType, types: Mapping[ColumnType, str]) -> str:
    if cell is None:
        return f"CAST(NULL AS {types[kind]})"
    if kind == "json":
        text = _quoted(json.dumps(cell), types)
        return f"PARSE_JSON({text})" if types["json"] == "VARIANT" else f"CAST({text} AS {types[kind]})"
    if isinstance(cell, dt.datetime):
        return f"CAST('{cell.isoformat(sep=' ')}' AS {types[kind]})"
    if isinstance(cell, str):
        return f"CAST({_quoted(cell, types)} AS {types[kind]})"
    return f"CAST('{cell}' AS {types[kind]})"


def _quoted(text: str, types: Mapping[ColumnType, str]) -> str:
    doubled = text.replace("'", "''")
    return "'" + (doubled.replace("\\", "\\\\") if types["json"] == "VARIANT" else doubled) + "'"


@pytest.fixture(scope="module")
def reference() -> Iterator[Warehouse]:
    with duckdb.connect() as handle:
        for statement in made(DUCKDB_TYPES, upper=False):
            handle.execute(statement)
        yield DuckDB(connection=handle)


@pytest.fixture(scope="module")
def postgres(server: Server) -> Iterator[Warehouse]:
    server.run("CREATE SCHEMA corpus", "SET search_path = corpus", *made(POSTGRES_TYPES, upper=False))
    warehouse = Postgres("shop", schema="corpus")
    yield warehouse
    warehouse.close()


@pytest.fixture(scope="module")
def snowflake(emulator: Emulator) -> Iterator[Warehouse]:
    emulator.run("CREATE SCHEMA shop.corpus", "USE SCHEMA shop.corpus", *made(SNOWFLAKE_TYPES, upper=True))
    warehouse = Snowflake("emulator", schema="CORPUS", connections_file=emulator.connections)
    yield warehouse
    warehouse.close()


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Warehouse:
    found: Warehouse = request.getfixturevalue(request.param)
    return found


def answered(warehouse: Warehouse, query: Query, as_of: dt.datetime = AS_OF) -> list[tuple[Any, ...]]:
    """The lines, as plain values in an order of their own."""
    frame = warehouse.query(*query.bound(warehouse.dialect, as_of))
    return sorted((tuple(map(_plain, line)) for line in frame.iter_rows()), key=repr)


def _plain(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("["):
        value = json.loads(value)  # as Snowflake gives a list
    if isinstance(value, Decimal | float):
        return round(float(value), 6)
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None)
    return tuple(value) if isinstance(value, list) else value


def compiled(name: str, warehouse: Warehouse) -> Query:
    layout, definition = DEFINITIONS[name]
    carry = EXPANDED.get(name, ())
    source = source_of(layout, upper=warehouse.dialect == "snowflake")
    return compile_definition(definition, source, REGISTRY, expand=bool(carry), carry=carry)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_every_definition_has_somebody(name: str, reference: Warehouse) -> None:
    found = answered(reference, compiled(name, reference))

    assert found
    if DEFINITIONS[name][1].is_audience and not EXPANDED.get(name):
        assert len(found) < len(lines()["users"])  # nor everybody


@pytest.mark.parametrize("name", DEFINITIONS)
def test_every_warehouse_says_the_same(
    name: str, engine: Warehouse, reference: Warehouse, request: pytest.FixtureRequest
) -> None:
    if engine.dialect == "snowflake" and name in EMULATOR:
        request.applymarker(pytest.mark.xfail(strict=True, reason=EMULATOR[name]))

    assert answered(engine, compiled(name, engine)) == answered(reference, compiled(name, reference))


@pytest.mark.parametrize("layout", ["plain", "full"])
def test_all_of_a_layout_at_once_say_the_same(
    layout: str, engine: Warehouse, reference: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One statement for all of them; what they ask of events is computed together here, and apart there."""
    asked = {name: each for name, (of, each) in DEFINITIONS.items() if of == layout}
    found = []
    for warehouse, many in ((engine, 2), (reference, 1_000)):
        monkeypatch.setattr(metrics, "MANY", many)
        source = source_of(layout, upper=warehouse.dialect == "snowflake")
        several = compile_several([replace(each, key=name) for name, each in asked.items()], source, REGISTRY)
        found.append(answered(warehouse, several.query))

    assert found[0] == found[1]


@pytest.mark.parametrize("name", DEFINITIONS)
def test_many_instants_say_what_each_says_alone(name: str, reference: Warehouse) -> None:
    layout, definition = DEFINITIONS[name]

    check(functools.partial(answered, reference), definition, source_of(layout, upper=False), SHIFTS, REGISTRY)


@pytest.mark.parametrize("name", [name for name, (_, each) in DEFINITIONS.items() if each.is_audience])
def test_every_warehouse_says_the_same_of_many_instants(
    name: str, engine: Warehouse, reference: Warehouse, request: pytest.FixtureRequest
) -> None:
    """In one statement, what DuckDB says of each instant in one of its own."""
    if engine.dialect == "snowflake" and name in EMULATOR:
        request.applymarker(pytest.mark.xfail(strict=True, reason=EMULATOR[name]))
    layout, definition = DEFINITIONS[name]
    query = compile_definition(definition, source_of(layout, upper=False), REGISTRY)
    alone = [set(answered(reference, query, AS_OF + dt.timedelta(seconds=shift))) for shift in SHIFTS]
    before: list[set[tuple[Any, ...]]] = [set(), *alone]

    source = source_of(layout, upper=engine.dialect == "snowflake")
    found = answered(engine, compile_history(definition, source, REGISTRY, SHIFTS))
    sizes = answered(engine, compile_past_sizes(definition, source, REGISTRY, SHIFTS))

    assert sizes == [line[:2] for line in found]
    assert [line[:3] for line in found] == [
        (moment, len(now), len(now - before[moment])) for moment, now in enumerate(alone) if now
    ]


def test_every_table_has_lines() -> None:
    assert set(lines()) == set(TABLES)
