"""Events reduced to one value per user or account: one part of the statement for each distinct metric.

An event inside another's ``where`` is one that follows it. Its metric is computed for each event around, known by its
user, its instant and what the inner condition reads of it; two events that agree in all of these have one answer. So
nothing depends on an order of lines, and no event needs an id.

Semantics: windows and instants B1, counting B5, funnels B7, accounts B9, columns as properties B22.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Final

from sqlglot import exp

from personas_kit.compiler.bind import column_of
from personas_kit.compiler.conditions import Class, Typed, condition, negated
from personas_kit.compiler.nodes import all_of, as_, column, constant, given, instant, op, same, sortable
from personas_kit.compiler.population import ACCOUNTS, MEMBERS, Build
from personas_kit.compiler.reductions import ZERO, Key, reduced
from personas_kit.compiler.source import NUMBERS, Column, ColumnType, EventTable, Source
from personas_kit.compiler.together import AGGREGATES, MANY
from personas_kit.definitions.expressions import (
    And,
    Compare,
    Condition,
    Expression,
    Not,
    OfOwner,
    Or,
    OwnerValue,
    PropertyRef,
    Value,
    walk,
)
from personas_kit.definitions.streams import Events, Reduced
from personas_kit.errors import DefinitionError, UnknownName

if TYPE_CHECKING:
    from personas_kit.compiler.scope import Owner, Scope

_OF_NUMBERS: Final = frozenset({"sum", "avg", "min", "max"})
_ONE_OF_THEM: Final = frozenset({"first", "last", "most_frequent"})
_GROWING: Final = frozenset({"count", "unique_count"})
_AT_LEAST: Final = {True: frozenset({">", ">=", "exists"}), False: frozenset({"<", "<=", "absent"})}
_READ_AS: Final[dict[str, ColumnType]] = {
    "number": "float",
    "string": "text",
    "boolean": "boolean",
    "date": "timestamp",
    "list": "list",
}
_CLASSES: Final[dict[Class, str]] = {"text": "string", "number": "number", "truth value": "boolean", "time": "date"}


@dataclass(eq=False)
class EventLines:
    """The events that count, and how to read one of them. Also the place of the conditions in ``where``.

    ``owner`` is whose they are: a user's, an account's, those of a user in an account, or those that follow another
    event (``parent``).
    """

    build: Build
    events: Events
    owner: Owner
    parent: EventLines | None = None
    refs: dict[str, tuple[PropertyRef, Typed]] = field(default_factory=dict)
    """What the events that follow read of these, by the name under which they read it."""
    _scope: Scope | None = None
    _joins: list[exp.Join] = field(default_factory=list)

    @property
    def zone(self) -> str:
        """The time zone of days."""
        return self.build.source.timezone

    @property
    def alone(self) -> bool:
        """Whether nothing but the event itself, and who is a member of what, says whether it counts, and whose."""
        return self.parent is None and not self._joins and not (self._scope and self._scope.joins)

    @property
    def of(self) -> EventTable:
        """The table that holds them."""
        return table_of(self.build.source, self.events.name)

    def read(self, of: Column) -> exp.Column:
        """A column of an event."""
        return self.build.event(self.of, of)

    @property
    def user(self) -> exp.Expr:
        """Whose an event is."""
        return self.build.events(self.of).user

    @property
    def keys(self) -> list[Key]:
        """Whose an event is: a user's, an account's, both, or the event's that it follows."""
        if self.parent is not None:
            return [(name, column("p", name)) for name in ("user_id", "happened_at", *self.parent.refs)]
        if self.owner == "user":
            return [("user_id", self.user)]
        account = self._named_account() if self.events.counted == "event" else column(MEMBERS, "account_id")
        return (
            [("account_id", account)] if self.owner == "account" else [("user_id", self.user), ("account_id", account)]
        )

    def order(self) -> list[exp.Expr]:
        """When it happened, then its id."""
        own = self.of.id
        return [self.read(self.of.at), *([sortable(self.read(own), own.type)] if own else [])]

    def select(self, *listed: exp.Expr, extra: exp.Expr | None = None) -> exp.Select:
        """The owner of each event that counts, and what is listed."""
        wanted = self._named()
        if self.events.condition is not None:
            wanted.append(where(self.events.condition, self))
        wanted += [extra] if extra is not None else []
        begun = exp.select(*(as_(key.copy(), name) for name, key in self.keys), *listed)
        made = self._from(begun)
        for join in [*(self._scope.joins.values() if self._scope else []), *self._joins]:
            made.append("joins", join.copy())
        return made.where(all_of(wanted)) if wanted else made

    def candidates(self) -> exp.Select:
        """Each event of the name in the window, by what the events that follow know of it."""
        listed = [as_(self.user, "user_id"), as_(self.read(self.of.at), "happened_at")]
        listed += [as_(typed.sql.copy(), name) for name, (_, typed) in self.refs.items()]
        return (
            exp.select(*listed)
            .distinct()
            .from_(self.build.events(self.of).table)
            .where(all_of([*self._named(), given(self.user)]))
        )

    def _from(self, made: exp.Select) -> exp.Select:
        source = self.build.events(self.of)
        if self.parent is not None:
            followed = exp.EQ(this=self.user, expression=column("p", "user_id"))
            later = exp.GT(this=self.happened(), expression=self._before())
            made = made.from_(self.parent.candidates().subquery("p"))
            return made.join(source.table, on=exp.and_(followed, later, *self._window_of_parent()))
        made = made.from_(source.table)
        if self.owner == "user":
            return made
        if self.events.counted == "event":
            named = exp.EQ(this=column(self.build.subject("account"), "account_id"), expression=self._named_account())
            return made.join(ACCOUNTS, on=named)
        if self.events.counted == "member":
            return made.join(self.build.members(), on=exp.EQ(this=column(MEMBERS, "user_id"), expression=self.user))
        ever, valid = self.build.memberships_at(self.read(self.of.at), self.of.at)
        return made.join(ever, on=exp.EQ(this=column(MEMBERS, "user_id"), expression=self.user)).where(valid)

    def happened(self) -> exp.Expr:
        """When an event happened, to be compared with that of another."""
        return self.read(self.of.at)

    def _before(self) -> exp.Expr:
        """When the event around happened, in the type of this one's."""
        own, theirs = self.of.at, self.parent.of.at if self.parent else self.of.at
        if own.type != theirs.type:
            raise DefinitionError(
                f"{own.name} is {own.type} and {theirs.name} of the event before it is {theirs.type}",
                where=str(self.events),
                hint="cast one of them in a view of the warehouse",
            )
        return column("p", "happened_at")

    def _window_of_parent(self) -> list[exp.Expr]:
        window = self.events.window
        if window is None or not window.parent:
            return []

        def bound(comparison: type[exp.Binary], seconds: int) -> exp.Expr:
            shifted = op("later", self._before(), options=(str(seconds), self.of.at.type))
            return comparison(this=self.happened(), expression=shifted)

        return [bound(exp.LTE, window.older), *([bound(exp.GT, window.newer)] if window.newer else [])]

    def _named_account(self) -> exp.Expr:
        if self.of.account is None:
            raise DefinitionError(
                "the source does not say which account an event names",
                where=str(self.events),
                hint='name the column: [source] events = { ..., account = "group_id" }',
            )
        return self.read(self.of.account)

    def _named(self) -> list[exp.Expr]:
        """The name and the window of ``as_of``. After ``as_of`` there are no events; shared ones have left them out."""
        wanted: list[exp.Expr] = []
        if self.of.name is not None:
            wanted.append(exp.EQ(this=self.read(self.of.name), expression=constant(self.events.name, "text")))
        at, window = self.of.at, self.events.window

        def bound(comparison: type[exp.Binary], ago: int) -> exp.Expr:
            return comparison(this=self.read(at), expression=instant(-ago, at.type, self.zone))

        relative = window is None or window.parent
        self.build.note(self.of, self.events.name, None if relative or window is None else window.older)
        if window is None or window.parent:
            return [*wanted, *([] if self.build.events(self.of).ended else [bound(exp.LTE, 0)])]
        ended = self.build.events(self.of).ended and not window.newer
        return [*wanted, bound(exp.GT, window.older), *([] if ended else [bound(exp.LTE, window.newer)])]

    def over(self, seconds: int) -> exp.Expr:
        """So much time has passed since an event."""
        at = self.of.at
        return exp.LTE(this=self.read(at), expression=instant(-seconds, at.type, self.zone))

    # --- the place of conditions -------------------------------------------------------------------------------------

    def value(self, node: Value, wanted: Class | None) -> Typed:
        """A property, what is known of the user, or what follows."""
        match node:
            case PropertyRef(name, as_type, parent=True) if self.parent is not None:
                return self.parent.shared(PropertyRef(name, as_type), wanted)
            case PropertyRef():
                return self._property(node, wanted)
            case OwnerValue(value):
                return self._of_owner(value, wanted)
            case Reduced(Events()):
                return self._following(node, wanted)
            case _:
                raise DefinitionError(
                    "where speaks of one event and of its user", where=str(node), hint="write prop('...')"
                )

    def group(self, node: Condition) -> exp.Expr:
        """A condition on the user whose event it is."""
        if isinstance(node, OfOwner):
            return exp.and_(given(self._owner_exists()), condition(node.part, self.of_owner))
        raise DefinitionError("where speaks of one event and of its user", where=str(node))

    @property
    def of_owner(self) -> Scope:
        """What is known of the user whose event it is."""
        from personas_kit.compiler.scope import Scope  # noqa: PLC0415  (a scope asks for metrics, and so on)

        if self._scope is None:
            self._scope = Scope(self.build, "user", "", self.user, optional=True)
        return self._scope

    def _owner_exists(self) -> exp.Expr:
        """Missing if the event belongs to nobody who exists at ``as_of``: of such a user nothing is known."""
        name = self.build.subject("user")
        self.of_owner.join(name, ("user",))
        return column(name, "user_id")

    def _of_owner(self, node: Value, wanted: Class | None) -> Typed:
        typed = self.of_owner.value(node, wanted)
        if not isinstance(node, Reduced):
            return typed
        known = exp.Case(ifs=[exp.If(this=given(self._owner_exists()), true=typed.sql)])
        return replace(typed, sql=known, missing=True)

    def shared(self, node: PropertyRef, wanted: Class | None) -> Typed:
        """A property of these events, as the events that follow read it."""
        typed = self._property(node, wanted)
        name = next((name for name, (_, known) in self.refs.items() if known.sql == typed.sql), "")
        if not name:
            name = f"parent_{len(self.refs) + 1}"
            self.refs[name] = (node, typed)
        return Typed(column("p", name), typed.type, f"{typed.label} of the event around", free=typed.free)

    def _following(self, node: Reduced, wanted: Class | None) -> Typed:
        """A metric of the events that follow: a part with a line for each event here that any follows."""
        if not isinstance(node.stream, Events):
            raise TypeError("only events follow an event")
        before, self.refs = self.refs, {}
        part, typed = metric(self.build, node, "user", wanted, parent=self)
        on: list[exp.Expr] = [
            exp.EQ(this=column(part, "user_id"), expression=self.user),
            exp.EQ(this=column(part, "happened_at"), expression=self.read(self.of.at)),
        ]
        on += [same(column(part, name), typed.sql.copy()) for name, (_, typed) in self.refs.items()]
        self.refs = before
        if not any(join.this.name == part for join in self._joins):
            self._joins.append(exp.Join(this=exp.to_table(part), on=exp.and_(*on), side="LEFT"))
        return typed

    def _property(self, node: PropertyRef, wanted: Class | None) -> Typed:
        known = property_columns(self.of)
        found = column_of(known, node.name)
        if found is not None:
            return self._column(node, found)
        if self.of.properties is None:
            raise UnknownName("property", node.name, [of.name for of in known], where=str(node))
        return self._json(node, self.of.properties, wanted)

    def _column(self, node: PropertyRef, of: Column) -> Typed:
        label = f"property {of.name!r} of {self.of.table.name}"
        kind = _READ_AS.get(node.as_type or "", of.type)
        alike = (
            kind == of.type
            or {kind, of.type} <= NUMBERS
            or (kind == "timestamp" and of.type in {"timestamp_tz", "date"})
        )
        if not alike:
            raise DefinitionError(
                f"{label} is {of.type} in the warehouse and cannot be read as {node.as_type}",
                where=str(node),
                hint=f"write prop({node.name!r}), or change its type in a view",
            )
        return Typed(self.read(of), of.type, label)

    def _json(self, node: PropertyRef, document: Column, wanted: Class | None) -> Typed:
        """A key of the JSON column, read as asked, else as what it is compared with, else as text."""
        read_as = node.as_type or (_CLASSES[wanted] if wanted else "string")
        text = op("json_text", self.read(document), options=json_path(node.name))
        label = f"property {node.name!r} of {self.of.table.name}"
        match read_as:
            case "number":
                return Typed(op("number", text), "float", label)
            case "date":
                return Typed(op("instant", text, options=(self.zone,)), "timestamp", label)
            case "boolean":
                return Typed(_truth(text), "boolean", label)
            case "list":
                return Typed(op("json_list", self.read(document), options=json_path(node.name)), "list", label)
            case _:
                return Typed(text, "text", label, free=node.as_type is None and wanted is None)


def metric(
    build: Build, node: Reduced, owner: Owner, compared: Class | None, *, parent: EventLines | None = None
) -> tuple[str, Typed]:
    """The part that holds a value per owner, and that value. Its label is the metric's text.

    Args:
        build: the statement.
        node: events and their reducer.
        owner: a user, an account, or both.
        compared: what the value is compared with, for properties that carry no type of their own.
        parent: the events that these follow; then there is a value for each of them.
    """
    if not isinstance(node.stream, Events):
        raise TypeError("not a metric of events")
    lines = EventLines(build, node.stream, owner, parent)
    wanted = _wanted(lines, node, compared)
    made, kind = _metric(lines, node, wanted)
    key = f"{identity(parent.events) if parent else owner} {parent and [*parent.refs]} {identity(node)} {wanted}"
    if key not in build.values:
        name = "unique" if node.reducer == "unique_count" else node.reducer
        if build.together and lines.alone and node.reducer in AGGREGATES:
            alike = f"{owner} {node.stream.counted}"
            build.values[key] = build.gather(alike, lines.of, node.stream.name, made)
        else:
            build.values[key] = build.add(f"{name}_after" if parent else name, made), "value"
    part, value = build.values[key]
    return part, valued(part, node, kind, value)


def valued(part: str, node: Reduced, kind: ColumnType, name: str = "value") -> Typed:
    """The value of a part, with 0 where there is none if the reducer says so."""
    value: exp.Expr = column(part, name)
    if node.reducer in ZERO:
        value = exp.Coalesce(this=value, expressions=[exp.Literal.number(0)])
    return Typed(value, kind, str(node), missing=node.reducer not in ZERO)


def values_together(meant: Iterable[Expression]) -> Mapping[str, int]:
    """How many different values definitions ask for of events of each name; none where it is too few in all."""
    nodes = (node for each in meant for node in walk(each) if isinstance(node, Reduced))
    of_events = {
        identity(node): node.stream.name
        for node in nodes
        if isinstance(node.stream, Events) and node.reducer in AGGREGATES
    }
    return Counter(of_events.values()) if len(of_events) >= MANY else {}


def identity(node: object) -> str:
    """The same text for nodes with the same meaning, and only for those."""
    if isinstance(node, tuple):
        return "(" + " ".join(identity(part) for part in node) + ")"
    if isinstance(node, Expression):
        inside = " ".join(identity(getattr(node, item.name)) for item in fields(node))  # type: ignore[arg-type]
        return f"{type(node).__name__}({inside})"
    return repr(node)


def where(node: Condition, lines: EventLines, *, holds: bool = True) -> exp.Expr:
    """A condition of ``where``, or its negation, which is pushed down to what events that follow say.

    What further events could still change is not known before its window is over; a count that is large enough
    already is.
    """
    if not any(isinstance(part, Reduced) for part in _outside_owner(node)):
        made = condition(node, lines)
        return made if holds else negated(made)
    match node:
        case And(parts) | Or(parts):
            both = isinstance(node, And) == holds
            each = [where(part, lines, holds=holds) for part in parts]
            return exp.and_(*each) if both else exp.paren(exp.or_(*each))
        case Not(part):
            return where(part, lines, holds=not holds)
        case Compare():
            made = condition(node, lines)
            wait = _waits(node, holds=holds)
            said = made if holds else negated(made)
            return exp.and_(said, lines.over(wait)) if wait else said
        case _:
            raise TypeError(f"not a condition inside where: {type(node).__name__}")


def _outside_owner(node: Expression) -> list[Expression]:
    """The nodes of a condition, without what is about the user."""
    hidden = {id(inner) for part in walk(node) if isinstance(part, OfOwner | OwnerValue) for inner in walk(part)}
    return [part for part in walk(node) if id(part) not in hidden]


def _waits(node: Compare, *, holds: bool) -> int:
    """How many seconds after an event the comparison is settled; 0 if it is at once."""
    following = [part for part in (node.left, *node.right) if isinstance(part, Reduced)]
    windows = [part.stream.window for part in following if isinstance(part.stream, Events)]
    longest = max((window.older for window in windows if window is not None and window.parent), default=0)
    grows = isinstance(node.left, Reduced) and (node.left.reducer in _GROWING or node.operator in {"exists", "absent"})
    alone = not any(isinstance(part, Value) for part in node.right)
    return 0 if grows and alone and node.operator in _AT_LEAST[holds] else longest


def _metric(lines: EventLines, node: Reduced, wanted: Class | None) -> tuple[exp.Select, ColumnType]:
    if node.reducer == "count" or not isinstance(node.of, PropertyRef):
        counted = exp.Count(this=exp.Star())
        if lines.of.id is not None:
            counted = exp.Count(this=exp.Distinct(expressions=[lines.read(lines.of.id)]))
        made = lines.select(as_(counted, "value"))  # first: it says what else the owner is known by
        return made.group_by(*(key.copy() for _, key in lines.keys)), "integer"
    if lines.events.condition is not None:
        where(lines.events.condition, lines)  # as above
    hint = f"write prop({node.of.name!r}, 'number')" if lines.of.properties else "choose a number property"
    return reduced(lines, node, lines.value(node.of, wanted), hint)


def _wanted(lines: EventLines, node: Reduced, compared: Class | None) -> Class | None:
    """How to read a JSON property of which nobody says it. Columns have types, and so has what ``as`` names."""
    if not isinstance(node.of, PropertyRef) or node.of.as_type is not None or lines.of.properties is None:
        return None
    if node.reducer in _OF_NUMBERS:
        return "number"
    return compared or "text" if node.reducer in _ONE_OF_THEM else "text"


def _truth(text: exp.Expr) -> exp.Expr:
    """JSON has two truth values and no other spelling of them."""
    ifs = [
        exp.If(this=exp.EQ(this=text.copy(), expression=exp.Literal.string(word)), true=truth)
        for word, truth in (("true", exp.true()), ("false", exp.false()))
    ]
    return exp.Case(ifs=ifs)


def property_columns(of: EventTable) -> Sequence[Column]:
    """The columns that are properties of an event: all, or beside a document when it happened and whose it is."""
    return of.table.columns if of.properties is None else [each for each in (of.at, of.user) if each is not None]


def json_path(name: str) -> tuple[str, ...]:
    r"""``a.b`` is ``b`` inside ``a``; ``a\.b`` is one key with a dot."""
    return tuple(part.replace("\\.", ".") for part in re.split(r"(?<!\\)\.", name))


def table_of(source: Source, name: str) -> EventTable:
    """The table that holds the events of a name: their own, or the one of all events.

    Raises:
        UnknownName: there is no such event, with the nearest that there are.
    """
    own = next((of for of in source.events if of.event == name), None)
    common = next((of for of in source.events if of.event is None), None)
    if own is not None:
        return own
    names = source.event_names if source.event_names is not None else [of.event for of in source.events if of.event]
    if common is None or (source.event_names is not None and name not in source.event_names):
        raise UnknownName("event", name, names, where=str(Events(name)))
    return common
