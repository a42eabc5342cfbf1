"""What a person reads: the SQL of definitions, kept as files. ``pytest tests/compiler --update-golden`` writes them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from personas_kit.compiler import Query, compile_definition
from tests.corpus import AS_OF, DEFINITIONS, EXPANDED, REGISTRY, source_of

#: What can be done to a warehouse, reading included.
STATEMENTS = (exp.Query, exp.DDL, exp.DML, exp.Command)


def _query(name: str, dialect: str) -> Query:
    layout, definition = DEFINITIONS[name]
    carry = EXPANDED.get(name, ())
    source = source_of(layout, upper=dialect == "snowflake")
    return compile_definition(definition, source, REGISTRY, expand=bool(carry), carry=carry)


@pytest.mark.parametrize("dialect", ["duckdb", "snowflake", "postgres", "bigquery"])
@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_sql_is_what_it_was(name: str, dialect: str, request: pytest.FixtureRequest) -> None:
    sql = _query(name, dialect).sql(dialect, AS_OF)
    params = list(sql.params) if isinstance(sql.params, tuple) else dict(sql.params)
    text = f"{sql}\n\n-- executed:\n\n{sql.bound}\n\n-- with:\n-- {params}\n"
    path = Path(__file__).parents[1] / "golden" / f"{name}.{dialect}.sql"
    if request.config.getoption("--update-golden"):
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
