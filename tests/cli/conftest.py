"""The command line, run in this process: what it printed where, and its exit code."""

import json
from dataclasses import dataclass

import pytest

from personas_kit.cli import main
from personas_kit.sandbox import Sandbox
from tests import small


@dataclass
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def sandbox():
    with Sandbox() as running:
        yield running


@pytest.fixture
def folder(tmp_path, sandbox):
    small.make(tmp_path, sandbox.url, [f"u{n}" for n in range(10)])
    return tmp_path


@pytest.fixture
def personas(folder, capsys, monkeypatch):
    """Runs a command in the folder."""
    monkeypatch.chdir(folder)

    def run(*arguments) -> Outcome:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert "Traceback" not in said.err + said.out
        return Outcome(ended.value.code, said.out, said.err)

    return run
