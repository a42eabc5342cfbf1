"""Members in a file, part by part."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from personas_kit.activation.exports import export
from personas_kit.errors import PersonasError, WarehouseError

PARTS = [
    pl.DataFrame({"user_id": [], "value": []}, schema={"user_id": pl.String, "value": pl.Decimal(10, 2)}),
    pl.DataFrame(
        {"user_id": ["u1", "=cmd()"], "value": [Decimal("1.50"), None]}, schema_overrides={"value": pl.Decimal(10, 2)}
    ),
    pl.DataFrame({"user_id": ["u3"], "value": [Decimal("2.00")]}, schema_overrides={"value": pl.Decimal(10, 2)}),
]


@pytest.mark.parametrize("ending", [".parquet", ".ndjson", ".csv"])
def test_the_parts_are_one_file(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"members{ending}"

    assert export(PARTS, file) == 3

    read = {".parquet": pl.read_parquet, ".ndjson": pl.read_ndjson, ".csv": pl.read_csv}[ending](file)
    assert read["user_id"].to_list() == ["u1", "'=cmd()" if ending == ".csv" else "=cmd()", "u3"]
    assert [value if value is None else float(value) for value in read["value"]] == [1.5, None, 2.0]
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


@pytest.mark.parametrize("ending", [".parquet", ".ndjson", ".csv"])
def test_nobody_is_a_file_too(tmp_path: Path, ending: str) -> None:
    assert export(PARTS[:1], tmp_path / f"members{ending}") == 0
    assert (tmp_path / f"members{ending}").exists()


def test_an_answer_that_breaks_off_leaves_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "members.csv"
    file.write_text("before")

    def broken() -> Iterator[pl.DataFrame]:
        yield PARTS[1]
        raise WarehouseError("the connection was lost")

    with pytest.raises(WarehouseError):
        export(broken(), file)

    assert file.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["members.csv"]


def test_an_ending_that_is_not_known_says_which_are(tmp_path: Path) -> None:
    with pytest.raises(PersonasError) as raised:
        export(PARTS, tmp_path / "members.xlsx")

    assert raised.value.hint == "use .csv, .parquet, .ndjson"
