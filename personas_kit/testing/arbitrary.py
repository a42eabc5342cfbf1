"""What a contract throws at a destination: any value, any id, any answer. This takes hypothesis."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject, SearchStrategy

from personas_kit.destinations.outcomes import Answer
from personas_kit.testing.mangled import NO_JSON, ODD, STATUSES
from personas_kit.testing.written import Said, answer_of

ANY_JSON: SearchStrategy[Any] = st.sampled_from(ODD) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
ANY_ANSWER = st.builds(
    lambda status, body: Answer(status, {}, body),
    st.sampled_from(STATUSES),
    st.sampled_from(NO_JSON) | ANY_JSON.map(lambda body: json.dumps(body).encode()),
)

_TEXTS = (
    *("it's", '"', "\\", "\\u0041", "a\nb\r\tc", "\x00\x01\x7f", "\u2028", "null", "0", "</script>"),
    "\N{PARTY POPPER}\N{ZERO WIDTH JOINER}",
)  # fmt: skip
TEXTS = st.text(max_size=12) | st.sampled_from(_TEXTS)
IDS = TEXTS.filter(bool)
"""An id is never empty."""


def _written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _object(fields: dict[str, str]) -> str:
    return "{" + ",".join(f"{_written(name)}:{value}" for name, value in fields.items()) + "}"


_DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=6).map("{:f}".format)
_NUMBER = st.integers(-(10**38), 10**38).map(str) | _DECIMALS | st.sampled_from(("0.1", "-0.0", "1e-7", "5e-324"))
VALUES: SearchStrategy[str] = st.recursive(
    st.sampled_from(("true", "false", "null")) | _NUMBER | TEXTS.map(_written),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda parts: f"[{','.join(parts)}]")
        | st.dictionaries(TEXTS, inner, max_size=3).map(_object)
    ),
    max_leaves=5,
)
"""The JSON text of a value, as a batch holds it."""


def for_any(holds: Callable[[DataObject], None]) -> None:
    """Check it for many draws; the fewest and smallest that break it are told."""

    @settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.nested_given])
    @given(st.data())
    def run(data: DataObject) -> None:
        holds(data)

    run()


def bent(body: object, data: DataObject) -> object:
    """A body of a fixture with something else in one of its places, or with something missing or doubled."""
    how = data.draw(st.sampled_from(("deeper", "deeper", "deeper", "fewer", "more", "else")))
    if how == "else" or not body or not isinstance(body, dict | list):
        return data.draw(ANY_JSON)
    if isinstance(body, dict):
        name = data.draw(st.sampled_from(sorted(body)))
        kept = {each: value for each, value in body.items() if each != name}
        return kept if how == "fewer" else {**kept, name: bent(body[name], data)}
    at = data.draw(st.integers(0, len(body) - 1))
    changed = {"fewer": [], "more": [body[at], body[at]]}.get(how)
    return [*body[:at], *([bent(body[at], data)] if changed is None else changed), *body[at + 1 :]]


def an_answer(usual: Sequence[Said], data: DataObject) -> Answer:
    """One of these answers of a fixture, as it is or bent; or any other."""
    how = data.draw(st.sampled_from(("usual", "bent", "bent", "any")))
    if how == "any" or not usual:
        return data.draw(ANY_ANSWER)
    said = data.draw(st.sampled_from(usual))
    if how == "usual":
        return answer_of(said)
    return answer_of({**said, "body": json.dumps(bent(said.get("body"), data))})
