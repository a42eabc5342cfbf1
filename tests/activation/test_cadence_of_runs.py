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


def asked_at(folder, minutes, monkeypatch, **how):
    """What a run says of the audience, and the statements that the warehouse was asked for it."""
    workspace, asked = small.opened(folder), []
    query = workspace.warehouse.query

    def noted(statement, *rest, **named):
        asked.append(statement)
        return query(statement, *rest, **named)

    monkeypatch.setattr(workspace.warehouse, "query", noted)
    line = workspace.run(as_of=NOON + dt.timedelta(minutes=minutes), **how).lines[0]
    workspace.close()
    return line, asked


def test_what_is_not_due_costs_no_query(folder, monkeypatch):
    run(folder, 0)
    small.set_vips(folder, ["u1", "u2", "u3"])

    line, asked = asked_at(folder, 20, monkeypatch, approve="guards")
    assert (line.did, line.plan, asked) == ("not due", None, [])
    assert line.why == "this destination is due again at 2026-11-01 13:00 UTC"
    assert asked_at(folder, 60, monkeypatch, approve="guards")[1] != []


@pytest.mark.parametrize(
    ("how", "did"),
    [({}, "not due"), ({"approve": "guards", "override": ["interval"]}, "pushed")],
    ids=["only planned", "overridden"],
)
def test_who_wants_to_see_or_to_push_what_is_not_due_yet_gets_a_plan(folder, monkeypatch, how, did):
    run(folder, 0)
    small.set_vips(folder, ["u1", "u2", "u3"])

    line, asked = asked_at(folder, 20, monkeypatch, **how)
    assert (line.did, line.plan.changes["member"].len(), bool(asked)) == (did, 1, True)


def test_who_was_forgotten_leaves_before_the_sync_is_due(folder, monkeypatch):
    run(folder, 0)
    workspace = small.opened(folder)
    workspace.store.forget("u1")
    workspace.close()

    line, asked = asked_at(folder, 20, monkeypatch, approve="guards")
    assert (line.did, line.report.acknowledged, bool(asked)) == ("pushed", 1, True)


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


def test_what_is_acknowledged_in_part_starts_the_window_and_the_rest_rides_the_next(folder, sandbox):
    run(folder, 0)
    small.set_vips(folder, ["u2", "u3"])
    refuses_exits = ScriptedTransport(*[_no_exits] * 9)

    assert run(folder, 60, connect=lambda _: refuses_exits)["vips"] == "pushed"
    assert [run(folder, minutes)["vips"] for minutes in (80, 100, 120)] == ["not due", "not due", "pushed"]
    assert small.opened(folder).status().frame["acknowledged"].to_list() == [2]


def _no_exits(request):
    taken = b'{"audience_id": "1", "num_received": 1, "num_invalid_entries": 0}'
    return answer(200, taken) if request.method == "POST" else answer(413)


# --- by a cron, and in a cadence of the sync's own --------------------------------------------------------------------


def paced(folder, old, new):
    file = folder / "personas.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_a_cron_on_weekdays_pushes_on_its_ticks_and_catches_up_once(folder):
    paced(folder, 'every = "20m"', 'cron = "0 14 * * 1-5"')  # noon, minute 0 here, is that of a Sunday
    day, runs = 24 * 60, [0, 60, 26 * 60, 26 * 60 + 20, 27 * 60]

    assert [run(folder, minutes)["vips"] for minutes in runs] == ["pushed", "not due", "pushed", "not due", "not due"]
    after_three_days_off = [4 * day + 5 * 60, 4 * day + 6 * 60, 5 * day + 60, 5 * day + 2 * 60]
    assert [run(folder, minutes)["vips"] for minutes in after_three_days_off] == [
        "pushed", "not due", "not due", "pushed",
    ]  # fmt: skip


def test_a_sync_that_has_a_cadence_of_its_own_keeps_to_it(folder):
    paced(folder, 'ids = { email = "email" }', 'ids = { email = "email" }, every = "100m"')

    assert [run(folder, minutes)["vips"] for minutes in range(0, 240, 20)] == [
        *["pushed", "not due", "not due", "not due", "not due"] * 2, "pushed", "not due",
    ]  # fmt: skip


def test_another_cadence_counts_from_the_last_push(folder):
    run(folder, 0)
    paced(folder, 'every = "20m"', 'every = "3h"')
    assert run(folder, 60)["vips"] == "not due"
    paced(folder, 'every = "3h"', 'cron = "15 * * * *"')

    assert [run(folder, minutes)["vips"] for minutes in (60, 75)] == ["not due", "pushed"]


def test_the_status_and_a_run_say_when_it_is_due_next(folder):
    paced(folder, 'every = "20m"', 'cron = "0 14 * * 1-5"\ntimezone = "Europe/Berlin"')
    workspace = small.opened(folder)

    (line,) = workspace.run(approve="guards", override=["first_sync"], as_of=NOON).lines
    status = workspace.status()
    workspace.close()

    assert str(line) == "pushed    vips -> ads: 2 acknowledged, due next 2026-11-02 13:00 UTC"
    assert line.to_dict()["due"] == "2026-11-02T13:00:00Z"
    assert status.frame["often"].to_list() == ["at 14:00 on Monday through Friday, Europe/Berlin, at most every 1 h"]
    assert status.next.endswith("at 14:00 on Monday through Friday, Europe/Berlin, at most every 1 h)")
