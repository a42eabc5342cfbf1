"""What goes wrong when SQL is translated word for word from one warehouse to another: none of it is written."""

from __future__ import annotations

import functools
import re

import pytest
from sqlglot import exp

from personas_kit.compiler import compile_definition
from personas_kit.compiler.dialects import find
from personas_kit.definitions.definition import Audience, Trait
from personas_kit.definitions.vocabulary import event, prop, split, trait
from tests.corpus import AS_OF, DEFINITIONS, EXPANDED, REGISTRY, source_of

DIALECTS = ["duckdb", "snowflake", "postgres", "bigquery"]
#: What differs between warehouses, is undefined in one of them, or depends on the session; and what is written instead.
NEVER = {
    r"\bMODE\(": "needs WITHIN GROUP in PostgreSQL, and says nothing of ties: a count and a rank",
    r"\b(ARG_MAX|ARG_MIN|MAX_BY|MIN_BY|FIRST_VALUE|LAST_VALUE|ANY_VALUE)\(": "PostgreSQL has none; ties: a rank",
    r"\b(APPROX_\w+|HLL)\(": "another answer in every warehouse: COUNT(DISTINCT)",
    r"\b(DATEDIFF|DATE_DIFF|DATE_TRUNC|TIMESTAMPDIFF)\(": "counts midnights here and hours there: a bound instant",
    r"\bCURRENT_(TIMESTAMP|DATE|TIME)\b|\bNOW\(|\bGETDATE\(|\bSYSDATE": "another instant in every query: as_of",
    r"\b(I?LIKE|SIMILAR TO)\b": "% and _ of the person's text would be wildcards: STRPOS, CONTAINS",
    r"\b(MEDIAN|PERCENTILE_\w+|QUANTILE)\w*\(": "interpolates here and not there",
    r"(?<!_)\bHASH\(|\bSHA\d*\(|\bFARM_FINGERPRINT\(": "another hash in every warehouse: MD5",
    r"\bARRAY_SLICE\(|\bLIMIT\b(?! \d)": "not inside an aggregate in any of them",
    r"\bJSON_EXTRACT_PATH": "of JSON, not of JSONB, in PostgreSQL: #>>",
    r"\bQUALIFY\b": "PostgreSQL has none: a subquery",
    r"\bIS (NOT )?(TRUE|FALSE)\b": "BigQuery and Snowflake differ in where it may stand: COALESCE(..., FALSE)",
}
#: Statements of a person's own are translated, not written by the kit.
OWN = {"own_sql", "own_value", "listed_accounts"}


@functools.cache
def texts(name: str, dialect: str) -> tuple[str, str]:
    """What is shown and what is executed."""
    layout, definition = DEFINITIONS[name]
    source, carry = source_of(layout, upper=dialect == "snowflake"), EXPANDED.get(name, ())
    sql = compile_definition(definition, source, REGISTRY, expand=bool(carry), carry=carry).sql(dialect, AS_OF)
    return str(sql), sql.bound


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(("construct", "instead"), NEVER.items())
def test_what_warehouses_understand_differently_is_never_written(construct: str, instead: str, dialect: str) -> None:
    for name in DEFINITIONS.keys() - OWN:
        for text in texts(name, dialect):
            outside = re.sub(r"'(?:[^']|'')*'", "''", text)
            assert not re.search(construct, outside), f"{name}: {instead}"


def written(definition: Audience | Trait, layout: str, dialect: str) -> str:
    return str(compile_definition(definition, source_of(layout, upper=dialect == "snowflake"), {}).sql(dialect, AS_OF))


@pytest.mark.parametrize(
    ("dialect", "says"),
    [
        ("duckdb", "CAST('2026-03-31 12:00:00' AS TIMESTAMP)"),
        ("snowflake", "CAST('2026-03-31 12:00:00' AS TIMESTAMPNTZ)"),  # TIMESTAMP alone is what the account says
        ("postgres", "CAST('2026-03-31 12:00:00' AS TIMESTAMP)"),
        ("bigquery", "CAST('2026-03-31 12:00:00' AS DATETIME)"),  # whose TIMESTAMP has a zone
    ],
)
def test_an_instant_without_a_zone_has_the_type_of_each(dialect: str, says: str) -> None:
    assert says in written(Audience("A", event("Order Completed").within(days=1).count() >= 1), "plain", dialect)


@pytest.mark.parametrize(
    ("dialect", "says"),
    [
        ("duckdb", "CONTAINS(users_now.plan, '%_')"),
        ("snowflake", "CONTAINS(users_now.PLAN, '%_')"),
        ("postgres", "STRPOS(users_now.plan, '%_') > 0"),
        ("bigquery", "STRPOS(users_now.plan, '%_') > 0"),
    ],
)
def test_a_substring_has_no_wildcards(dialect: str, says: str) -> None:
    assert says in written(Audience("A", trait("plan").contains("%_")), "plain", dialect)


@pytest.mark.parametrize(
    ("dialect", "says"),
    [
        ("duckdb", "JSON_EXTRACT_STRING(e.properties, '/cart/size')"),
        ("snowflake", "TO_VARCHAR(GET(GET(e.PROPERTIES, 'cart'), 'size'))"),
        ("postgres", "e.properties #>> ARRAY['cart', 'size']"),
        ("bigquery", """JSON_VALUE(e.properties, '$."cart"."size"')"""),
    ],
)
def test_a_path_into_a_document_is_spelt_as_each_does(dialect: str, says: str) -> None:
    where = event("Order Completed").where(prop("cart.size") == "2").count() >= 1

    assert says in written(Audience("A", where), "json", dialect)


@pytest.mark.parametrize(
    ("dialect", "says"),
    [
        ("duckdb", "MD5('spring:' ||"),
        ("snowflake", "MD5('spring:' ||"),
        ("postgres", "MD5('spring:' ||"),
        ("bigquery", "TO_HEX(MD5('spring:' ||"),  # whose MD5 gives bytes
    ],
)
def test_an_arm_is_the_same_everywhere(dialect: str, says: str) -> None:
    assert says in written(Audience("A", split("spring", (0, 50))), "plain", dialect)


@pytest.mark.parametrize(
    ("dialect", "says"),
    [
        ("duckdb", r"MIN\(e\.colour\)"),
        ("snowflake", r"MIN\(e\.COLOUR\)"),
        ("postgres", r'COLLATE "C"'),  # else by the language of the server
        ("bigquery", r"MIN\(e\.colour\)"),
    ],
)
def test_texts_are_ordered_by_their_code_points(dialect: str, says: str) -> None:
    assert re.search(says, written(Trait("T", event("Order Completed").min("colour")), "plain", dialect))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_where_missing_values_go_is_always_said(dialect: str) -> None:
    """Or follows from the dialect's own default: a missing value is the smallest."""
    smallest_first = {"duckdb": "NULLS FIRST", "snowflake": "NULLS FIRST", "postgres": "NULLS FIRST", "bigquery": ""}

    shown = written(Trait("T", event("Order Completed").first("colour")), "plain", dialect)

    (order,) = re.findall(r"ROW_NUMBER\(\) OVER \((.*?)\) AS place", shown, re.DOTALL)
    assert order.count("NULLS FIRST") == (3 if smallest_first[dialect] else 0), order


def test_a_list_of_bigquery_is_ordered_without_a_word_of_missing_values() -> None:
    """An aggregate there may not say NULLS LAST of an ascending order, and a list has no missing value in it."""
    lists = [text for name in DEFINITIONS for text in texts(name, "bigquery") if "ARRAY_AGG(" in text]

    assert lists
    assert not any(re.search(r"ARRAY_AGG\([^)]*\bNULLS\b", text) for text in lists)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Prague"])
def test_a_text_without_an_offset_is_no_instant_of_the_default_zone_of_a_project(zone: str) -> None:
    text = exp.column("happened")

    read = find("bigquery").op("instant", [text], (zone,)).sql("bigquery")

    assert read.endswith(
        "COALESCE(SAFE_CAST(happened AS DATETIME), DATETIME(SAFE_CAST(happened AS TIMESTAMP), 'UTC'))"
        + ("" if zone == "UTC" else " END")
    )


@pytest.mark.parametrize("word", ["interval", "grouping", "preceding", "treat", "unbounded"])
def test_what_bigquery_keeps_for_itself_is_quoted(word: str) -> None:
    assert find("bigquery").identifier(word).sql("bigquery") == f"`{word}`"
