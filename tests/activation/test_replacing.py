"""Everyone in the place of whoever is on a list: also of those whom nobody here put there."""

import json
import urllib.request

import pytest

import personas_kit as pk
from personas_kit.activation.plan import notes_of
from personas_kit.destinations import Computation, find
from personas_kit.destinations import facebook_custom_audiences as meta
from personas_kit.sandbox.faults import Fault
from personas_kit.sandbox.local import Sandbox
from personas_kit.secret import Secret
from tests import small
from tests.activation.scripted import ScriptedTransport, answer
from tests.activation.test_delivery import Ticking
from tests.destinations.conftest import batch_of

VIPS = Computation("vips", "audience", "Vips")


@pytest.fixture
def sandbox():
    with Sandbox() as running:
        yield running


def strangers(sandbox, count):
    """Others than the kit put people on the list."""
    rows = [[f"{n:064x}"] for n in range(count)]
    request = urllib.request.Request(  # noqa: S310  (the test's own receiver)
        f"{sandbox.url}/v26.0/1/users",
        json.dumps({"payload": {"schema": ["EMAIL"], "data": rows}}).encode(),
        {"Authorization": "Bearer made-up", "Content-Type": "application/json"},
    )
    urllib.request.urlopen(request).close()  # noqa: S310  (as above)


def test_strangers_are_gone_and_everyone_wanted_is_there(tmp_path, sandbox):
    small.make(tmp_path, sandbox.url, ["u1", "u2", "u3"])
    workspace = small.opened(tmp_path, Ticking())
    workspace.plan("vips", to="ads").push()
    strangers(sandbox, 5)
    small.set_vips(tmp_path, ["u2", "u3", "u4"])
    plan = small.opened(tmp_path, Ticking()).plan("vips", to="ads", mode="replace")
    report = plan.push(override=["interval"])

    assert "whoever else is there is taken out" in notes_of(plan)[0]
    assert report.complete
    assert small.on_the_list(sandbox) == 3
    assert small.opened(tmp_path, Ticking()).plan("vips", to="ads").changes.height == 0


def conversation(exchange):
    """The bodies of an exchange with a receiver that takes everything, and what became of it.

    It counts what the session received so far, as Meta's page says.
    """
    bodies, said = [], None
    try:
        while True:
            bodies.append(json.loads(exchange.send(said).content))
            said = answer(200, json.dumps({"num_received": sum(len(b["payload"]["data"]) for b in bodies)}).encode())
    except StopIteration as done:
        return bodies, done.value


def test_a_replacement_is_one_session_of_many_requests(monkeypatch):
    monkeypatch.setattr(meta, "ROWS", 2)
    connection = find("facebook-custom-audiences").configure(
        "ads", {"access_token": Secret("env", "TOKEN"), "audience_id": "1"}
    )
    lines = batch_of(
        [{"change": "enter", "message_id": f"m{n}", "member": json.dumps({"EMAIL": f"{n:064x}"})} for n in range(5)]
    )
    replacing = connection.replacement("list")
    (request,) = replacing.requests("list", lines, VIPS)
    sent, outcome = conversation(replacing.exchange("list", request, lines))

    assert outcome.verdict == "acknowledged"
    assert len({body["session"]["session_id"] for body in sent}) == 1
    assert [(body["session"]["batch_seq"], body["session"]["last_batch_flag"]) for body in sent] == [
        (1, False),
        (2, False),
        (3, True),
    ]
    assert {body["session"]["estimated_num_total"] for body in sent} == {5}
    assert [row for body in sent for row in body["payload"]["data"]] == [[f"{n:064x}"] for n in range(5)]


def test_a_session_that_breaks_off_leaves_everyone_unknown_and_the_next_plan_sends_them_again(tmp_path, sandbox):
    small.make(tmp_path, sandbox.url, [f"u{n}" for n in range(5)])
    network = ScriptedTransport(*[answer(200, b'{"surprise":true}')] * 3)
    workspace = small.opened(tmp_path, Ticking(), lambda _: network)
    report = workspace.plan("vips", to="ads", mode="replace").push()

    assert (report.acknowledged, report.unknown) == (0, 5)
    again = small.opened(tmp_path, Ticking()).plan("vips", to="ads")
    assert again.push().acknowledged == 5
    assert small.on_the_list(sandbox) == 5


def test_a_replacement_that_was_stopped_goes_on_as_one(tmp_path, sandbox):
    small.make(tmp_path, sandbox.url, ["u1", "u2"])
    clock = Ticking()
    small.opened(tmp_path, clock).plan("vips", to="ads").push()
    strangers(sandbox, 5)
    small.set_vips(tmp_path, ["u2", "u3"])
    plan = small.opened(tmp_path, clock).plan("vips", to="ads", mode="replace")
    sandbox.fail(None, Fault(kind="status", status=429, headers={"Retry-After": "3600"}))
    report = plan.push(override=["interval"], deadline=30)
    assert (report.acknowledged, report.unsent) == (1, 2)

    sandbox.heal()
    going_on = small.opened(tmp_path, clock).unfinished("vips", to="ads")
    assert "whoever else is there is taken out" in notes_of(going_on)[0]
    assert going_on.push().complete
    assert small.on_the_list(sandbox) == 2


def test_where_nobody_is_wanted_nobody_is_replaced(tmp_path, sandbox):
    small.make(tmp_path, sandbox.url, ["u1"])
    small.opened(tmp_path, Ticking()).plan("vips", to="ads").push()
    strangers(sandbox, 5)
    small.set_vips(tmp_path, [])
    plan = small.opened(tmp_path, Ticking()).plan("vips", to="ads", mode="replace")
    plan.push(override=[guard.name for guard in plan.guards])

    assert "nobody is wanted, and whoever came there by another way stays" in notes_of(plan)[0]
    assert small.on_the_list(sandbox) == 5


@pytest.fixture
def folder(tmp_path):
    small.make(tmp_path, "http://127.0.0.1:9999", ["u1", "u2"])
    return tmp_path


def test_who_cannot_replace_says_what_to_do_instead(folder):
    small.make(folder, "http://127.0.0.1:9999", ["u1", "u2"])
    with pytest.raises(pk.PersonasError, match='mode="full"'):
        small.opened(folder, Ticking()).plan("vips", to="analytics", mode="replace")
