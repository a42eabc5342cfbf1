"""A list that takes an update an hour, computed every twenty minutes: which runs push, and what they push."""

import datetime as dt
import hashlib

import pytest

from personas_kit.sandbox.local import Sandbox
from tests import small
from tests.activation.scripted import ScriptedTransport, answer

NOON = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
SECOND = """
[[audience]]
name = "Other"
where = "trait('vip') = true"
every = "20m"
to = [{ destination = "ads", list = "2", ids = { email = "email" } }]
"""


@pytest.fixture
def sandbox():
    with Sandbox() as running:
        yield running


@pytest.fixture
def folder(tmp_path, sandbox):
    small.make(tmp_path, sandbox.url, ["u1", "u2"])
    file = tmp_path / "personas.toml"
    text = file.read_text(encoding="utf-8").replace('name  = "Vips"\n', 'name  = "Vips"\nevery = "20m"\n')
    start, stop = text.index('    { destination = "analytics"'), text.index('    { destination = "ads"')
    file.write_text(text[:start] + text[stop:], encoding="utf-8")
    return tmp_path


def run(folder, minutes, seconds=0, connect=None):
    """What a run did with each sync, at so many minutes after noon."""
    workspace = small.opened(folder, connect=connect)
    at = NOON + dt.timedelta(minutes=minutes, seconds=seconds)
    lines = workspace.run(approve="guards", override=["first_sync"], as_of=at).lines
    workspace.close()
    return {line.key: line.did for line in lines}


def test_the_first_push_is_at_once_and_then_every_third_tick(folder):
    assert [run(folder, minutes)["vips"] for minutes in range(0, 140, 20)] == [
        "pushed", "not due", "not due", "pushed", "not due", "not due", "pushed",
    ]  # fmt: skip


def test_ticks_that_are_seconds_off_do_not_slip(folder):
    assert [run(folder, minutes, seconds)["vips"] for minutes, seconds in ((0, 4), (20, 1), (40, 9), (60, 1))] == [
        "pushed", "not due", "not due", "pushed",
    ]  # fmt: skip


def test_who_came_and_left_within_the_hour_is_never_sent(folder, sandbox):
    run(folder, 0)
    small.set_vips(folder, ["u1", "u2", "u3"])
    run(folder, 20)
    small.set_vips(folder, ["u1", "u4"])
    run(folder, 40)
    run(folder, 60)

    hashed = hashlib.sha256(b"u3@example.com").hexdigest()
    assert hashed not in str(sandbox.lists())
    assert small.on_the_list(sandbox) == 2


def test_after_a_gap_there_is_one_push_and_the_next_is_counted_from_it(folder):
    run(folder, 0)

    assert [run(folder, minutes)["vips"] for minutes in (500, 520, 540, 560)] == [
        "pushed", "not due", "not due", "pushed",
    ]  # fmt: skip


def test_a_push_that_failed_starts_no_window(folder, sandbox):
    down = ScriptedTransport(*[answer(401)] * 9)
    run(folder, 0, connect=lambda _: down)
    assert (len(down.sent), small.on_the_list(sandbox)) == (1, 0)

    assert run(folder, 20)["vips"] == "pushed"
    assert small.on_the_list(sandbox) == 2


def test_the_window_is_of_the_audience_and_not_of_the_destination(folder):
    run(folder, 0)
    with (folder / "personas.toml").open("a", encoding="utf-8") as file:
        file.write(SECOND)

    assert run(folder, 20) == {"vips": "not due", "other": "pushed"}
    assert run(folder, 60) == {"vips": "pushed", "other": "not due"}
    assert run(folder, 80) == {"vips": "not due", "other": "pushed"}
