"""``make test-matrix``, with interpreters made of a line of shell: what runs, what is missing, what is said."""

import sys

import pytest

from tests import matrix

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def path(tmp_path, monkeypatch):
    """Puts a program on a path that has nothing else, in a home that has nothing."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))

    def put(name, line):
        program = tmp_path / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f"#!/bin/sh\n{line}\n")
        program.chmod(0o755)
        return str(program)

    return put


def test_an_interpreter_is_found_on_the_path(path):
    there = path(f"python{HERE}", f'exec "{sys.executable}" "$@"')

    assert matrix.interpreter(HERE) == there


def test_one_that_does_not_run_is_passed_over_for_one_that_a_tool_installed(path):
    path("python3.12", "exit 127")
    installed = path(".pyenv/versions/3.12.1/bin/python", "echo 3.12")

    assert matrix.interpreter("3.12") == installed


def test_one_of_another_version_is_none(path):
    path("python3.12", "echo 3.11")

    assert matrix.interpreter("3.12") is None


def test_what_is_missing_is_said_and_is_no_failure(path, monkeypatch, capsys):
    path("python3.12", "echo 3.12")
    monkeypatch.setattr(matrix, "tested", lambda version, python, options: "passed")

    assert matrix.main(["3.12", "3.13"], []) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "Python 3.12: passed",
        "Python 3.13: not found on this machine, nothing was run",
    ]


def test_where_none_is_there_it_fails(path):
    assert matrix.main(["3.12", "3.13"], []) == 1


def test_a_failure_on_one_of_them_is_the_end(path, monkeypatch):
    path("python3.12", "echo 3.12")
    path("python3.13", "echo 3.13")
    monkeypatch.setattr(matrix, "tested", lambda version, *_: "passed" if version == "3.12" else "failed")

    assert matrix.main(["3.12", "3.13"], []) == 1


def test_a_step_that_fails_is_named_and_the_next_is_not_taken(path, monkeypatch, tmp_path):
    monkeypatch.setattr(matrix, "ENVIRONMENTS", tmp_path / "matrix")

    assert matrix.tested("3.12", path("python3.12", "exit 1"), []) == "no environment could be made"
