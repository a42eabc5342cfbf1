"""Made-up secrets and made-up people go through everything that is shown, logged, raised or kept, and are not found."""

import io
import json
import logging
import pickle
import re
import sqlite3
import warnings

import pytest

import personas_kit as pk
from personas_kit.activation.transport import HttpTransport
from personas_kit.cli import main
from personas_kit.destinations import DESTINATIONS, Answer
from personas_kit.notebook.exploring import SECTIONS, Exploration
from personas_kit.sandbox import Fault, Sandbox
from tests.activation.scripted import FakeClock
from tests.destinations.conftest import batch_of, computation_of, connect, fixture_of
from tests.security import canaries
from tests.security.canaries import SECRETS, canaries_in, secrets_in, shown
from tests.security.receivers import Receiver, response

DEFINITIONS = ("vips", "last_phone", "teams")


@pytest.fixture
def logged():
    """Everything that anybody logs, at every level."""
    stream = io.StringIO()
    handler, root = logging.StreamHandler(stream), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)


# -------------------------------------------------------------------------------------------------------- what is shown


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """One of every kind of result, from a workspace whose pushes go well; and that workspace."""
    folder = tmp_path_factory.mktemp("results")
    with Sandbox() as sandbox, pytest.MonkeyPatch.context() as patch:
        for name, value in SECRETS.items():
            patch.setenv(name, value)
        canaries.make(folder, sandbox.url)
        workspace = canaries.opened(folder, FakeClock())
        yield one_of_each(workspace)
        workspace.close()


def one_of_each(workspace):
    found = {f"preview {key}": workspace.preview(key) for key in DEFINITIONS}
    found["previews"] = workspace.preview(list(DEFINITIONS))
    for key in DEFINITIONS:
        found[f"plan {key}"] = plan = workspace.plan(key)
        found[f"report {key}"] = plan.push()
        found[f"report {key} again"] = plan.push()
    found |= {f"profile {who}": workspace.profile(who) for who in ("user_3", "acme")}
    found |= {f"explanation {key}": workspace.explain(key, "user_3") for key in ("vips", "last_phone")}
    found["explanation teams"] = workspace.explain("teams", "acme")
    found["run"] = workspace.run()
    found |= {"traits": workspace.traits, "account traits": workspace.accounts, "events": workspace.events}
    found |= {"event": workspace.events["Signed Up"], "trait": workspace.traits["phone"]}
    found |= {f"values {name}": trait.common for name, trait in {**workspace.traits, **workspace.accounts}.items()}
    found |= {"explored": workspace.explore(), "looked at": everything_looked_at(workspace)}
    found["backtest"] = workspace.backtest("vips", "2026-10-01", "2026-10-05")
    found["forecast"] = workspace.forecast_exits("vips", 10)
    found["comparison"] = workspace.compare("vips", pk.Audience("Other", pk.trait("email").exists()))
    found["overlap"] = workspace.overlap(["vips", pk.Audience("Other", pk.trait("email").exists())])
    found |= {"status": workspace.status(), "history": workspace.store.runs(50), "syncs": workspace.store.syncs()}
    found |= {"config": workspace.config, "workspace": workspace, "store": workspace.store}
    return found


def everything_looked_at(workspace):
    """What the explorer shows of every entry that there is, with every value of every property and trait."""
    exploration, shown = Exploration(workspace), []
    for section in SECTIONS:
        exploration.look(section)
        for entry in exploration.entries(section):
            for look in exploration.questions(section, entry["name"]).values():
                look()
            shown.append(exploration.detail(section, entry["name"]))
        shown.append(exploration.entries(section))
        if section == "events":  # now that their properties are known
            shown += [exploration.detail(section, name, each.name) for name, event in workspace.events.items()
                      for each in event.cached if each.common]  # fmt: skip
    return shown


def test_nothing_that_is_shown_has_a_secret_or_personal_data(results):
    found = {name: canaries_in(shown(result)) for name, result in results.items()}

    assert {name: seen for name, seen in found.items() if seen} == {}


def test_the_same_is_found_where_it_is_asked_for_as_data(workspace):
    """The canaries can be found, where they belong: the tests around this one can fail."""
    plan = workspace.plan("last_phone")

    assert canaries_in(str(plan.changes["value"].to_list()))
    assert canaries_in(str(plan.payloads()))
    assert canaries_in(str(workspace.profile("user_3").to_dict()))
    assert canaries_in(str(workspace.members("last_phone").to_dicts()))
    assert not secrets_in(str(plan.payloads()))


def test_plain_data_about_pushes_has_counts_and_no_people(results):
    about = [name for name in results if name.startswith(("preview", "plan", "report", "run"))]

    documents = {name: json.dumps(results[name].to_dict(), default=str) for name in about}
    assert {name: canaries_in(text) for name, text in documents.items() if canaries_in(text)} == {}


def test_what_a_destination_is_made_of_shows_neither_its_secret_nor_its_people(monkeypatch):
    monkeypatch.setenv("DESTINATION_CANARY", SECRETS["API_KEY"])
    for slug in DESTINATIONS:
        connection = connect(slug)
        (call, *_) = sorted(connection.calls)
        line = {"user_id": "u1", "account_id": "a1", "change": "enter", "value": '"Zzcanary1"', "message_id": "m1"}
        person, known = "canary1.person@private-mail.example", connection.identifiers(call)
        line |= {"member": json.dumps({each.name: person for each in known.values()})} if call == "list" else {}
        line |= {f"id_{kind}": person for kind in known or ("email",)} if call != "list" else {}
        (request,) = connection.requests(call, batch_of([line]), computation_of(fixture_of(slug)))
        answer = Answer(400, {"x-echo": SECRETS["API_KEY"]}, request.content)
        things = [connection, connection.destination, connection.auth(), connection.secrets, request, answer]
        transport = HttpTransport(connection)
        things += [transport, *transport._open, transport._network, vars(transport)]
        transport.close()

        assert canaries_in(repr(things) + str(things)) == []
        assert secrets_in(repr(pickle.dumps((connection._values, request)))) == []


# ----------------------------------------------------------------------------------------------------- what goes wrong


def echo(connection, request):
    """Refuses, and says back all that it was sent, in every place."""
    head, _, body = request.partition(b"\r\n\r\n")
    flat = re.sub(rb"[\x00-\x1f]", b" ", head + b" " + body)[:20_000].decode("latin-1")
    error = json.dumps({"code": 400, "error": {"code": 100, "message": flat, "is_transient": False}, "message": flat,
                        "missing_field": flat, "events_with_invalid_fields": {flat: [0]}})  # fmt: skip
    connection.sendall(response(error.encode(), status="400 Bad Request", X_Echo=flat[:5_000], Set_Cookie=flat[:500]))


def echo_as(status):
    def answer(connection, request):
        head, _, body = request.partition(b"\r\n\r\n")
        place = re.sub(rb"[^\x21-\x7e]", b"", head + body)[:2_000].decode()
        connection.sendall(response(head + body, status=status, Location=f"https://elsewhere.example/?key={place}"))

    return answer


def garbage(connection, request):
    connection.sendall(b"\x00\xff" + request.replace(b"\r", b"").replace(b"\n", b" ")[:1_000] + b"\r\n\r\n")
    return False


FAULTS = {
    "401": Fault(kind="status", status=401, body="no"),
    "500": Fault(kind="status", status=500),
    "dropped": Fault(kind="drop"),
    "applied, then dropped": Fault(kind="drop", applied=True),
    "cut": Fault(kind="cut"),
    "truncated": Fault(kind="truncate"),
    "a web page": Fault(kind="html"),
}
RECEIVERS = {
    "400 and an echo": echo,
    "200 and an echo": echo_as("200 OK"),
    "302 with the secret": echo_as("302 Found"),
    "403 and an echo": echo_as("403 Forbidden"),
    "429 and an echo": echo_as("429 Slow down"),
    "garbage": garbage,
}


def everything(folder, push, logged, capsys, recwarn):
    """All that is said of a push, by whomever."""
    found = {"push": push()}
    workspace = canaries.opened(folder, FakeClock())
    found |= {"status": shown(workspace.status()), "history": str(workspace.store.runs(100))}
    found["syncs"] = shown(workspace.store.syncs())
    workspace.close()
    found |= {"log": logged.getvalue(), "warnings": str([str(each.message) for each in recwarn])}
    said = capsys.readouterr()
    return found | {"stdout": said.out, "stderr": said.err}


def pushed(folder, sandbox=None, fault=None):
    """Push every definition, whatever becomes of it; what is shown of that."""
    workspace = canaries.opened(folder, FakeClock())
    texts = []
    for key in DEFINITIONS:
        if fault is not None:
            sandbox.fail(*[fault] * 400)
        plan = workspace.plan(key)
        report = plan.push(override=[guard.name for guard in plan.guards if not guard.final], deadline=20.0)
        texts += [shown(report), json.dumps(report.to_dict()), shown(plan), str(report.syncs)]
        assert not report.complete
        if fault is not None:
            sandbox.heal()
    workspace.close()
    return "\n".join(texts)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_push_that_fails_tells_nothing(folder, sandbox, fault, logged, capsys, recwarn):
    found = everything(folder, lambda: pushed(folder, sandbox, FAULTS[fault]), logged, capsys, recwarn)

    assert {where: canaries_in(text) for where, text in found.items() if canaries_in(text)} == {}


@pytest.mark.parametrize("kind", RECEIVERS)
def test_a_receiver_that_says_back_what_it_was_sent_is_not_repeated(folder, kind, logged, capsys, recwarn):
    with Receiver(RECEIVERS[kind]) as receiver:
        text = (folder / "personas.toml").read_text(encoding="utf-8")
        text = re.sub(r"http://127\.0\.0\.1:\d+", receiver.url, text)
        if kind == "200 and an echo":  # to a webhook any 200 is its word
            text = re.sub(r"    \{ destination = \"hook\".*\n", "", text)
        (folder / "personas.toml").write_text(text, encoding="utf-8")
        found = everything(folder, lambda: pushed(folder), logged, capsys, recwarn)

        heard = b"".join(receiver.requests).decode("latin-1")
    assert canaries_in(heard)  # it had something to say back
    assert {where: canaries_in(text) for where, text in found.items() if canaries_in(text)} == {}


@pytest.mark.parametrize("slug", sorted(DESTINATIONS))
@pytest.mark.parametrize("status", [200, 202, 302, 400, 401, 403, 404, 413, 422, 429, 500, 503])
def test_no_reason_is_a_piece_of_a_body_or_a_header(slug, status):
    said = "canary1.person@private-mail.example Zzcanary1 +491705550001 " + SECRETS["API_KEY"]
    shapes = [
        said, {"message": said}, {"error": said}, {"error": {"code": said, "message": said, "error_subcode": said}},
        {"error": {"code": 100, "message": said, "error_user_msg": said}}, {"code": 400, "error": said},
        {"code": 400, "missing_field": said, "events_with_invalid_fields": {said: [0]}}, [said], {said: said},
        {"success": said, "errors": [{"index": 0, "message": said}], "status": said, "handle": said, "id": said},
    ]  # fmt: skip
    headers = dict.fromkeys(("retry-after", "location", "x-request-id", "www-authenticate", "date"), said)
    for shape in shapes:
        answer = Answer(status, headers, json.dumps(shape).encode())
        outcome = DESTINATIONS[slug].outcomes.of(answer, 2)
        assert canaries_in(repr((outcome.verdict, outcome.reason, outcome.after, outcome.rejected))) == []


# -------------------------------------------------------------------------------------------------- the command line


def said_by(folder, capsys, monkeypatch, *arguments):
    monkeypatch.chdir(folder)
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    said = capsys.readouterr()
    return ended.value.code, said.out + said.err


def test_the_command_line_shows_neither_secrets_nor_people(folder, capsys, monkeypatch, logged):
    commands = [
        ["check"], ["preview"], ["preview", "last_phone", "--json"], ["plan", "vips", "--payloads", "3"],
        ["plan", "last_phone", "--payloads", "3"], ["plan", "teams", "--json"], ["sql", "last_phone"],
        ["push", "vips", "--yes"], ["push", "last_phone", "--yes", "--json"], ["run", "--approve", "guards"],
        ["status"], ["status", "--json"], ["profile", "user_3"], ["explain", "vips", "user_3"],
        ["explain", "last_phone", "user_3"], ["destinations", "segment"], ["push", "teams", "--to", "nowhere"],
        ["export", "last_phone", "out.csv"], ["pause", "vips", "--to", "seg"],
    ]  # fmt: skip
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        found = {" ".join(command): said_by(folder, capsys, monkeypatch, *command)[1] for command in commands}

    assert {command: canaries_in(text) for command, text in found.items() if canaries_in(text)} == {}
    assert canaries_in(logged.getvalue() + str([str(each.message) for each in warned])) == []
    assert all(found.values())


@pytest.mark.parametrize("fault", FAULTS)
def test_the_command_line_says_what_failed_and_no_more(folder, sandbox, capsys, monkeypatch, fault):
    sandbox.fail(*[FAULTS[fault]] * 400)
    code, text = said_by(folder, capsys, monkeypatch, "push", "last_phone", "--yes", "--deadline", "1s")

    assert code != 0
    assert canaries_in(text) == []


def test_the_history_names_nobody(results):
    with sqlite3.connect(results["config"].state / "state.sqlite") as db:
        lines = db.execute("select * from run").fetchall()
    db.close()

    assert len(lines) >= len(DEFINITIONS)
    assert canaries_in(str(lines)) == []
