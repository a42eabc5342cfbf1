"""Made-up secrets and made-up people go through everything that is shown, logged, raised or kept, and are not found."""

import io
import json
import logging
import pickle
import re
import sqlite3
import warnings

import polars as pl
import pytest

import personas_kit as pk
from personas_kit.activation.transport import HttpTransport
from personas_kit.cli import main
from personas_kit.config import load
from personas_kit.destinations import DESTINATIONS, Answer
from personas_kit.sandbox import Fault, Sandbox
from tests.activation.scripted import FakeClock
from tests.destinations.conftest import batch_of, computation_of, connect, fixture_of
from tests.security import canaries
from tests.security.canaries import PEOPLE, SECRETS, canaries_in, secrets_in, shown
from tests.security.receivers import Receiver, response
from tests.security.rendering import rendered

DEFINITIONS = ("vips", "last_phone", "teams")


@pytest.fixture
def sandbox():
    with Sandbox() as running:
        yield running


@pytest.fixture
def folder(tmp_path, sandbox):
    canaries.make(tmp_path, sandbox.url)
    return tmp_path


@pytest.fixture
def workspace(folder):
    opened = canaries.opened(folder, FakeClock())
    yield opened
    opened.close()


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
    found["backtest"] = workspace.backtest("vips", "2026-10-01", "2026-10-05")
    found["forecast"] = workspace.forecast_exits("vips", 10)
    found["comparison"] = workspace.compare("vips", pk.Audience("Other", pk.trait("email").exists()))
    found |= {"status": workspace.status(), "history": workspace.store.runs(50), "syncs": workspace.store.syncs()}
    found |= {"config": workspace.config, "workspace": workspace, "store": workspace.store}
    return found


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
        line |= {"member": '{"EMAIL":"canary1.person@private-mail.example"}'} if call == "list" else {}
        line |= {"id_email": "canary1.person@private-mail.example"} if call != "list" else {}
        (request,) = connection.requests(call, batch_of([line]), computation_of(fixture_of(slug)))
        answer = Answer(400, {"x-echo": SECRETS["API_KEY"]}, request.content)
        things = [connection, connection.destination, connection.auth(), connection.secrets, request, answer]
        transport = HttpTransport(connection)
        things += [transport, transport._pool, transport._network, vars(transport)]
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


# ------------------------------------------------------------------------------------------------------------- errors


def no_secret(workspace, folder, monkeypatch):
    monkeypatch.delenv("WRITE_KEY")
    return workspace.plan("last_phone").push


def blocked(workspace, folder, monkeypatch):
    workspace.plan("last_phone").push()
    canaries.change(folder, "delete from events")
    return lambda: workspace.plan("last_phone").push()


def stale(workspace, folder, monkeypatch):
    first, second = workspace.plan("last_phone"), workspace.plan("last_phone")
    first.push()
    return second.push


def busy(workspace, folder, monkeypatch):
    plan = workspace.plan("last_phone")
    held = workspace.store.lock(plan.syncs[0].sync)
    held.__enter__()
    monkeypatch.setattr(workspace, "held_by_the_test", held, raising=False)
    return plan.push


def no_disk(workspace, folder, monkeypatch):
    plan = workspace.plan("last_phone")
    monkeypatch.setattr(pl.DataFrame, "write_parquet", _full)
    return plan.push


def _full(*_, **__):
    raise OSError(28, "No space left on device")


def interrupted(workspace, folder, monkeypatch):
    plan = workspace.plan("last_phone")
    monkeypatch.setattr(HttpTransport, "__init__", _pressed)
    return plan.push


def _pressed(*_, **__):
    raise KeyboardInterrupt


def unreadable_value(workspace, folder, monkeypatch):
    sql = "SELECT user_id, CAST(email AS INTEGER) AS value FROM users"
    return lambda: workspace.members(pk.SqlTrait("Broken", sql))


def nobody(workspace, folder, monkeypatch):
    return lambda: workspace.profile("nobody")


def unknown_trait(workspace, folder, monkeypatch):
    return lambda: workspace.preview(pk.Audience("A", pk.trait("emial") == "x"))


def no_destination(workspace, folder, monkeypatch):
    return lambda: workspace.plan("last_phone", to="nowhere")


def bad_identifier(workspace, folder, monkeypatch):
    return lambda: workspace.plan("vips", to="ads", ids={"full_name": "full_name"}, list="2")


def no_file(workspace, folder, monkeypatch):
    return lambda: workspace.export("last_phone", folder / "not there" / "out.csv")


def inline_secret(workspace, folder, monkeypatch):
    text = (folder / "personas.toml").read_text(encoding="utf-8")
    text = text.replace('{ env = "ACCESS_TOKEN" }', f'"{SECRETS["ACCESS_TOKEN"]}"')
    (folder / "personas.toml").write_text(text, encoding="utf-8")
    return lambda: pk.open(folder)


def broken_file(workspace, folder, monkeypatch):
    with (folder / "personas.toml").open("a", encoding="utf-8") as file:
        file.write(f'\n[destinations.x]\ntype = "segment"\nwrite_key = "{SECRETS["WRITE_KEY"]}')
    return lambda: pk.open(folder)


def secret_in_a_url(workspace, folder, monkeypatch):
    text = (folder / "personas.toml").read_text(encoding="utf-8")
    (folder / "personas.toml").write_text(text.replace("/webhook", f"/?key={SECRETS['HOOK_SECRET']}"), encoding="utf-8")
    return lambda: pk.open(folder)


ERRORS = [
    no_secret, blocked, stale, busy, no_disk, interrupted, unreadable_value, nobody, unknown_trait, no_destination,
    bad_identifier, no_file, inline_secret, broken_file, secret_in_a_url,
]  # fmt: skip


@pytest.mark.parametrize("going_wrong", ERRORS, ids=lambda case: case.__name__)
def test_an_error_tells_nothing_even_with_all_that_its_frames_hold(going_wrong, workspace, folder, monkeypatch):
    text = rendered(going_wrong(workspace, folder, monkeypatch))

    assert canaries_in(text) == []
    assert "outermost" in text  # the frames below are not there


def test_what_frames_hold_would_be_seen(workspace):
    """The way errors are rendered here finds what a frame holds: the test above can fail."""

    def careless():
        frame = workspace.members("last_phone")
        raise ValueError(frame.height)

    assert canaries_in(rendered(careless))


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


# ------------------------------------------------------------------------------------------------------- what is kept


def kept(folder):
    """Every file of the state: its bytes, and what stands in it where that is packed."""
    texts = {}
    for path in sorted((folder / ".personas").rglob("*")):
        if path.is_file():
            texts[path.name] = path.read_bytes().decode("latin-1")
            if path.suffix == ".parquet":
                texts[path.name] += str(pl.read_parquet(path).to_dicts())
    return texts


def test_while_a_plan_is_under_way_its_traits_lie_in_its_own_file_and_nowhere_else(workspace, folder):
    seen = []
    workspace.plan("vips").push(progress=lambda _: seen.append(kept(folder)))

    with_people = {name for texts in seen for name, text in texts.items() if canaries_in(text)}
    assert with_people  # the canaries can be found
    assert all(name.startswith(".") or (folder / ".personas" / "plans").is_dir() for name in with_people)
    assert not any("state.sqlite" in name for name in with_people)
    assert [secrets_in(text) for texts in seen for text in texts.values() if secrets_in(text)] == []


def test_after_a_plan_no_trait_is_left_and_lists_hold_hashes(workspace, folder):
    workspace.plan("vips").push()
    workspace.plan("teams").push()

    assert list((folder / ".personas" / "plans").glob("*")) == []
    assert {name: canaries_in(text) for name, text in kept(folder).items() if canaries_in(text)} == {}
    (ads,) = (state for sync, state in workspace.store.syncs() if sync.call == "list")
    members = [json.loads(member) for member in ads.acknowledged["member"]]
    assert len(members) == PEOPLE
    assert all(re.fullmatch("[0-9a-f]{64}", value) for member in members for value in member.values())


def test_the_value_of_a_trait_is_kept_since_the_next_push_compares_with_it(workspace, folder):
    workspace.plan("last_phone").push()
    with_people = {name.split("-")[0]: canaries_in(text) for name, text in kept(folder).items() if canaries_in(text)}

    assert set(with_people) == {"last_phone"}
    assert all(found.startswith("a telephone number") for found in with_people["last_phone"])


def test_the_history_names_nobody(results):
    with sqlite3.connect(results["config"].state / "state.sqlite") as db:
        lines = db.execute("select * from run").fetchall()
    db.close()

    assert len(lines) >= len(DEFINITIONS)
    assert canaries_in(str(lines)) == []


# ----------------------------------------------------------------------------------------------- secrets in the file


@pytest.mark.parametrize("slug", sorted(DESTINATIONS))
def test_a_secret_that_is_written_down_is_refused_when_the_file_is_opened(slug, tmp_path):
    secret = next(setting.name for setting in DESTINATIONS[slug].settings if setting.secret)
    settings = {name: value for name, value in fixture_of(slug)["settings"].items() if name != secret}
    others = "\n".join(
        f'{name} = {{ env = "OTHER" }}' if isinstance(value, dict) else f"{name} = {json.dumps(value)}"
        for name, value in settings.items()
    )
    file = tmp_path / "personas.toml"
    block = f'type = "{slug}"\nurl = "https://receiver.example"\n{others}\n{secret} = "{SECRETS["API_KEY"]}"\n'
    source = '[warehouse]\npath = "w.duckdb"\n[source]\nusers = { table = "u", id = "i" }\n'
    file.write_text(f"{source}[destinations.it]\n{block}", encoding="utf-8")
    text = rendered(lambda: pk.open(tmp_path))

    assert f"{secret!r} is a secret: refer to it, never write it down" in text
    assert secrets_in(text) == []
    with pytest.raises(pk.PersonasError):
        load(file)
