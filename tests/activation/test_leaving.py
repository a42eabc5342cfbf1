"""Who leaves for good: everyone of a definition that goes, and one person who is to be forgotten."""

import pytest

from personas_kit.errors import PersonasError, UnknownName
from personas_kit.sandbox import Fault, Sandbox
from tests import small
from tests.activation.test_delivery import Ticking

TEN = [f"u{n}" for n in range(10)]


@pytest.fixture
def sandbox():
    with Sandbox() as running:
        yield running


@pytest.fixture
def folder(tmp_path, sandbox):
    small.make(tmp_path, sandbox.url, TEN)
    return tmp_path


@pytest.fixture
def clock():
    return Ticking()


@pytest.fixture
def workspace(folder, clock):
    return small.opened(folder, clock)


# ----------------------------------------------------------------------------------------------- a definition that goes


def test_removing_a_definition_plans_the_exits_of_everyone_and_sends_nothing(workspace, sandbox):
    workspace.plan("vips").push()
    before = len(sandbox.requests)
    plan = workspace.remove("vips")

    assert (plan.guards, plan.changes["change"].unique().to_list(), plan.changes.height) == ((), ["exit"], 30)
    assert len(sandbox.requests) == before
    assert "vips" not in workspace.definitions

    assert plan.push().complete
    assert (small.received(sandbox), small.on_the_list(sandbox)) == (set(), 0)
    assert workspace.remove("vips") is None


def test_a_definition_that_is_gone_from_the_file_is_removed_by_its_key(workspace, sandbox, folder, clock):
    workspace.plan("vips").push()
    text = (folder / "personas.toml").read_text(encoding="utf-8")
    (folder / "personas.toml").write_text(text[: text.index("[[audience]]")])
    clock.day += 1

    later = small.opened(folder, clock)
    assert later.remove("vips", to="analytics").push().complete
    assert small.received(sandbox) == set()
    assert [event["event"] for event in sandbox.events()].count("Audience Exited") == 10
    assert small.on_the_list(sandbox) == 10

    assert later.remove("vips").push().complete
    assert small.on_the_list(sandbox) == 0


def test_a_key_that_nobody_knows_is_said_with_the_nearest(workspace):
    with pytest.raises(UnknownName, match="vips"):
        workspace.remove("vip")


def test_what_was_never_pushed_leaves_without_a_plan(workspace):
    assert workspace.remove("vips") is None
    assert dict(workspace.definitions) == {}


# -------------------------------------------------------------------------------------------- a person who is forgotten


def test_a_forgotten_person_leaves_everywhere_and_no_later_run_adds_them_again(workspace, sandbox, folder, clock):
    workspace.plan("vips").push()
    report = workspace.forget("u3", confirm="u3")

    assert report.complete
    assert sorted(line.state for line in report.lines) == ["taken out"] * 3
    rest = {name for name in TEN if name != "u3"}
    assert (small.received(sandbox), small.on_the_list(sandbox)) == (rest, 9)
    assert [event["user_id"] for event in sandbox.events() if event["event"] == "Audience Exited"] == ["u3"]

    clock.day += 1
    plan = small.opened(folder, clock).plan("vips")
    assert (plan.changes.height, {sync.suppressed for sync in plan.syncs}) == (0, {1})
    assert plan.push().complete
    assert small.received(sandbox) == rest


def test_forgetting_somebody_is_no_push_of_the_others(workspace, clock):
    """When the sync is due, what has passed since, and how many were wanted stay as the last push left them."""
    workspace.plan("vips").push()
    before = {sync: (of.last_as_of, of.last_push, of.members, of.fingerprint) for sync, of in workspace.store.syncs()}
    clock.day += 5
    assert workspace.forget("u3", confirm="u3").complete

    after = {sync: (of.last_as_of, of.last_push, of.members, of.fingerprint) for sync, of in workspace.store.syncs()}
    assert after == before


def test_nothing_of_a_forgotten_person_stays_in_the_state(workspace, folder, clock):
    everybody = [f"person{n:03}" for n in range(50)]
    small.set_vips(folder, everybody)
    workspace.plan("vips").push()
    workspace.forget("person007", confirm="person007")
    clock.day += 1
    workspace.plan("vips").push()

    for sync, state in workspace.store.syncs():
        assert not state.acknowledged["member"].str.contains("person007").any(), sync
    parts = [path for path in (folder / ".personas").rglob("*") if path.is_file() and path.suffix != ".sqlite"]
    assert not any(b"person007" in path.read_bytes() for path in parts)
    marks = workspace.store.forgotten()
    assert "person007" in marks
    assert "person007" not in repr(marks)
    assert all("person007" not in mark for mark in marks.marks)


def test_nothing_stays_of_a_person_who_had_left_before(workspace, folder, clock):
    everybody = [f"person{n:03}" for n in range(50)]
    small.set_vips(folder, everybody)
    workspace.plan("vips").push()
    small.set_vips(folder, [name for name in everybody if name != "person007"])
    clock.day += 1
    workspace.plan("vips").push()
    report = workspace.forget("person007", confirm="person007")

    assert (report.complete, {line.state for line in report.lines}) == (True, {"was not there"})
    parts = [path for path in (folder / ".personas").rglob("*") if path.is_file() and path.suffix != ".sqlite"]
    assert not any(b"person007" in path.read_bytes() for path in parts)


def test_what_cannot_be_taken_out_now_is_taken_out_by_trying_again(workspace, sandbox, folder, clock):
    workspace.plan("vips").push()
    sandbox.fail(*[Fault(kind="status", status=401)] * 2)
    first = workspace.forget("u3", confirm="u3")
    sandbox.heal()

    assert not first.complete
    assert [line.why for line in first.lines if line.state == "not yet"]
    assert "u3" not in repr(first)
    assert workspace.forget("u3", confirm="u3").complete
    assert "u3" not in small.received(sandbox)
    assert small.on_the_list(sandbox) == 9


def test_a_person_whom_nobody_was_told_of_is_kept_out_all_the_same(workspace, sandbox, folder):
    assert workspace.forget("u3", confirm="u3").complete
    workspace.plan("vips").push()

    assert small.received(sandbox) == {name for name in TEN if name != "u3"}


def test_another_account_audience_cannot_bring_them_back(workspace, sandbox, folder, clock):
    workspace.forget("u3", confirm="u3")
    small.set_vips(folder, [])
    workspace.plan("vips").push(override=[])
    clock.day += 1
    small.set_vips(folder, TEN)
    plan = workspace.plan("vips")
    plan.push(override=[guard.name for guard in plan.guards])

    assert "u3" not in small.received(sandbox)


def test_forgetting_and_resetting_want_the_name_typed_once_more(workspace):
    workspace.plan("vips").push()
    with pytest.raises(PersonasError, match="nothing was done"):
        workspace.forget("u3", confirm="u4")
    with pytest.raises(PersonasError, match="nothing was done"):
        workspace.reset("vips", to="ads", confirm="vip")

    assert workspace.store.forgotten().marks == frozenset()
    assert all(state.acknowledged.height == 10 for _, state in workspace.store.syncs())
