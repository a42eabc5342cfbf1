"""What the container does, without one: a run as its own process, which writes nothing but into the warehouse."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
import uuid
from pathlib import Path

import pytest

from personas_kit.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
#: Runs the command line, and refuses whatever Python opens to write, makes, moves or takes away.
READ_ONLY = """
import os, sys
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod",
           "sqlite3.connect", "tempfile.mkstemp", "tempfile.mkdtemp"}
def refuse(event, given):
    opens = event == "open" and isinstance(given[2], int) and given[2] & WRITES and given[0] != os.devnull
    if event in CHANGES or opens and not isinstance(given[0], int):
        print("WROTE", event, given[0], file=sys.stderr, flush=True)
        os._exit(99)
sys.addaudithook(refuse)
from personas_kit.cli import main
main()
"""
CONFIG = """
[warehouse]
type = "postgres"
url = {{ env = "DATABASE_URL" }}
schema = "{schema}"

[state]
store = "warehouse"
schema = "{schema}_state"

[source]
users = {{ table = "users", id = "user_id" }}

[destinations.analytics]
type = "segment"
url  = "{url}"
write_key = {{ env = "WRITE_KEY" }}

[[audience]]
name  = "Vips"
where = "trait('vip') = true"
to    = [{{ destination = "analytics", send = ["identify"] }}]
"""


def instructions(word):
    joined = DOCKERFILE.replace("\\\n", " ")
    return [line.removeprefix(word).strip() for line in joined.splitlines() if line.startswith(f"{word} ")]


def everything(*folders):
    return {str(path): path.stat().st_mtime_ns for folder in folders for path in folder.rglob("*")}


@pytest.fixture
def sandbox():
    with Sandbox() as running:
        yield running


@pytest.fixture
def folder(tmp_path, server, sandbox):
    """A folder that is only read, and the tables of the company."""
    schema = f"shop_{uuid.uuid4().hex[:12]}"
    server.run(
        f"CREATE SCHEMA {schema}",
        f"CREATE TABLE {schema}.users (user_id text, vip boolean)",
        f"INSERT INTO {schema}.users VALUES ('u1', true), ('u2', true), ('u3', false)",
    )
    made = tmp_path / "work"
    made.mkdir()
    (made / "personas.toml").write_text(CONFIG.format(schema=schema, url=sandbox.url), encoding="utf-8")
    made.chmod(0o555)
    yield made
    made.chmod(0o755)
    server.run(f"DROP SCHEMA {schema} CASCADE", f"DROP SCHEMA IF EXISTS {schema}_state CASCADE")


@pytest.mark.postgres
def test_a_run_writes_nothing_but_into_the_warehouse(folder, tmp_path, server, sandbox):
    spare = tmp_path / "tmp"
    spare.mkdir()
    (command,) = instructions("CMD")
    bare = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "TMPDIR": str(spare), "PYTHONDONTWRITEBYTECODE": "1"}
    environment = {**bare, "PYTHONPATH": str(ROOT), "DATABASE_URL": server.url, "WRITE_KEY": "made-up"}
    before = everything(folder, spare)

    def run(*more):
        done = subprocess.run(
            [sys.executable, "-c", READ_ONLY, *json.loads(command), *more],
            cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        return done.returncode, [json.loads(line) for line in done.stderr.splitlines()]

    first, said = run("--override", "first_sync")
    second, said_again = run()

    assert (first, second) == (0, 0), (said, said_again)
    pushes = [[each["counts"] for each in lines if each["event"] == "sync"] for lines in (said, said_again)]
    assert [counts["acknowledged"] for (counts,) in pushes] == [2, 0]
    assert {user for user, traits in sandbox.users().items() if traits.get("vips")} == {"u1", "u2"}
    assert everything(folder, spare) == before
    assert not Path("/nonexistent").exists()
    assert server.url not in str(said)


def test_the_image_is_made_of_what_is_here():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8")
    here = [source for line in instructions("COPY") if not line.startswith("--from") for source in line.split()[:-1]]

    assert here
    assert not [source for source in here if not (ROOT / source).exists() or f"!{source}\n" not in ignored]
    read = set(re.findall(r"requirements/[\w.]+", DOCKERFILE))
    assert {file for file in read if (ROOT / file).is_file()} == {"requirements/core.lock", "requirements/dev.lock"}


def test_it_agrees_with_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (extras,) = (line.removeprefix("EXTRAS=") for line in instructions("ARG"))
    pythons = {image.split()[0] for image in instructions("FROM")}

    assert set(extras.split(",")) <= project["optional-dependencies"].keys()
    assert pythons == {f"python:{project['requires-python'].removeprefix('>=')}-slim"}
    assert json.loads(instructions("ENTRYPOINT")[0]) == [*project["scripts"]]
    assert instructions("USER") == ["10001:10001"]


def test_the_extras_are_held_to_the_versions_that_are_tested(tmp_path):
    (step,) = (part.strip() for part in instructions("RUN")[0].split("&&") if part.strip().startswith("sed"))
    words = shlex.split(step.partition(">")[0])

    made = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    pins = [line for line in made.splitlines() if line and not line.startswith("#")]
    assert [line for line in pins if not re.fullmatch(r"[\w.\[\]-]+==[^ ]+( ; .+)?", line)] == []
    assert any(line.startswith("psycopg-binary==") for line in pins)
