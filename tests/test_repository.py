"""What holds for every file that is committed."""

import ast
import re
import subprocess
from pathlib import Path

import pytest
import sqlglot

from personas_kit.warehouses.snowflake_live import CHECKS

ROOT = Path(__file__).parents[1]


def committed() -> dict[str, str]:
    """Path to text, of every committed text file but this one, which names what it looks for."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    here = Path(__file__).relative_to(ROOT).as_posix()
    texts = {}
    for name in filter(None, listed.split("\0")):
        try:
            texts[name] = (ROOT / name).read_text(encoding="utf-8") if name != here else ""
        except (UnicodeDecodeError, FileNotFoundError):  # binary, or removed but not yet committed
            continue
    return texts


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return committed()


def found(pattern: str, texts: dict[str, str]) -> list[str]:
    """``file: match``, for all matches."""
    compiled = re.compile(pattern)
    return [f"{name}: {match[0]}" for name, text in texts.items() for match in compiled.finditer(text)]


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        (
            "the address of a package index",
            r"(?<!emit)-(?:extra-)?index-url|(?<!emit)-find-links|/simple/?\b(?=['\" \n])",
        ),
        (
            "the address of a package index",
            r"(?i)\b(?:files\.pythonhosted|registry\.npmjs|deb\.debian|repo\.anaconda)\.\w+",
        ),
        ("a path on somebody's machine", r"(?<![\w.}/-])/(?:home|root|work|Users)/\w+"),
        ("a note to oneself", r"\b(?:TODO|FIXME|XXX|HACK)\b"),
        ("a conflict", r"(?m)^(?:<<<<<<<|>>>>>>>) "),
        ("a key", r"-----BEGIN (?:\w+ )?PRIVATE KEY-----\n|\bAKIA[0-9A-Z]{16}\b|\bsk_live_\w{8,}"),
    ],
)
def test_no_file_holds(what, pattern, texts):
    assert found(pattern, texts) == [], what


def test_every_package_says_what_it_is_for():
    silent = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "personas_kit").rglob("__init__.py"))
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_code_uses_the_words_of_the_glossary(texts):
    """One word per idea: acknowledged, change, member; not their synonyms."""
    synonyms = {"acked", "ack", "diff", "diffs", "dirty", "upsert", "upserts"}
    used = [
        f"{name}: {node.name}"
        for name, text in texts.items()
        if name.startswith("personas_kit/") and name.endswith(".py")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and synonyms & set(re.findall(r"[A-Z]?[a-z]+", node.name.replace("_", " ")))
    ]
    assert used == []


def test_scripts_can_be_run_as_they_are(texts):
    """Git keeps the executable bit of what starts with a shebang."""
    staged = subprocess.run(["git", "ls-files", "-s"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    modes = {line.split("\t")[1]: line.split()[0] for line in staged.splitlines()}
    scripts = [name for name, text in texts.items() if text.startswith("#!")]

    assert [name for name in scripts if modes[name] != "100755"] == []


# -------------------------------------------------------------------------------------------------------- SQL of people

SQL_FILES = {
    "sql/snowflake/grants.sql": ["snowflake"],
    "sql/postgres/grants.sql": ["postgres"],
    "sql/snowflake/state.sql": ["snowflake"],
    "sql/postgres/state.sql": ["postgres"],
    "sql/sources/rudderstack.sql": ["duckdb", "snowflake", "postgres"],
    "sql/sources/segment.sql": ["duckdb", "snowflake", "postgres"],
    "sql/sources/segment_profiles_sync.sql": ["duckdb", "snowflake", "postgres"],
}


@pytest.mark.parametrize("name", SQL_FILES)
def test_the_sql_for_people_can_be_read_by_its_dialects(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")

    for dialect in SQL_FILES[name]:
        statements = [found for found in sqlglot.parse(text, read=dialect) if found is not None]
        assert len(statements) == text.count(";\n")


def test_every_live_check_stands_in_the_document() -> None:
    document = (ROOT / "docs" / "snowflake.md").read_text(encoding="utf-8")

    assert [name for name in CHECKS if f"`{name}`" not in document] == []
