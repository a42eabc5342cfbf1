"""docs/pushing.md says what the code does: every guard, step, column and exit code, and no other."""

import re
from pathlib import Path
from typing import get_args

import pytest

from personas_kit.activation import watching
from personas_kit.activation.guards import RUNNING, GuardName
from personas_kit.activation.history import RUNS, TABLES
from personas_kit.activation.past import PUSHES
from personas_kit.activation.report import STEPS
from personas_kit.activation.status import COLUMNS
from personas_kit.cli import codes
from personas_kit.membership.keys import LONGEST

PAGE = (Path(__file__).parents[1] / "docs" / "pushing.md").read_text(encoding="utf-8")


def table(below, head):
    """The cells of the table with this head, below a heading."""
    section = PAGE.split(f"\n## {below}\n")[1].split("\n## ")[0]
    lines = section.split(f"\n| {head} |")[1].splitlines()[2:]
    rows = [line for line in lines if line.startswith("|")][: _length(lines)]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def _length(lines):
    return next((at for at, line in enumerate(lines) if not line.startswith("|")), len(lines))


def names(cell):
    return re.findall(r"`(\w+)`", cell)


def test_every_guard_is_in_the_table_in_the_order_of_the_code():
    rows = table("Guards", "guard | it stops a plan when | override")

    assert [names(row[0])[0] for row in rows] == [*get_args(GuardName), RUNNING]


def test_the_table_knows_which_guards_are_final():
    rows = table("Guards", "guard | it stops a plan when | override")
    source = Path(watching.__file__).read_text(encoding="utf-8")
    final = {found[1] for found in re.finditer(r'Guard\(\s*"(\w+)"[^\n]*final=True', source)}

    assert {names(row[0])[0] for row in rows if row[2] == "final"} == final


def test_the_table_has_the_numbers_of_the_code():
    said = {names(row[0])[0]: row[1] for row in table("Guards", "guard | it stops a plan when | override")}

    assert f"{watching.REMOVALS_SHARE:.0%}".replace("%", " %") in said["removals"]
    assert f"more than {watching.REMOVALS_COUNT}" in said["removals"]
    assert f"{watching.TOTAL_SHARE:.0%}".replace("%", " %") in said["total_change"]
    assert f"more than {watching.TOTAL_COUNT:,}" in said["total_change"]
    assert f"{watching.SHRUNK_SHARE:.0%}".replace("%", " %") in said["source_shrank"]
    assert f"{LONGEST} characters" in said["long_members"]
    assert PUSHES == 12
    assert "twelve pushes" in PAGE.replace("\n", " ")


@pytest.mark.parametrize(
    ("below", "head", "known"),
    [
        ("The report", "step | what is in it | `report.step(...)`", STEPS),
        ("The status", "column | what it says", COLUMNS),
        ("The history", "column | what it says", RUNS),
    ],
    ids=["steps", "status", "history"],
)
def test_every_name_is_in_the_table_in_its_order(below, head, known):
    assert [name for row in table(below, head) for name in names(row[0])] == [*known]


def test_the_columns_of_the_history_say_what_the_code_says():
    assert {names(row[0])[0]: row[1] for row in table("The history", "column | what it says")} == dict(RUNS)
    for columns in TABLES.values():
        for name in columns:
            assert f"`{name}`" in PAGE


def test_every_exit_code_is_in_the_table():
    known = [codes.DONE, codes.ERROR, codes.USAGE, codes.GUARD, codes.REJECTS, codes.INTERRUPTED, codes.ELSEWHERE]

    assert [int(row[0]) for row in table("Exit codes", "code | meaning")] == known
