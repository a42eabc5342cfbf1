"""The main job on real input: seven repositories, sixteen years, 168,699 events, date after date.

The data lies beside the checkout and is read where it is. The numbers were computed by two independent programs.
"""

import datetime as dt
import json
from pathlib import Path

import pytest

from personas_kit.config import load
from personas_kit.errors import PlanBlocked
from personas_kit.opening import open_warehouse
from personas_kit.sandbox import Sandbox
from personas_kit.workspace import Workspace

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "openstack_b2b"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the data is not beside the checkout")

DATES = [dt.date(2014, 6, 1), dt.date(2014, 6, 2), dt.date(2014, 6, 9), dt.date(2015, 6, 1)]
MEMBERS = {
    "mergers": [187, 184, 185, 207],
    "any_merged": [47, 47, 46, 46],
    "all_merged": [10, 11, 10, 9],
    "none_merged": [526, 526, 527, 527],
}
LIST = [776, 776, 780, 1_138]
MOVED = [(776, 0), (0, 0), (9, 5), (455, 97)]
ACCOUNTS_MOVED = [(47, 0), (0, 0), (2, 3), (21, 21)]

CONFIG = (Path(__file__).parent / "personas.toml").read_text(encoding="utf-8")


@pytest.fixture
def sandbox():
    with Sandbox() as running:
        yield running


@pytest.fixture
def opened(tmp_path, sandbox, monkeypatch):
    """Opens a workspace over the data; ``since`` says from when a user exists."""
    monkeypatch.setenv("OPENSTACK_WRITE_KEY", "made-up")
    monkeypatch.setenv("OPENSTACK_ACCESS_TOKEN", "made-up")

    def open_with(*, since: bool = True) -> Workspace:
        text = CONFIG.replace("DATA", DATA.as_posix()).replace("http://127.0.0.1:8765", sandbox.url)
        file = tmp_path / "personas.toml"
        file.write_text(text if since else text.replace(', since = "first_seen_at" } # user', " }"), encoding="utf-8")
        config = load(file)
        return Workspace(config, open_warehouse(config))

    return open_with


def test_the_members_are_those_of_the_table(opened):
    workspace = opened()

    found = {key: [workspace.members(key, as_of=date).height for date in DATES] for key in MEMBERS}
    listed = [workspace.members("any_merged", as_of=date, expand="users").height for date in DATES]

    assert found == MEMBERS
    assert listed == LIST


def test_without_since_everybody_exists_always(opened):
    workspace = opened(since=False)

    found = {key: [workspace.members(key, as_of=date).height for date in DATES] for key in MEMBERS}
    listed = [workspace.members("any_merged", as_of=date, expand="users").height for date in DATES]

    assert found == {**MEMBERS, "all_merged": [7, 7, 7, 6]}
    assert listed == [1_940, 1_940, 1_915, 2_098]


def push(workspace, key, date) -> tuple[object, list[str]]:
    """Push as a person would: look at what the guards say, override them by name."""
    plan = workspace.plan(key, as_of=date)
    try:
        return plan.push(), []
    except PlanBlocked as blocked:
        return plan.push(override=blocked.guards), sorted(blocked.guards)


def received(sandbox, key) -> dict[str, set[str]]:
    """The members that the receiver holds, by call."""
    return {
        "identify": {user for user, traits in sandbox.users().items() if traits.get(key) is True},
        "group": {account for account, traits in sandbox.accounts().items() if traits.get(key) is True},
    }


def test_date_after_date_only_the_changes_go_and_the_receiver_has_what_is_wanted(opened, sandbox):
    workspace = opened()
    overridden = {}
    for date, (enter, leave), (accounts_enter, accounts_leave) in zip(DATES, MOVED, ACCOUNTS_MOVED, strict=True):
        for key in MEMBERS:
            report, guards = push(workspace, key, date)
            assert report.complete
            if guards:
                overridden[key, str(date)] = guards

            wanted = workspace.members(key, as_of=date)
            users = workspace.members(key, as_of=date, expand="users") if key != "mergers" else wanted
            holds = received(sandbox, key)
            if key == "mergers":
                assert holds["identify"] == set(wanted["user_id"])
                assert lists(sandbox)["1"] == set(wanted["user_id"])
            else:
                assert holds["group"] == set(wanted["account_id"])
            if key == "any_merged":
                assert holds["identify"] == set(users["user_id"])
                assert lists(sandbox)["2"] == set(users["user_id"])
                assert moved(report, "list") == moved(report, "identify") == (enter, leave)
                assert moved(report, "group") == (accounts_enter, accounts_leave)

    assert overridden == {
        ("mergers", "2015-06-01"): ["removals"],
    }
    assert sandbox.summary()["conflicts"] == 0
    assert sandbox.summary()["duplicates"] == 0


def lists(sandbox) -> dict[str, set[str]]:
    """The ids on each list."""
    return {name: {dict(row)["EXTERN_ID"] for row in rows} for name, rows in sandbox.lists().items()}


def moved(report, call) -> tuple[int, int]:
    """How many entered and left, of the changes of one call."""
    changes = report.changes.filter(report.changes["call"] == call)["change"].to_list()
    return changes.count("enter"), changes.count("exit")


def test_a_push_that_was_blocked_has_sent_nothing(opened, sandbox):
    workspace = opened()
    push(workspace, "mergers", DATES[0])
    before = len(sandbox.requests)

    with pytest.raises(PlanBlocked) as blocked:
        workspace.plan("mergers", as_of=DATES[3]).push()

    assert len(sandbox.requests) == before
    assert f"plan.push(override={list(blocked.value.guards)!r})" in blocked.value.hint
    assert json.dumps(workspace.plan("mergers", as_of=DATES[3]).to_dict())
