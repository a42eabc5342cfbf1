"""What a person reads in the query history where changes are computed in the warehouse."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlglot

from personas_kit.compiler.differing import Kept, Known, compile_differing, members_statement
from personas_kit.definitions import Trait, event
from tests.corpus import AS_OF, REGISTRY, source_of

ORDERS = Trait("Orders", event("Order Completed").within(days=30).count())
DIALECTS = ["duckdb", "postgres", "snowflake"]


def _parts(dialect: str, name: str) -> tuple[str, ...]:
    parts = {"duckdb": ("warehouse", "personas", name)}.get(dialect, ("personas", name))
    return tuple(part.upper() for part in parts) if dialect == "snowflake" else parts


def _known(dialect: str, unknown: str = "") -> Known:
    base, *changes = (_parts(dialect, f"members_{name}") for name in ("base", "first", "second"))
    return Known(base, tuple(changes), unknown)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_sql_of_who_differs_is_what_it_was(dialect: str, request: pytest.FixtureRequest) -> None:
    known = [Known(_parts(dialect, "members_other")), _known(dialect, "orders -> analytics")]
    forgotten = (_parts(dialect, "forgotten"), _parts(dialect, "meta"))
    kept = Kept(known, _parts(dialect, "unknown_member"), forgotten, integers=False)
    source = source_of("segment", upper=dialect == "snowflake")

    sql = compile_differing(ORDERS, source, REGISTRY, kept, of="user").sql(dialect, AS_OF)

    path = Path(__file__).parents[1] / "golden" / f"differing.{dialect}.sql"
    if request.config.getoption("--update-golden"):
        path.write_text(f"{sql}\n", encoding="utf-8", newline="\n")
    assert path.read_text(encoding="utf-8") == f"{sql}\n"
    assert len(sqlglot.parse(sql.bound, read=dialect)) == 1


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_statement_of_a_new_base_binds_nothing(dialect: str) -> None:
    text = members_statement(_known(dialect), dialect, integers=False, values=True)

    assert not {"?", "$1", "$p1"} & set(text.split())
    assert len(sqlglot.parse(text, read=dialect)) == 1
