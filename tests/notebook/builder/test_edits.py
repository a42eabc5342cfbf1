"""Whatever a browser says, the draft stays one: nothing raises, ids are apart, every step can be taken back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import personas_kit as pk
from personas_kit.definitions import AccountAudience, Audience
from personas_kit.notebook.builder import draft as drafts
from personas_kit.notebook.builder import edits
from personas_kit.notebook.builder.menus import MENUS, PLACES
from personas_kit.workspace import Workspace
from tests.corpus import DEFINITIONS

AUDIENCES = [each for _, each in DEFINITIONS.values() if isinstance(each, Audience | AccountAudience)]
ACTIONS = ("put", "say", "insert", "remove", "twice", "move", "group", "undo", "redo")
"""Those that change the draft; ``undo`` and ``redo`` are tried on their own as well."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    opened = pk.demo(tmp_path_factory.mktemp("demo"))
    yield opened
    opened.close()


def ids_of(draft: dict[str, Any]) -> list[str]:
    return [found.node["id"] for found in edits.walk(draft)]


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a node."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inner:
        yield from places(each, (*path, name))


odd = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 5) | st.floats() | st.sampled_from(["", "x", "any", "count", "\ud800"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "is", "text", "of"]), inner),
    max_leaves=4,
)
sensible = st.sampled_from(
    [
        "Order Completed",
        "plan",
        "all",
        "any",
        "none",
        "count",
        "sum",
        "within_last",
        "exists",
        "one_of",
        "7",
        True,
        None,
    ]
) | st.sampled_from([{"type": "number", "text": "7"}, {"amount": "7", "unit": "hours"}])


@st.composite
def messages(draw: Any, draft: dict[str, Any], *, wild: bool) -> dict[str, Any]:
    """What a browser may say about a draft; if it is wild, any part of it is anything."""
    found = list(edits.walk(draft))
    node = draw(st.sampled_from([each.node for each in found]))
    said: dict[str, Any] = {
        "do": draw(st.sampled_from(ACTIONS)),
    }
    more: dict[str, dict[str, Any]] = {
        "put": {"id": node["id"], "path": list(draw(st.sampled_from([*places(node)]))), "value": draw(sensible)},
        "say": {"id": node["id"], "at": draw(st.integers(0, 2)), "value": {"type": "string", "text": draw(st.text())}},
        "insert": {
            "group": node["id"],
            "kind": draw(st.sampled_from([each["is"] for each in MENUS["places"]["account"]])),
            "place": draw(st.sampled_from([*PLACES])),
        },
        "move": {"id": node["id"], "by": draw(st.sampled_from([-1, 1]))},
        "undo": {},
        "redo": {},
    }
    said |= more.get(said["do"], {"id": node["id"]})
    if wild and draw(st.booleans()):
        anything = {
            "value": odd if said["do"] == "put" else st.dictionaries(st.sampled_from(["type", "text"]), odd),
            "path": st.lists(st.integers(-1, 3) | st.text(max_size=3), max_size=3),
        }
        name = draw(st.sampled_from([*sorted(said.keys() - {"do", "at", "by"}), "heard"]))
        said |= {} if name == "heard" else {name: draw(anything.get(name, st.text(max_size=3)))}
    return said


@given(data=st.data(), audience=st.sampled_from(AUDIENCES), wild=st.booleans())
def test_a_draft_stays_one_whatever_is_said(demo: Workspace, data: Any, audience: Any, wild: bool) -> None:
    builder = demo.builder(audience)
    first = json.loads(json.dumps(builder.shown["draft"]))

    for _ in range(data.draw(st.integers(1, 6))):
        builder._heard(builder, data.draw(messages(builder.shown["draft"], wild=wild)), [])

        draft = builder.shown["draft"]
        assert json.loads(json.dumps(draft)) == draft
        assert len(set(ids_of(draft))) == len(ids_of(draft))
        found = drafts.understood(draft)
        assert (found.definition is None) == bool(found.problems)
        assert builder.shown["text"] == ("" if found.definition is None else str(found.definition.expression))
    while builder.shown["undo"]:
        builder.undo()
    assert builder.shown["draft"] == first
    assert builder.definition is audience
    builder.close()
