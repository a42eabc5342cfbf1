"""What every destination keeps, whoever wrote it. A new module is held to it by lying in its folder."""

import json
import pkgutil

import httpx
import pytest

import personas_kit.destinations as folder
from personas_kit.config import load
from personas_kit.destinations import DESTINATIONS, Answer, Computation, find
from personas_kit.errors import ConfigError, UnknownName
from personas_kit.secret import Secret
from tests.destinations.conftest import CANARY, FIXTURES, batch_of, computation_of, connect, fixture_of, readable

SLUGS = sorted(DESTINATIONS)
CALLS = [(slug, call) for slug in SLUGS for call in sorted(DESTINATIONS[slug].calls)]
CASES = [(slug, at) for slug in SLUGS for at in range(len(fixture_of(slug)["cases"]))]
ANSWERS = [(slug, at) for slug in SLUGS for at in range(len(fixture_of(slug)["answers"]))]
SHARED = {"addresses", "auth", "base", "batching", "encode", "gateway", "normalise", "outcomes"}


@pytest.fixture(autouse=True)
def canary(monkeypatch):
    monkeypatch.setenv("DESTINATION_CANARY", CANARY)


def test_every_module_is_a_destination_and_has_a_fixture():
    modules = {module.name for module in pkgutil.iter_modules(folder.__path__)} - SHARED

    assert {name.replace("_", "-") for name in modules} == set(SLUGS)
    assert {path.stem for path in FIXTURES.glob("*.json")} == set(SLUGS)


@pytest.mark.parametrize("slug", SLUGS)
def test_every_call_has_a_case(slug):
    assert {case["call"] for case in fixture_of(slug)["cases"]} == DESTINATIONS[slug].calls


@pytest.mark.parametrize(("slug", "at"), CASES)
def test_given_changes_become_exactly_these_requests(slug, at):
    fixture = fixture_of(slug)
    case = fixture["cases"][at]
    requests = connect(slug).requests(case["call"], batch_of(case["given"]), computation_of(fixture))

    assert [readable(request) for request in requests] == case["requests"]


@pytest.mark.parametrize(("slug", "at"), ANSWERS)
def test_canned_answers_have_exactly_these_outcomes(slug, at):
    said = fixture_of(slug)["answers"][at]
    body = said.get("body", "")
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    outcome = DESTINATIONS[slug].outcomes.of(Answer(said["status"], said.get("headers", {}), content), said["count"])

    assert {"verdict": outcome.verdict, "reason": outcome.reason, "after": outcome.after} == {
        "after": None,
        **said["outcome"],
    }


def lines_for(call, count, text="u"):
    return [
        {
            "user_id": f"{text}{n}",
            "account_id": f"{text}{n}",
            "change": "enter",
            "value": "true",
            "message_id": f"m{n}",
            "member": json.dumps({"EMAIL": f"{text}{n}"}),
            **({"id_email": f"{text}{n}@example.com"} if call != "list" else {}),
        }
        for n in range(count)
    ]


BUYERS = Computation("buyers", "account_audience", "Buyers")


@pytest.mark.parametrize(("slug", "call"), CALLS)
@pytest.mark.parametrize("text", ["u", "\N{SNOWMAN}" * 60])
def test_requests_keep_the_limits_and_carry_every_line_once_in_order(slug, call, text):
    connection = connect(slug)
    most = connection.limits(call).items
    for count in (0, 1, most, most + 1):
        requests = connection.requests(call, batch_of(lines_for(call, count, text)), BUYERS)

        assert [at for request in requests for at in range(*request.lines)] == list(range(count))
        for request in requests:
            assert request.lines[1] - request.lines[0] <= most
            assert len(request.content) <= connection.limits(call).bytes


@pytest.mark.parametrize(("slug", "call"), CALLS)
def test_the_same_batch_gives_the_same_bytes(slug, call):
    batch = batch_of(lines_for(call, 3))

    once, again = (connect(slug).requests(call, batch, BUYERS) for _ in range(2))
    assert [request.content for request in once] == [request.content for request in again]


@pytest.mark.parametrize(("slug", "call"), CALLS)
def test_a_line_that_no_request_can_hold_is_named(slug, call):
    connection = connect(slug)
    limits = connection.limits(call)
    lines = lines_for(call, 3)
    for name in ("user_id", "account_id"):
        lines[1][name] = "x" * (limits.item_bytes or limits.bytes)
    lines[1]["member"] = json.dumps({"EMAIL": "x" * limits.bytes})

    items = connection.items(call, batch_of(lines), BUYERS)
    assert list(connection.oversized(call, items)) == [1]


@pytest.mark.parametrize(("slug", "call"), CALLS)
def test_the_secret_is_put_in_as_a_request_leaves_and_is_nowhere_else(slug, call):
    connection = connect(slug)
    (request,) = connection.requests(call, batch_of(lines_for(call, 1)), BUYERS)
    shown = repr((request, connection, connection.destination, connection.auth(), connection.target))
    message = httpx.Request(request.method, request.url, content=request.content, headers=dict(request.headers))
    signed = next(connection.auth().sync_auth_flow(message))

    assert CANARY not in shown + request.url + request.content.decode()
    assert CANARY not in str(signed.url)
    assert (signed.headers, signed.content) != (dict(request.headers), request.content)
    assert int(signed.headers["content-length"]) == len(signed.content)
    assert "u0@example.com" not in shown


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("status", [*range(200, 227), *range(300, 309), *range(400, 452), *range(500, 512), 520, 599])
def test_no_status_alone_is_a_success(slug, status):
    outcome = DESTINATIONS[slug].outcomes.of(Answer(status, {}, b"<html>surprise</html>"), 2)

    expected = {2: "unknown", 3: "fatal", 5: "retry"}.get(status // 100)
    if expected == "unknown" and slug == "webhook":
        expected = "acknowledged"  # the receiver is the user's own: any 2xx is its word
    if expected is not None:
        assert outcome.verdict == expected
    assert outcome.verdict != "acknowledged" or slug == "webhook"
    assert "surprise" not in outcome.reason


@pytest.mark.parametrize("slug", SLUGS)
def test_a_batch_that_is_refused_is_halved_and_a_single_change_rejected(slug):
    outcomes = DESTINATIONS[slug].outcomes

    assert outcomes.of(Answer(413), 2).verdict == "split"
    assert outcomes.of(Answer(413), 1).verdict == "rejected"
    assert [outcomes.of(Answer(status), 2).verdict for status in (401, 403, 404)] == ["fatal"] * 3
    assert outcomes.of(Answer(429, {"Retry-After": "12"}), 2).after == 12


@pytest.mark.parametrize("slug", SLUGS)
def test_settings_are_checked_without_repeating_them(slug):
    fixture = fixture_of(slug)
    right = {
        name: Secret("env", "X") if isinstance(value, dict) else value for name, value in fixture["settings"].items()
    }
    secret = next(setting.name for setting in DESTINATIONS[slug].settings if setting.secret)
    url = fixture.get("url")

    with pytest.raises(ConfigError, match="refer to it") as inline:
        find(slug).configure("it", {**right, secret: "hunter2"}, url=url)
    with pytest.raises(ConfigError, match="no setting 'colour'"):
        find(slug).configure("it", {**right, "colour": "red"}, url=url)
    assert "hunter2" not in str(inline.value)


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "ftp://example.com",
        "https://user:pw@example.com",
        "https://example.com?key=1",
        "example.com",
    ],
)
def test_secrets_only_leave_through_tls(slug, url):
    fixture = fixture_of(slug)
    values = {
        name: Secret("env", "X") if isinstance(value, dict) else value for name, value in fixture["settings"].items()
    }

    with pytest.raises(ConfigError, match="this url is not allowed"):
        find(slug).configure("it", values, url=url)


@pytest.mark.parametrize("slug", SLUGS)
def test_the_block_to_paste_is_a_configuration(slug, tmp_path):
    text = find(slug).paste().replace("https://...", "https://example.com")
    file = tmp_path / "personas.toml"
    file.write_text(
        f'[warehouse]\npath = "w.duckdb"\n[source]\nusers = {{ table = "u", id = "i" }}\n{text}\n', encoding="utf-8"
    )

    (name,) = load(file).destinations
    assert name == slug.replace("-", "_")


def test_a_misspelt_destination_is_not_found_but_its_neighbour_is():
    with pytest.raises(UnknownName) as unknown:
        find("amplitued")
    assert unknown.value.near == ["amplitude"]
