"""A draft becomes a definition, or a list of what is missing. Whatever a browser sends is read; nothing is guessed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast

from personas_kit.definitions import words
from personas_kit.definitions.definition import AccountAudience, Audience, Definition
from personas_kit.definitions.expressions import (
    And,
    Compare,
    Condition,
    Not,
    OfUsers,
    Operand,
    Operator,
    Or,
    PropertyRef,
    TraitRef,
    Value,
    flatten,
)
from personas_kit.definitions.language import parse
from personas_kit.definitions.streams import Counted, Events, Reduced, Reducer, Users, Window
from personas_kit.definitions.vocabulary import holdout, in_audience, split
from personas_kit.errors import DefinitionError
from personas_kit.notebook.builder.menus import COUNTED, OPERATORS, QUANTIFIERS, REDUCERS
from personas_kit.notebook.builder.opening import DEEPEST
from personas_kit.notebook.builder.values import (
    mapping,
    read_choice,
    read_duration,
    read_name,
    read_number,
    read_type,
    read_value,
    read_whole,
    takes,
)

_T = TypeVar("_T")
_KINDS: Final[dict[str, type[Audience | AccountAudience]]] = {kind.kind: kind for kind in (Audience, AccountAudience)}
_GROUPS: Final[dict[object, type[And | Or]]] = {"all": And, "any": Or}
_BOTH = {"subject": "member", "account": "account"}
"""Whose an arm of an experiment is, in the words of ``split``."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is missing in a draft, or cannot be.

    Attributes:
        id: of the node; empty for the draft itself.
        field: of the node, such as ``event`` or ``values``; empty for the node as a whole.
        what: what is wrong, or what to do next.
        where: for text that cannot be read: the line, and below it a caret under the character.
        hint: what to write instead; may be empty.
    """

    id: str
    field: str
    what: str
    where: str = ""
    hint: str = ""

    def to_dict(self) -> dict[str, str]:
        """As plain data."""
        return {"id": self.id, "field": self.field, "what": self.what, "where": self.where, "hint": self.hint}


@dataclass(slots=True)
class Understood:
    """What a draft says.

    Attributes:
        definition: what it stands for; nothing while there are problems.
        problems: what is missing or cannot be, from left to right.
        parts: by id, the complete nodes that are conditions on whom the audience is about, as they count.
        audiences: keys of the audiences that rules refer to.
    """

    definition: Definition | None = None
    problems: list[Problem] = field(default_factory=list)
    parts: dict[str, Condition] = field(default_factory=dict)
    audiences: set[str] = field(default_factory=set)
    said: list[tuple[str, str]] = field(default_factory=list)
    """The text of every complete node, and its id; those inside before those around them."""

    def about(self, text: str) -> str:
        """The id of the node with this text, else of the smallest one that contains it; empty if none does."""
        holding = [(len(said), id_) for said, id_ in self.said if text and text in said]
        return min(holding, key=lambda one: one[0])[1] if holding else ""


def understood(draft: object) -> Understood:
    """Everything that a draft says, in one go. It never raises: what is wrong is among the problems."""
    data, found = mapping(draft), Understood()
    reader = _Reader(found)
    kind = reader.field("", "kind", lambda: _KINDS[read_choice(data.get("kind"), _KINDS, "users or accounts")])
    named = reader.field("", "name", lambda: Definition(name=_name(data.get("name")), key="draft").name)
    key = reader.field("", "key", lambda: _key(data.get("key"), named)) if named is not None else None
    where = reader.node(data.get("where"), 0, counted=True)
    others = {"unless": True} | ({"unless_user": False} if kind is AccountAudience else {})
    kept_out = {name: reader.if_any(data.get(name), 0, counted=counted) for name, counted in others.items()}
    if not found.problems and kind is not None and named is not None and where is not None:
        said: dict[str, Any] = {name: one[0] for name, one in kept_out.items() if one is not None}
        found.definition = reader.field("", "where", lambda: kind(name=named, where=where, key=key or "", **said))
    return found


def _name(given: object) -> str:
    if not isinstance(given, str) or not given.strip():
        raise DefinitionError("give the audience a name")
    return given


def _key(given: object, name: str) -> str:
    if not isinstance(given, str):
        raise DefinitionError("a key is a text; left empty, it is made from the name")
    return Definition(name=name, key=given).key


@dataclass(slots=True)
class _Reader:
    """Reads nodes into ``found``; each of its methods gives nothing where there is a problem."""

    found: Understood
    ids: set[str] = field(default_factory=set)

    def field(self, id_: str, name: str, read: Callable[[], _T]) -> _T | None:
        """What a field says."""
        try:
            return read()
        except DefinitionError as problem:
            self.found.problems.append(Problem(id_, name, problem.what, problem.where, problem.hint))
            return None

    def if_any(self, given: object, level: int, *, counted: bool) -> tuple[Condition | None] | None:
        """A group that may be empty: what it says, if anything; nothing at all where there is a problem."""
        data = mapping(given)
        if given is None or (data.get("is") in ("all", "any") and data.get("parts") == []):
            return (None,)
        made = self.node(given, level, counted=counted)
        return None if made is None else (made,)

    def node(self, given: object, level: int, *, counted: bool) -> Condition | None:
        """A node, with those below it."""
        data = mapping(given)
        id_ = data["id"] if isinstance(data.get("id"), str) else ""
        if level > DEEPEST + 1:
            return self.refused(id_, "nested too deep", "split it into several audiences")
        if not id_ or id_ in self.ids:
            return self.refused(id_, "every rule needs an id of its own", "open the audience anew")
        self.ids.add(id_)
        negated = self.field(id_, "not", lambda: _flag(data, "not"))
        kind = data.get("is")
        read = _READ.get(kind) if isinstance(kind, str) else None
        if read is None:
            return self.refused(id_, "choose what kind of rule this is", "")
        made = read(self, id_, data, level, counted)
        if made is None or negated is None:
            return None
        return self.field(id_, "", lambda: self.kept(id_, made, negated=negated, counted=counted))

    def kept(self, id_: str, made: Condition, *, negated: bool, counted: bool) -> Condition:
        """What a node says, kept with its text. Raises: DefinitionError: it is nested absurdly deep."""
        meant: Condition = Not(made) if negated else made
        self.found.said += [(str(each), id_) for each in ((made, meant) if negated else (made,))]
        if counted:
            self.found.parts[id_] = meant
        return meant

    def refused(self, id_: str, what: str, hint: str) -> Condition | None:
        """Nothing, and the reason among the problems."""
        self.found.problems.append(Problem(id_, "", what, hint=hint))
        return None

    # --- kinds of nodes ----------------------------------------------------------------------------------------------

    def group(self, id_: str, data: Mapping[str, Any], level: int, counted: bool) -> Condition | None:
        given = data.get("parts")
        if not isinstance(given, list) or not given:
            return self.refused(id_, "there is no rule here yet", "add one, or take the group away")
        parts = [self.node(part, level + 1, counted=counted) for part in given]
        whole = [part for part in parts if part is not None]
        if len(whole) < len(parts):
            return None
        combine = _GROUPS[data["is"]]
        return whole[0] if len(whole) == 1 else combine(flatten(combine, whole))

    def event(self, id_: str, data: Mapping[str, Any], level: int, _: bool) -> Condition | None:
        name = self.field(id_, "event", lambda: read_name(data.get("event"), "an event"))
        counted = self.field(id_, "counted", lambda: read_choice(data.get("counted"), COUNTED, "for whom it counts"))
        measure = self.field(id_, "measure", lambda: _measure(data.get("measure")))
        window = self.field(id_, "window", lambda: (_window(data.get("window")),))
        compared = self.compared(id_, data)
        where = self.if_any(data.get("where"), level + 1, counted=False)
        if name is None or counted is None or measure is None or window is None or compared is None or where is None:
            return None
        stream = Events(name, where[0], window[0], cast("Counted", counted))
        return self.field(id_, "values", lambda: compared(Reduced(stream, *measure)))

    def trait(self, id_: str, data: Mapping[str, Any], _: int, __: bool) -> Condition | None:
        key = self.field(id_, "trait", lambda: read_name(data.get("trait"), "a trait"))
        of = self.field(id_, "of", lambda: read_choice(data.get("of"), _BOTH, "whose trait it is"))
        compared = self.compared(id_, data)
        if key is None or of is None or compared is None:
            return None
        return self.field(id_, "values", lambda: compared(TraitRef(key, of)))  # type: ignore[arg-type]  # one of _BOTH

    def property(self, id_: str, data: Mapping[str, Any], _: int, __: bool) -> Condition | None:
        name = self.field(id_, "property", lambda: read_name(data.get("property"), "a property"))
        as_type = self.field(id_, "as", lambda: (read_type(data.get("as")),))
        parent = self.field(id_, "parent", lambda: _flag(data, "parent"))
        compared = self.compared(id_, data)
        if name is None or as_type is None or parent is None or compared is None:
            return None
        return self.field(id_, "values", lambda: compared(PropertyRef(name, as_type[0], parent)))

    def in_audience(self, id_: str, data: Mapping[str, Any], _: int, __: bool) -> Condition | None:
        key = self.field(id_, "audience", lambda: read_name(data.get("audience"), "an audience"))
        if key is None:
            return None
        self.found.audiences.add(key)
        return in_audience(key)

    def users(self, id_: str, data: Mapping[str, Any], level: int, _: bool) -> Condition | None:
        said = data.get("quantifier")
        quantifier = self.field(id_, "quantifier", lambda: read_choice(said, QUANTIFIERS, "any, all or none of them"))
        of: tuple[Condition | None] | None
        if quantifier == "count":
            of = self.if_any(data.get("of"), level + 1, counted=False)
        else:
            made = self.node(data.get("of"), level + 1, counted=False)
            of = None if made is None else (made,)
        if quantifier in {"count", "share"}:
            compared = self.compared(id_, data)
            if of is None or compared is None:
                return None
            value = Reduced(Users(of[0]), "count") if quantifier == "count" else Reduced(Users(), "share", of[0])
            return self.field(id_, "values", lambda: compared(value))
        if of is None or of[0] is None or quantifier is None:
            return None
        return OfUsers("all", of[0]) if quantifier == "all" else _any(of[0], none=quantifier == "none")

    def split(self, id_: str, data: Mapping[str, Any], _: int, __: bool) -> Condition | None:
        name = self.field(id_, "name", lambda: read_name(data.get("name"), "a name for the experiment"))
        by = self.field(id_, "by", lambda: _BOTH[read_choice(data.get("by"), _BOTH, "what is divided")])
        held = self.field(id_, "holdout", lambda: _flag(data, "holdout"))
        low = self.field(id_, "low", lambda: read_number("0" if held else data.get("low")))
        high = self.field(id_, "high", lambda: read_number(data.get("high")))
        if name is None or by is None or held is None or low is None or high is None:
            return None
        made: Callable[[], Condition] = (
            (lambda: holdout(name, high, by=by)) if held else (lambda: split(name, (low, high), by=by))  # type: ignore[arg-type]
        )
        return self.field(id_, "high", made)

    def text(self, id_: str, data: Mapping[str, Any], _: int, __: bool) -> Condition | None:
        return self.field(id_, "text", lambda: _condition(data.get("text")))

    def compared(self, id_: str, data: Mapping[str, Any]) -> Callable[[Value], Condition] | None:
        """How a value is compared: what makes a condition of it."""
        operator = self.field(id_, "op", lambda: read_choice(data.get("op"), OPERATORS, "how it is compared"))
        if operator is None:
            return None
        values = self.field(id_, "values", lambda: _values(operator, data.get("values")))
        ignore = self.field(id_, "ignore_case", lambda: _flag(data, "ignore_case"))
        if values is None or ignore is None:
            return None
        return lambda left: _comparison(left, operator, values, ignore_case=ignore)


_READ: Final[dict[str, Callable[[_Reader, str, Mapping[str, Any], int, bool], Condition | None]]] = {
    "all": _Reader.group, "any": _Reader.group, "event": _Reader.event, "trait": _Reader.trait,
    "property": _Reader.property, "in_audience": _Reader.in_audience, "users": _Reader.users, "split": _Reader.split,
    "text": _Reader.text,
}  # fmt: skip


def _any(part: Condition, *, none: bool) -> Condition:
    found = OfUsers("any", part)
    return Not(found) if none else found


def _values(operator: str, given: object) -> list[Operand]:
    """The values that an operator takes; a duration is its seconds."""
    wanted = takes(operator)
    if wanted == "none":
        return []
    values = given if isinstance(given, list) else []
    if not values:
        raise DefinitionError("type a value" if wanted != "duration" else "say how long")
    if wanted == "duration":
        return [read_duration(values[0])]
    return list(map(read_value, values if wanted == "several" else values[:1]))


def _comparison(left: Value, operator: str, values: list[Operand], *, ignore_case: bool) -> Condition:
    if takes(operator) in {"none", "duration"}:
        return Compare(left, cast("Operator", operator), tuple(values))
    if operator in words.DATES:
        return cast("Condition", getattr(left, words.DATES[operator])(*values))
    how = {"ignore_case": True} if ignore_case else {}
    if operator in words.SYMBOLS:
        return left.compare(words.SYMBOLS[operator], values[0], **how)
    return cast("Condition", getattr(left, operator)(*values, **how))


def _measure(given: object) -> tuple[Reducer, PropertyRef | None, int]:
    data = mapping(given)
    reducer = cast("Reducer", read_choice(data.get("of"), REDUCERS, "what is measured"))
    if reducer == "count":
        return reducer, None, 1
    prop = PropertyRef(read_name(data.get("property"), "a property"), read_type(data.get("as")))
    return reducer, prop, read_whole(data.get("at_least")) if reducer == "most_frequent" else 1


def _window(given: object) -> Window | None:
    if given is None:
        return None
    data = mapping(given)
    older = read_duration(data.get("older"))
    newer = 0 if data.get("newer") is None else read_duration(data.get("newer"), zero=True)
    return Window(max(older, newer), min(older, newer), _flag(data, "parent"))


def _condition(given: object) -> Condition:
    found = parse(given if isinstance(given, str) else "")
    if isinstance(found, Condition):
        return found
    raise DefinitionError("a rule is a condition, and this is a value", hint=f"compare it, for example: {found} >= 1")


def _flag(data: Mapping[str, Any], name: str) -> bool:
    given = data.get(name, False)
    if isinstance(given, bool):
        return given
    raise DefinitionError(f"{name!r} is true or false")
