"""Parameters of a notebook, whoever hands them over."""

import sys

import pytest

import personas_kit as pk
from personas_kit.errors import PersonasError

NOTEBOOK = {"keys": [], "approve": "guards", "limit": 5, "share": 0.5, "dry": False, "as_of": None}
KINDS = {"keys": list, "approve": str, "limit": int, "share": float, "dry": bool, "as_of": str}


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["kernel", "-f", "kernel.json", "--f=other.json"])


def test_without_anybody_it_is_what_the_notebook_says():
    assert vars(pk.parameters(NOTEBOOK, **KINDS)) == NOTEBOOK


def test_a_text_becomes_what_is_meant(monkeypatch):
    for name, text in {"KEYS": "a, b,", "LIMIT": "7", "SHARE": "1", "DRY": "True", "AS_OF": "2026-11-01"}.items():
        monkeypatch.setenv(f"PERSONAS_{name}", text)

    found = pk.parameters(NOTEBOOK | {"approve": "none"}, **KINDS)

    assert vars(found) == {
        "keys": ["a", "b"], "approve": None, "limit": 7, "share": 1.0, "dry": True, "as_of": "2026-11-01",
    }  # fmt: skip


def test_an_argument_goes_before_the_environment_and_that_before_the_notebook(monkeypatch):
    monkeypatch.setenv("PERSONAS_APPROVE", "from the environment")
    monkeypatch.setenv("PERSONAS_AS_OF", "2026-11-02")
    monkeypatch.setattr(sys, "argv", ["notebook", "approve=", "unknown=1", "as_of=2026-11-03=x"])

    found = pk.parameters(NOTEBOOK, **KINDS)

    assert (found.approve, found.as_of, found.limit) == (None, "2026-11-03=x", 5)
    assert not hasattr(found, "unknown")


def test_what_papermill_wrote_as_a_text_becomes_a_list():
    assert pk.parameters({"keys": "a,b"}, keys=list).keys == ["a", "b"]
    assert pk.parameters({"keys": ("a", "b")}, keys=list).keys == ["a", "b"]
    assert pk.parameters({"keys": "none"}, keys=list).keys == []


@pytest.mark.parametrize(
    ("notebook", "kind", "says"),
    [
        ({"x": "many"}, int, "x is a number, not 'many'"),
        ({"x": "perhaps"}, bool, "x is true or false"),
        ({}, str, "no parameter 'x'"),
    ],
)
def test_what_it_cannot_be_is_refused(notebook, kind, says):
    with pytest.raises(PersonasError) as refused:
        pk.parameters(notebook, x=kind)

    assert says in str(refused.value)
