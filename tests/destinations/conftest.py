"""Finds every destination and its fixture by folder; one lacking the other fails."""

import datetime as dt
import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import polars as pl

from personas_kit.destinations import DESTINATIONS, Computation
from personas_kit.secret import Secret

FIXTURES = Path(__file__).parents[1] / "fixtures" / "destinations"
CANARY = "canary-4f1c-secret"
COLUMNS = ("user_id", "account_id", "change", "value", "message_id", "member", "id_email")


def fixture_of(slug):
    """What the destination's fixture says."""
    return json.loads((FIXTURES / f"{slug}.json").read_text(encoding="utf-8"))


def connect(slug):
    """A connection with the settings of its fixture; every secret is the canary."""
    fixture = fixture_of(slug)
    values = {
        name: Secret("env", "DESTINATION_CANARY") if isinstance(value, dict) else value
        for name, value in fixture["settings"].items()
    }
    return DESTINATIONS[slug].configure("it", values, url=fixture.get("url"))


def computation_of(fixture):
    """What was computed."""
    about = fixture["computation"]
    return Computation(about["key"], about["kind"], about["name"], tuple(about.get("integrations", ())))


def batch_of(lines):
    """A batch from short lines: what they leave out is missing, the time is noon."""
    full = [{name: line.get(name) for name in COLUMNS} for line in lines]
    frame = pl.DataFrame(full, schema=dict.fromkeys(COLUMNS, pl.String))
    noon = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
    kept = [name for name in COLUMNS if name != "id_email" or any("id_email" in line for line in lines)]
    return frame.select(kept).with_columns(timestamp=pl.lit(noon, pl.Datetime("us", "UTC")))


def readable(request):
    """A request the way a fixture writes it."""
    text = request.content.decode()
    if request.headers["content-type"].startswith("application/json"):
        body = json.loads(text)
    else:
        body = {name: json.loads(value[0]) for name, value in parse_qs(text).items()}
    parts = urlsplit(request.url)
    return {
        "method": request.method,
        "host": parts.netloc,
        "path": parts.path,
        "body": body,
        "lines": list(request.lines),
    }
