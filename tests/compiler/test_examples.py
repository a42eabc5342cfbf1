"""The compiled examples under ``sql/examples`` are what the compiler says of the demo's definitions."""

from pathlib import Path

import pytest

from personas_kit.company import open_demo
from personas_kit.company.generate import DEMO_AS_OF

EXAMPLES = Path(__file__).parents[2] / "sql" / "examples"
DIALECTS = ("duckdb", "snowflake", "postgres", "bigquery")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    opened = open_demo(tmp_path_factory.mktemp("demo"))
    yield opened
    opened.close()


def test_the_examples_are_true(workspace, request):
    made = {}
    for key, definition in workspace.definitions.items():
        for dialect in DIALECTS:
            sql = workspace.sql(key, dialect=dialect, as_of=DEMO_AS_OF)
            made[f"{key}.{dialect}.sql"] = f"-- {definition.name}: {definition.expression}\n{sql};\n"
    if request.config.getoption("--update-golden"):
        for name, text in made.items():
            (EXAMPLES / name).write_text(text, encoding="utf-8", newline="\n")

    assert {path.name: path.read_text(encoding="utf-8") for path in EXAMPLES.glob("*.sql")} == made
