"""The statement that counts everybody by traits, as it is read and as it is executed."""

from __future__ import annotations

from pathlib import Path

import pytest

from personas_kit.compiler.spread import EDGES, compile_spread
from personas_kit.errors import DefinitionError, UnknownName
from tests.corpus import AS_OF, source_of

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.mark.parametrize("dialect", ["duckdb", "snowflake", "postgres", "bigquery"])
@pytest.mark.parametrize(
    ("name", "traits", "first"),
    [
        ("spread", ["plan", "seats", "birthday", "trial_ends", "active"], None),
        ("spread_of_some", ["plan", "active"], 100_000),
    ],
)
def test_the_sql_is_what_it_was(
    name: str, traits: list[str], first: int | None, dialect: str, request: pytest.FixtureRequest
) -> None:
    source = source_of("full", upper=dialect == "snowflake")

    sql = compile_spread(source, "user", traits, first).sql(dialect, AS_OF)

    path = GOLDEN / f"{name}.{dialect}.sql"
    text = f"{sql}\n\n-- executed:\n\n{sql.bound}\n"
    if request.config.getoption("--update-golden"):
        path.write_text(text, encoding="utf-8", newline="\n")
    assert path.read_text(encoding="utf-8") == text


def test_what_is_no_trait_is_refused() -> None:
    source = source_of("full", upper=False)

    with pytest.raises(UnknownName, match="there is no trait 'plam'"):
        compile_spread(source, "account", ["plam"])
    with pytest.raises(DefinitionError, match="has no accounts"):
        compile_spread(source_of("odd", upper=False), "account", [])


def test_edges_ascend() -> None:
    assert list(EDGES) == sorted(set(EDGES))
