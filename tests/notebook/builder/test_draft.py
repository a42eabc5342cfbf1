"""Drafts: there and back without loss, whatever a definition says; never a traceback, whatever a browser sends."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from personas_kit.company.config import config_text
from personas_kit.config import load
from personas_kit.definitions import (
    AccountAudience,
    Audience,
    Definition,
    SqlAudience,
    Trait,
    all_users,
    any_user,
    event,
    in_audience,
    no_user,
    parse,
    prop,
    split,
    top,
    trait,
    users,
)
from personas_kit.definitions.expressions import Condition
from personas_kit.errors import DefinitionError, PersonasError
from personas_kit.notebook.builder import draft as drafts
from personas_kit.notebook.builder.menus import MENUS, OPERATORS, PLACES, blank_node, type_of
from personas_kit.notebook.builder.opening import DEEPEST
from personas_kit.notebook.builder.python import WIDTH
from personas_kit.notebook.builder.shape import is_draft
from tests.corpus import DEFINITIONS
from tests.definitions.strategies import conditions

GOLDEN = Path(__file__).parents[2] / "golden" / "drafts.json"
ordered = event("Order Completed")
CORPUS = {
    name: definition
    for name, (_, definition) in DEFINITIONS.items()
    if isinstance(definition, Audience | AccountAudience)
}
KEPT = (
    "order_completed_last_30days", "where", "traits", "funnel_not", "kept_out", "some_users", "split", "every_date",
    "top",
)  # fmt: skip
"""Whose drafts are kept, byte for byte: the browser relies on the shape."""


def over_the_wire(draft: dict[str, Any]) -> dict[str, Any]:
    """As it comes back from a browser."""
    return json.loads(json.dumps(draft))


def same(one: Definition | None, other: Definition) -> bool:
    return one is not None and one.to_dict() == other.to_dict() and one.fingerprint == other.fingerprint


def run(python: str, kind: type[Definition]) -> Definition:
    """What Python text defines."""
    names: dict[str, object] = {}
    exec(python, names)  # noqa: S102  (that it can be run is the point)
    (found,) = [value for value in names.values() if type(value) is kind]
    return found


def nodes(draft: object) -> Iterator[dict[str, Any]]:
    """Every node of a draft."""
    if isinstance(draft, dict):
        if "is" in draft:
            yield draft
        for value in draft.values():
            yield from nodes(value)
    elif isinstance(draft, list):
        for value in draft:
            yield from nodes(value)


def check_there_and_back(definition: Audience | AccountAudience) -> None:
    draft = over_the_wire(drafts.opened(definition))

    assert is_draft(draft)
    assert drafts.problems(draft) == []
    assert same(drafts.meant(draft), definition)
    assert same(run(drafts.python(draft), type(definition)), definition)
    assert str(parse(drafts.text(draft))) == str(definition.expression)


# ---------------------------------------------------------------------------------------------------- there and back


@pytest.mark.parametrize("name", CORPUS)
def test_an_audience_that_is_opened_and_closed_is_the_same(name: str) -> None:
    check_there_and_back(CORPUS[name])


@given(where=conditions, unless=st.none() | conditions, key=st.sampled_from(["", "class", "event", "pk", "k"]))
def test_whatever_an_audience_says_it_is_the_same_afterwards(where: Any, unless: Any, key: str) -> None:
    check_there_and_back(Audience("A name", where, unless=unless, key=key))


@given(where=conditions, unless_user=st.none() | conditions, scope=st.sampled_from(["member", "event"]))
def test_so_it_is_with_audiences_of_accounts(where: Any, unless_user: Any, scope: str) -> None:
    check_there_and_back(AccountAudience("A name", where, unless_user=unless_user, scope=scope))


def test_the_demo_s_audiences_are_the_same(tmp_path: Path) -> None:
    (tmp_path / "personas.toml").write_text(config_text(), encoding="utf-8")
    found = [each.definition for each in load(tmp_path / "personas.toml").scheduled]
    audiences = [each for each in found if isinstance(each, Audience | AccountAudience)]

    assert len(audiences) == 2
    for audience in audiences:
        check_there_and_back(audience)


@pytest.mark.parametrize(
    "where",
    [
        trait("plan") == "",
        trait("seats") == 5.0,
        trait("seats") == 10**37 + 1,
        trait("seats").one_of(1, 1.0, True, "1"),  # noqa: FBT003
        trait("on") == "2026-01-31",
        trait("seats") >= -0.0,
        ~~(trait("a") == 1),
        ~no_user(trait("a") == 1),
        ~all_users(~(trait("a") == 1)),
        ordered.between(hours=(1, 0.5)).count() == 0,
        ordered.where(ordered.where(ordered.count() >= 1).count() >= 1).then(event("B")).count() >= 1,
        ordered.where(prop("a") == 1).then(event("B").within(days=1)).count() >= 1,
        ordered.where(~(event("B").count() >= 1) & (event("C").count() >= True)).count() >= 1,
    ],
    ids=str,
)
def test_what_is_easily_lost_is_not(where: Condition) -> None:
    check_there_and_back(Audience("A", where))


def test_a_name_that_is_changed_keeps_the_key() -> None:
    draft = drafts.opened(Audience("Buyers", ordered.count() >= 1))

    draft["name"] = "Customers"

    meant = drafts.meant(draft)
    assert meant is not None
    assert (meant.name, meant.key) == ("Customers", "buyers")


def test_a_trait_and_sql_cannot_be_opened() -> None:
    for definition in (Trait("T", ordered.count()), SqlAudience("S", "SELECT user_id FROM users")):
        with pytest.raises(DefinitionError, match="can be opened"):
            drafts.opened(definition)


# ------------------------------------------------------------------------------------------------ what can be clicked


def test_all_but_the_first_of_some_can_be_clicked() -> None:
    rules = [node for each in CORPUS.values() for node in nodes(drafts.opened(each)) if "parts" not in node]
    as_text = [rule["text"] for rule in rules if rule["is"] == "text"]

    assert all(text.startswith("top(") for text in as_text)
    assert len(as_text) / len(rules) < 0.03


def test_the_drafts_of_a_few_are_kept(pytestconfig: pytest.Config) -> None:
    found = {name: drafts.opened(CORPUS[name], audiences=["buyers"]) for name in KEPT}
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"

    if pytestconfig.getoption("--update-golden"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


def test_groups_stand_as_they_bind() -> None:
    a, b, c = (trait(key) == 1 for key in "abc")

    where = drafts.opened(Audience("A", a & (b | c)))["where"]

    assert (where["is"], [part["is"] for part in where["parts"]]) == ("all", ["trait", "any"])
    assert [part["trait"] for part in where["parts"][1]["parts"]] == ["b", "c"]


def test_the_outermost_node_is_always_a_group() -> None:
    for where in (trait("a") == 1, ~(trait("a") == 1), any_user(trait("a") == 1)):
        group = drafts.opened(AccountAudience("A", where))["where"]
        assert (group["is"], group["not"], len(group["parts"])) == ("all", False, 1)


def test_known_audiences_are_what_somebody_is_in() -> None:
    audience = Audience("A", in_audience("buyers") & (trait("active") == True))  # noqa: E712

    draft = drafts.opened(audience, audiences=["buyers"])

    assert [part["is"] for part in draft["where"]["parts"]] == ["in_audience", "trait"]
    assert same(drafts.meant(draft), audience)
    assert drafts.understood(draft).audiences == {"buyers"}
    assert 'in_audience("buyers") & (trait("active") == True)' in drafts.python(draft)


def test_what_lies_too_deep_is_text() -> None:
    where: Condition = trait("a") == 1
    for level in range(38):
        where = (where & (trait("b") == level)) if level % 2 else (where | (trait("c") == level))

    draft = drafts.opened(Audience("A", where))

    assert any(node["is"] == "text" for node in nodes(draft))
    assert len(list(nodes(draft))) < 2 * DEEPEST + 3
    check_there_and_back(Audience("A", where))


# ------------------------------------------------------------------------------------------------------------- Python


def test_python_is_written_as_a_person_would() -> None:
    where = (
        (ordered.where(prop("revenue") >= 50).within(days=30).count() >= 2)
        & ((trait("plan") == "pro") | in_audience("vip"))
        & ~(event("Ticket Opened").not_then(event("Ticket Closed").within(days=2)).count() >= 1)
    )
    draft = drafts.opened(Audience("Good customers", where), audiences=["vip"])

    assert drafts.python(draft) == (
        "import personas_kit as pk\n"
        "from personas_kit import event, in_audience, prop, trait\n"
        "\n"
        "good_customers = pk.Audience(\n"
        '    "Good customers",\n'
        "    where=(\n"
        '        (event("Order Completed").where(prop("revenue") >= 50).within(days=30).count() >= 2)\n'
        '        & ((trait("plan") == "pro") | in_audience("vip"))\n'
        '        & ~(event("Ticket Opened").not_then(event("Ticket Closed").within(days=2)).count() >= 1)\n'
        "    ),\n"
        ")\n"
    )


@pytest.mark.parametrize("name", CORPUS)
def test_lines_of_python_fit(name: str) -> None:
    python = drafts.python(drafts.opened(CORPUS[name]))

    assert max(map(len, python.splitlines())) <= WIDTH


# -------------------------------------------------------------------------------------------- what is missing, and lint


def test_nothing_said_yet_is_a_list_of_what_to_do() -> None:
    for subject in ("user", "account"):
        draft = drafts.blank(subject)

        assert [(each.id, each.field, each.what) for each in drafts.problems(draft)] == [
            ("", "name", "give the audience a name"),
            ("where", "", "there is no rule here yet"),
        ]
        assert drafts.meant(draft) is None
        assert (drafts.python(draft), drafts.text(draft), drafts.parts(draft), drafts.warned(draft)) == ("", "", {}, [])


def test_a_half_filled_rule_is_a_problem_and_the_others_count() -> None:
    draft = drafts.opened(Audience("A", (ordered.count() >= 1) & (trait("plan") == "pro")))
    whole, half = draft["where"]["parts"]

    half["values"][0]["text"] = ""

    assert [(each.id, each.field, each.what) for each in drafts.problems(draft)] == [
        (half["id"], "values", "type a value")
    ]
    assert drafts.meant(draft) is None
    assert {id_: str(part) for id_, part in drafts.parts(draft).items()} == {
        whole["id"]: "event('Order Completed').count() >= 1"
    }


def test_every_part_that_can_be_counted_has_its_id() -> None:
    a, b = trait("a") == 1, ordered.where(prop("b") == 2).count() >= 1
    draft = drafts.opened(Audience("A", ~a | b, unless=a))
    negated, did = draft["where"]["parts"]
    (out,) = draft["unless"]["parts"]

    assert {id_: str(part) for id_, part in drafts.parts(draft).items()} == {
        draft["where"]["id"]: str(~a | b),
        negated["id"]: str(~a),
        did["id"]: str(b),
        draft["unless"]["id"]: str(a),
        out["id"]: str(a),
    }


@pytest.mark.parametrize("place", PLACES)
def test_an_empty_rule_of_a_menu_says_what_to_choose(place: str) -> None:
    for entry in MENUS["places"][place]:
        draft = drafts.blank("user") | {"name": "A"}
        draft["where"]["parts"] = [_with_ids(copy.deepcopy(entry["blank"]))]

        found = drafts.problems(draft)

        assert found, entry
        assert all(each.what and each.id for each in found)
        assert not any("traceback" in each.what.lower() for each in found)


@pytest.mark.parametrize(
    ("change", "field", "what"),
    [
        ({"event": ""}, "event", "choose an event"),
        ({"values": []}, "values", "type a value"),
        ({"values": [{"type": "number", "text": "1,000"}]}, "values", "'1,000' is not a number"),
        ({"values": [{"type": "date", "text": "31.1.2026"}]}, "values", "'31.1.2026' is not a date"),
        ({"values": [{"type": "boolean", "text": "yes"}]}, "values", "choose true or false"),
        ({"values": [{"type": "value", "text": "trait('a"}]}, "values", "this text is not closed"),
        ({"values": [{"type": "value", "text": "trait('a') = 1"}]}, "values", "a value is wanted"),
        ({"values": [{"type": "number", "text": "9" * 39}]}, "values", "at most 38 digits"),
        ({"op": "within_last"}, "values", "choose days or hours"),
        ({"op": "sounds_like"}, "op", "choose how it is compared"),
        ({"ignore_case": True}, "values", "ignore_case is for texts"),
        ({"measure": {"of": "sum", "property": "", "as": None}}, "measure", "choose a property"),
        ({"measure": {"of": "sum", "property": "x", "as": "money"}}, "measure", "choose how the property is read"),
        (
            {"measure": {"of": "most_frequent", "property": "x", "as": None, "at_least": "0"}},
            "measure",
            "1 or more",
        ),
        ({"window": {"older": {"amount": "", "unit": "days"}}}, "window", "type a number"),
        ({"window": {"older": {"amount": "-3", "unit": "days"}}}, "window", "a duration is more than nothing"),
        ({"window": {"older": {"amount": "3", "unit": "moons"}}}, "window", "choose days or hours"),
        ({"counted": "twice"}, "counted", "choose for whom it counts"),
        ({"not": "yes"}, "not", "'not' is true or false"),
        ({"is": "wish"}, "", "choose what kind of rule"),
        ({"id": ""}, "", "an id of its own"),
    ],
)
def test_what_is_wrong_is_said_at_its_place(change: dict[str, Any], field: str, what: str) -> None:
    draft = drafts.opened(Audience("A", ordered.within(days=30).count() >= 1))
    draft["where"]["parts"][0] |= change

    (problem,) = drafts.problems(draft)

    assert problem.field == field
    assert what in problem.what
    assert drafts.meant(draft) is None


def test_text_that_cannot_be_read_shows_the_place() -> None:
    draft = drafts.opened(Audience("A", top(3, by=trait("a"), of=trait("b") == 1)))
    draft["where"]["parts"][0]["text"] = "event('A').cuont() >= 1"

    (problem,) = drafts.problems(draft)

    assert "^" in problem.where
    assert problem.hint == "did you mean 'count'?"
    assert problem.to_dict()["field"] == "text"


def test_text_that_is_a_value_is_no_rule() -> None:
    draft = drafts.opened(Audience("A", top(3, by=trait("a"), of=trait("b") == 1)))
    draft["where"]["parts"][0]["text"] = "trait('a')"

    assert [each.what for each in drafts.problems(draft)] == ["a rule is a condition, and this is a value"]


def test_two_rules_of_one_id_are_told_apart() -> None:
    draft = drafts.opened(Audience("A", (trait("a") == 1) & (trait("b") == 1)))
    one, other = draft["where"]["parts"]
    other["id"] = one["id"]

    assert [each.what for each in drafts.problems(draft)] == ["every rule needs an id of its own"]


def test_a_warning_stands_at_the_rule_that_it_is_about() -> None:
    draft = drafts.opened(
        AccountAudience("A", all_users(trait("plan") != "pro") & (ordered.count() >= 0), unless=trait("a") != 1)
    )
    all_of, always = draft["where"]["parts"]
    (inside,) = all_of["of"]["parts"]

    found = {(id_, each.code) for id_, each in drafts.warned(draft)}

    assert {(inside["id"], "differs_missing"), (all_of["id"], "all_empty"), (always["id"], "always_true")} <= found
    assert all(id_ for id_, _ in found)


def test_a_part_is_found_by_its_text_or_in_the_smallest_that_holds_it() -> None:
    draft = drafts.opened(Audience("A", (ordered.count() >= 1) & (trait("plan") == "pro")))
    _, plan = draft["where"]["parts"]

    found = drafts.understood(draft)

    assert found.about("trait('plan')") == plan["id"]
    assert found.about("trait('elsewhere')") == ""


# ------------------------------------------------------------------------------------------------- whatever is sent


def _with_ids(node: Any, made: list[int] | None = None) -> Any:
    """As a browser does: every node gets an id."""
    made = made if made is not None else []
    for each in nodes(node):
        made.append(1)
        each["id"] = f"b{len(made)}"
    return node


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inner:
        yield from _places(each, (*path, name))


def _changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy with something else at a place; without the place, if that is ``...``."""
    if not path:
        return new
    found = copy.copy(value)
    if len(path) == 1 and new is ...:
        del found[path[0]]
    else:
        found[path[0]] = _changed(value[path[0]], path[1:], new)
    return found


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True)
    | st.text(max_size=4)
    | st.sampled_from(
        ["all", "event", "trait", "users", "text", "count", "=", "days", "\ud800", "x" * 5_000, "9" * 401]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "is", "not", "parts", "values", "op", "of", "type", "text", "amount"]), inner
        )
    ),
    max_leaves=6,
)
corpus_drafts = st.sampled_from([drafts.opened(each) for each in CORPUS.values()])


@st.composite
def tampered(draw: Any) -> Any:
    """A draft with something odd in a few of its places, or with places missing."""
    draft = draw(corpus_drafts)
    for _ in range(draw(st.integers(1, 3))):
        places = [path for path in _places(draft) if path]
        if places:
            draft = _changed(draft, draw(st.sampled_from(places)), draw(json_values | st.just(...)))
    return draft


def check_is_told(draft: Any) -> None:
    found = drafts.understood(draft)

    assert (found.definition is None) == bool(found.problems)
    for problem in found.problems:
        assert problem.what
        json.dumps(problem.to_dict())
    if found.definition is not None:
        check_there_and_back(found.definition)
        assert found.parts


@given(tampered())
@example({})
@example([])
@example(None)
@example({"kind": [], "name": {}, "key": 1, "where": []})
@example({"kind": "audience", "name": "A", "key": "", "where": {"id": "a", "is": [], "not": False, "parts": []}})
def test_a_draft_that_was_tampered_with_has_problems_or_is_one(draft: Any) -> None:
    check_is_told(draft)


@given(json_values)
def test_so_it_is_with_what_is_no_draft(anything: Any) -> None:
    check_is_told(anything)


@given(tampered())
def test_what_has_the_shape_of_a_draft_can_be_drawn(draft: Any) -> None:
    """The ids that a browser finds rules by are apart, and every text is one that can be sent."""
    if is_draft(draft):
        ids = [node["id"] for node in nodes(draft)]
        assert len(set(ids)) == len(ids)
        json.dumps(draft, ensure_ascii=False).encode()


@pytest.mark.parametrize("odd", [None, [], {}, "x", {"kind": "audience"}, drafts.blank("user") | {"more": 1}])
def test_what_is_no_draft_has_not_its_shape(odd: Any) -> None:
    assert not is_draft(odd)


def test_an_empty_rule_of_every_menu_has_the_shape() -> None:
    for place, entries in MENUS["places"].items():
        draft = drafts.blank("account")
        made: list[int] = []
        draft["where"]["parts"] = [_with_ids(copy.deepcopy(each["blank"]), made) for each in entries]
        assert is_draft(draft), place


def test_groups_without_end_are_refused() -> None:
    node: dict[str, Any] = {"id": "n", "is": "text", "not": False, "text": "trait('a') = 1"}
    for level in range(5_000):
        node = {"id": f"g{level}", "is": "all", "not": False, "parts": [node]}
    draft = drafts.blank("user") | {"name": "A", "where": node}

    assert [each.what for each in drafts.problems(draft)] == ["nested too deep"]


def test_a_text_without_end_is_refused() -> None:
    draft = drafts.opened(Audience("A", top(3, by=trait("a"), of=trait("b") == 1)))
    draft["where"]["parts"][0]["text"] = "NOT " * 5_000 + "trait('a') = 1"

    assert "deep" in drafts.problems(draft)[0].what


def test_no_text_and_no_negation_make_a_tree_too_deep() -> None:
    """80 levels are what a definition may have; a text of as many stands inside groups here."""
    for levels in range(70, 81):
        text = "NOT " * levels + "trait('a') = 1"
        draft = drafts.blank("user") | {"name": "A"}
        draft["where"]["parts"] = [{"id": "n", "is": "text", "not": True, "text": text}]
        check_is_told(draft)


# ------------------------------------------------------------------------------------------------------------- menus


def test_the_menus_are_json_and_name_what_can_be_read() -> None:
    menus = over_the_wire(MENUS)

    assert menus == MENUS
    assert {each["op"] for each in menus["operators"][""]} == set(OPERATORS)
    for entries in menus["operators"].values():
        for each in entries:
            draft = drafts.opened(Audience("A", trait("a") == "b"))
            duration = {"type": "duration", "amount": "3", "unit": "days"}
            date = {"type": "date", "text": "2026-01-31"}
            value = {"duration": duration, "none": date}.get(each["takes"], date)
            if each["op"] in {"contains", "omits", "starts_with", "ends_with"}:
                value = {"type": "string", "text": "x"}
            draft["where"]["parts"][0] |= {"op": each["op"], "values": [value]}
            assert drafts.problems(draft) == []


def test_every_reducer_and_quantifier_of_the_menus_can_be_meant() -> None:
    for each in MENUS["reducers"]:
        draft = drafts.opened(Audience("A", ordered.sum("x") >= 1))
        draft["where"]["parts"][0]["measure"] |= {"of": each["of"], "at_least": "2"}
        check_is_told(draft)
        assert drafts.problems(draft) == []
    for each in MENUS["quantifiers"]:
        draft = drafts.opened(AccountAudience("A", users().share(trait("a") == 1) >= 0.5))
        draft["where"]["parts"][0]["quantifier"] = each["quantifier"]
        check_is_told(draft)
        assert drafts.problems(draft) == []


@pytest.mark.parametrize(
    ("column", "first"),
    [("text", "="), ("integer", ">="), ("timestamp_tz", "within_last"), ("boolean", "="), ("list", "contains")],
)
def test_operators_fit_the_type_of_a_column(column: str, first: str) -> None:
    assert MENUS["operators"][type_of(column)][0]["op"] == first
    assert type_of("json") == type_of("") == ""


def test_what_follows_is_measured_from_the_event_around() -> None:
    assert blank_node("event", "event")["window"]["parent"] is True
    assert blank_node("event")["window"]["parent"] is False


def test_an_arm_and_a_holdout_are_clicked() -> None:
    draft = drafts.opened(Audience("A", split("spring", (0, 50))))
    arm = draft["where"]["parts"][0]

    arm |= {"holdout": True, "high": "10"}

    assert drafts.text(draft) == "holdout('spring', 10)"
    arm["high"] = "110"
    assert "percent" in drafts.problems(draft)[0].what


def test_an_error_of_the_kit_is_what_opening_raises() -> None:
    with pytest.raises(PersonasError):
        drafts.opened(Trait("T", trait("a")))
