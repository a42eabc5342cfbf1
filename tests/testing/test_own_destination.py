"""docs/own_destination.md, done: its package is found, pushes, and keeps the contract; a breach of a rule is told."""

import dataclasses
import importlib
import json
import os
import re
import subprocess
import sys
import tomllib
import unittest
from pathlib import Path

import pytest

import personas_kit as pk
import personas_kit.testing
from personas_kit.destinations import DESTINATIONS, Answer, find
from personas_kit.destinations.base import Destination, FieldNeeded, Post
from personas_kit.errors import DestinationError
from personas_kit.testing import DestinationContract
from personas_kit.testing.mangled import driven
from tests.security.receivers import Receiver, response

PAGE = (Path(__file__).parents[2] / "docs" / "own_destination.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```$', PAGE, re.DOTALL | re.MULTILINE))
MODULE, FIXTURE = FILES["acme_personas/__init__.py"], FILES["tests/acme.json"]
PIECES = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)

CONFIG = """
[warehouse]
files = { users = "users.csv" }
[source]
users = { table = "users", id = "user_id" }
[[audience]]
name = "Pros"
where = "trait('plan') = 'pro'"
to = [{ destination = "crm", send = ["identify"], ids = { email = "email" } }]
"""
USERS = "user_id,plan,email\nu1,pro,ann@example.com\nu2,free,bob@example.com\nu3,pro,\n"


@pytest.fixture
def site(tmp_path, monkeypatch):
    """The page's package, as it is once it is installed."""
    folder = tmp_path / "site"
    write(folder / "acme_personas" / "__init__.py", MODULE)
    entry_point(folder, next(iter(tomllib.loads(FILES["pyproject.toml"])["project"]["entry-points"].values())))
    monkeypatch.syspath_prepend(folder)
    yield folder
    sys.modules.pop("acme_personas", None)
    DESTINATIONS._loaded.pop("acme", None)


def write(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def entry_point(folder, points):
    about = folder / "acme_personas-1.0.dist-info"
    write(about / "METADATA", "Metadata-Version: 2.1\nName: acme-personas\nVersion: 1.0\n")
    lines = [f"{name} = {value}" for name, value in points.items()]
    write(about / "entry_points.txt", "\n".join(["[personas_kit.destinations]", *lines]))
    importlib.invalidate_caches()


def contract(destination, fixture):
    return type("Kept", (DestinationContract,), {"destination": destination, "fixture": fixture})()


# ------------------------------------------------------------------------------------------------------- entry points


def test_it_is_found_by_its_entry_point(site):
    assert find("acme").name == "Acme"
    assert "acme" in [*DESTINATIONS]


def test_it_is_a_type_of_personas_toml_and_what_is_pushed_arrives(site, tmp_path, monkeypatch):
    monkeypatch.setenv("ACME_TOKEN", "made-up")
    with Receiver(taken) as receiver:
        write(tmp_path / "personas.toml", f'{CONFIG}{FILES["personas.toml"]}url = "{receiver.url}"\n')
        write(tmp_path / "users.csv", USERS)
        ws = pk.open(tmp_path)
        plan = ws.plan("pros")
        assert plan.payloads()[0]["destination"] == "crm"
        report = plan.push()
        ws.close()
    (request,) = receiver.requests
    head, _, body = request.partition(b"\r\n\r\n")

    assert report.acknowledged == 2
    assert head.startswith(b"POST /v2/contacts ")
    assert b"authorization: bearer made-up" in head.lower()
    assert sorted(json.loads(body)["contacts"], key=str) == [
        {"id": "u1", "fields": {"pros": True, "email": "ann@example.com"}},
        {"id": "u3", "fields": {"pros": True}},
    ]


def taken(connection, request):
    contacts = json.loads(request.partition(b"\r\n\r\n")[2])["contacts"]
    connection.sendall(response(json.dumps({"results": [{"ok": True}] * len(contacts)}).encode()))


@pytest.mark.parametrize(
    ("points_at", "says"),
    [
        ("acme_personas:nothing", "it cannot be imported: AttributeError"),
        ("acme_persona:destination", "it cannot be imported: ModuleNotFoundError"),
        ("acme_personas:_read", "it is no destination with the slug 'acme'"),
    ],
)
def test_a_broken_entry_point_says_so(site, points_at, says):
    entry_point(site, {"acme": points_at})

    with pytest.raises(DestinationError) as refused:
        find("acme")
    assert says in str(refused.value)
    assert f"entry point 'acme' = {points_at}" in str(refused.value)


# ----------------------------------------------------------------------------------------------------------- contract

BREACHES = {
    "host": (", pattern=LABEL", "the setting 'workspace' stands in the host and has no pattern"),
    "reason": ('code(row.get("code"))', 'row.get("code")', "a reason tells a piece of the answer"),
    "secret": ('auth=Bearer("token")', "auth=NoAuth()", "there is a secret, and nothing of it is sent"),
    "body": ("c.traits", "c.own_traits", "requests[0].body.contacts[0].fields.email is missing; the fixture has 'ann@"),
}
"""What is written wrongly in the module, and what the contract says of it."""


def run_pytest(folder, site):
    """As a person runs it, in a process of its own."""
    command = [sys.executable, "-m", "pytest", "-q", "-rf", "-p", "no:randomly", "-p", "no:cacheprovider", "tests"]
    env = {**os.environ, "PYTHONPATH": str(site), "COLUMNS": "250"}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_pytest_runs_the_contract_on_it(site, tmp_path):
    for name in ("tests/acme.json", "tests/test_acme.py"):
        write(tmp_path / name, FILES[name])
    ran = run_pytest(tmp_path, site)

    assert ran.returncode == 0, ran.stdout
    assert re.search(r"^\d{3} passed in", ran.stdout, re.MULTILINE), ran.stdout


def test_what_takes_hypothesis_is_skipped_where_that_is_not_installed(site, tmp_path, monkeypatch):
    write(tmp_path / "acme.json", FIXTURE)
    kept = contract(find("acme"), tmp_path / "acme.json")
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    monkeypatch.delitem(sys.modules, "personas_kit.testing.arbitrary", raising=False)
    monkeypatch.delattr(personas_kit.testing, "arbitrary", raising=False)

    with pytest.raises(unittest.SkipTest, match="hypothesis is not installed"):
        kept.test_any_value_and_any_id_are_strict_json_that_reads_back_the_same("identify")


def test_a_module_that_breaks_a_rule_is_told_which(site, tmp_path):
    write(tmp_path / "tests" / "acme.json", FIXTURE)
    for name, (was, *becomes, _) in BREACHES.items():
        assert MODULE.count(was) == 1
        write(
            site / f"acme_{name}.py",
            MODULE.replace(was, "".join(becomes)).replace("import Bearer", "import Bearer, NoAuth"),
        )
        test = FILES["tests/test_acme.py"].replace("acme_personas", f"acme_{name}")
        write(tmp_path / "tests" / f"test_{name}.py", test)
    ran = run_pytest(tmp_path, site)

    assert ran.returncode == 1
    assert [says for *_, says in BREACHES.values() if says not in ran.stdout] == []
    assert "'acme' is another destination: install the package with [project.entry-points" in ran.stdout


# --------------------------------------------------------------------------------------------------------------- page


@pytest.fixture
def odd():
    """What the pieces of the page make, where the module ends."""
    made = {"__name__": "acme_personas"}
    for code in (MODULE, *PIECES):
        exec(code, made)  # noqa: S102  (the page's own code)
    return made


@pytest.mark.parametrize("name", ["keyed", "listed", "careful", "strict", "making"])
def test_every_piece_of_the_page_makes_a_destination_that_keeps_its_limits(odd, name, tmp_path):
    said = json.loads(FIXTURE)
    if odd[name].list_setting:
        said["settings"]["segment"] = "s1"
    write(tmp_path / "acme.json", json.dumps(said))
    kept = contract(odd[name], tmp_path / "acme.json")

    for call in odd[name].calls:
        kept.test_requests_keep_the_limits_and_carry_every_line_once_in_order(call, "u")
        kept.test_a_line_that_no_request_can_hold_is_named(call)
        kept.test_any_value_and_any_id_are_strict_json_that_reads_back_the_same(call)


def test_what_the_pieces_of_the_page_ask_is_answered(odd, tmp_path):
    write(tmp_path / "acme.json", FIXTURE)
    kept = contract(odd["careful"], tmp_path / "acme.json")
    kept.test_whatever_is_answered_at_every_step_an_exchange_ends_in_an_outcome()
    connection, needed = kept._connection(), FieldNeeded("buyers", "Buyers", "boolean", "identify")

    def answered(asking, status, said):
        return driven(asking, lambda _: Answer(status, {}, json.dumps(said).encode()), connection.home)

    api = odd["strict"].fields
    assert answered(api.find(connection, needed), 404, {}) is None
    assert answered(api.find(connection, needed), 200, {"name": "buyers"}) == "buyers"
    assert answered(api.create(connection, needed), 201, {"name": "buyers"}) == "buyers"
    assert answered(odd["making"].lists.create(connection, "Buyers", ""), 201, {"id": "s1"}) == "s1"


def test_the_tables_name_what_the_shape_knows_and_nothing_else():
    section = PAGE.partition("## What the shape knows")[2]
    of_destination, of_post = (
        {
            name
            for line in part.splitlines()
            if line.startswith("| `")
            for name in re.findall("`(.*?)`", line.split("|")[1])
        }
        for part in section.split("Of a post:")
    )

    assert of_destination == {field.name for field in dataclasses.fields(Destination)}
    assert of_post == {field.name for field in dataclasses.fields(Post)}
