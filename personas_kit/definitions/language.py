"""Reads the query language: the text form of every definition, and Segment's own where the two meet.

The grammar (source: Segment's query language reference, read 2026-11-23; ours where it is silent)::

    condition  := term (OR term)*                    AND binds tighter than OR
    term       := factor (AND factor)*
    factor     := NOT factor | ANY factor | ALL factor | "(" condition ")" | comparison
    comparison := value op constant | value "." operator "(" constants | duration ")"
    value      := trait('k') | account_trait('k') | property('p') [as type] | events "." reducer
    events     := event('Name') ("." (where(condition) | within(duration) | between(duration, duration)))*
    reducer    := count() | sum(p) | avg(p) | min(p) | max(p) | first(p) | last(p) | mode(p, n) | unique(p)[.count()]
    duration   := N second(s) | hour(s) | day(s)

``str`` of what is read gives the canonical text; reading that gives an equal tree. Funnels (an event inside another's
``where``, windows that begin with ``parent:``) have their place in ``_events`` and ``_primary``; lint and plain English
walk the same tree.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn, TypeVar

from personas_kit.definitions.expressions import (
    TYPE_NAMES,
    And,
    Compare,
    Condition,
    Constant,
    Events,
    Expression,
    Not,
    OfUsers,
    Operator,
    Or,
    PropertyRef,
    PropertyType,
    Reduced,
    TraitRef,
    Value,
    Window,
    event,
)
from personas_kit.definitions.tokens import Token, meant, problem, tokens_of, unquoted
from personas_kit.errors import DefinitionError

_SYMBOLS: dict[str, Operator] = {
    "=": "=",
    "==": "=",
    "!=": "!=",
    "<>": "!=",
    "<": "<",
    "<=": "<=",
    ">": ">",
    ">=": ">=",
}
_ONE: dict[str, Operator] = {
    "equals": "=", "differs": "!=", "greater_than": ">", "at_least": ">=", "less_than": "<", "at_most": "<=",
}  # fmt: skip
_NONE = ("exists", "absent")
_TEXT = ("omits", "starts_with", "ends_with")
_MANY = ("contains", "one_of", "none_of")
_DATES = {"before_date": "before", "after_date": "after", "before": "before", "after": "after"}
_RELATIVE = ("within_last", "within_next", "before_last", "after_next")
_OPERATORS = (*_ONE, *_NONE, *_TEXT, *_MANY, *_DATES, *_RELATIVE)
_REDUCERS = ("count", "sum", "avg", "min", "max", "first", "last", "mode", "most_frequent", "unique")
_FILTERS = ("where", "within", "between")
_PRIMARIES = ("event", "trait", "account_trait", "property", "prop")
_WORDS = ("AND", "OR", "NOT", "ANY", "ALL")
_LATER = {
    "context": "properties only, for now: property('...')",
    "sources": "leave it out: all sources of the warehouse count",
    "entity": "use trait() and account_trait()",
    "expires_after": "use within(...)",
}
_UNITS = {"second": 1, "seconds": 1, "hour": 3_600, "hours": 3_600, "day": 86_400, "days": 86_400}
_DEEPEST = 80
_T = TypeVar("_T")


def parse(text: str) -> Condition | Value:
    """The expression that a text means; the inverse of ``str``.

    >>> parse("event('Order Completed').within(30 days).count() >= 1")
    event('Order Completed').within(30 days).count() >= 1

    Raises:
        SyntaxProblem: it cannot be read; with the line, a caret under the character, and what was expected.
        DefinitionError: it can be read and means nothing.
    """
    if not isinstance(text, str) or not text.strip():
        raise DefinitionError("there is nothing to read", hint="write for example: event('Signed In').count() >= 1")
    return _Reader(text).whole()


class _Reader:
    """Recursive descent, one method per line of the grammar."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens_of(text)
        self._next = 0
        self._depth = 0
        self._inside_where = False

    def whole(self) -> Condition | Value:
        """The whole text."""
        found = self._either()
        if self._token.kind != "end":
            self._unexpected("the end, AND or OR")
        if isinstance(found, Events):
            self._refuse(
                self._token, "an event is neither a condition nor a value yet", hint="end it in a reducer: .count()"
            )
        if not isinstance(found, Condition | Value):
            self._unexpected("a condition or a value")
        return found

    # --- conditions --------------------------------------------------------------------------------------------------

    def _either(self) -> Expression:
        first = self._both()
        if not self._is_word("OR"):
            return first
        parts = [self._as_condition(first)]
        while self._take_word("OR"):
            parts.append(self._as_condition(self._both()))
        return Or(_flat(Or, parts))

    def _both(self) -> Expression:
        first = self._factor()
        if not self._is_word("AND"):
            return first
        parts = [self._as_condition(first)]
        while self._take_word("AND"):
            parts.append(self._as_condition(self._factor()))
        return And(_flat(And, parts))

    def _factor(self) -> Expression:
        self._depth += 1
        if self._depth > _DEEPEST:
            self._refuse(self._token, f"nested more than {_DEEPEST} deep", hint="split it into several audiences")
        try:
            for word, wrap in _WRAPS.items():
                if self._take_word(word):
                    return wrap(self._as_condition(self._factor()))
            if self._take("("):
                inside = self._either()
                self._expect(")")
                return self._compared(inside) if isinstance(inside, Value) else inside
            return self._compared(self._primary())
        finally:
            self._depth -= 1

    def _compared(self, left: Expression) -> Expression:
        """The comparison that follows a value, or the value itself if none does."""
        if not isinstance(left, Value):
            if isinstance(left, Events) and self._token.text in _SYMBOLS:
                self._refuse(self._token, "an event cannot be compared", hint="count it first: .count()")
            return left
        if self._token.text in _SYMBOLS and self._token.kind == "symbol":
            operator = _SYMBOLS[self._step().text]
            return Compare(left, operator, (self._constant(),))
        if self._take("."):
            return self._operator(left)
        return left

    def _operator(self, left: Value) -> Condition:
        name = self._expect_name("a comparison such as exists() or contains()")
        word = name.text
        self._expect("(")
        if word in _ONE:
            condition: Condition = Compare(left, _ONE[word], (self._constant(),))
        elif word in _NONE:
            condition = Compare(left, word)  # type: ignore[arg-type]
        elif word in _TEXT or word in _MANY:
            constants = self._constants()
            condition = self._checked(name, lambda: getattr(left, word)(*constants))
        elif word in _DATES:
            day = self._constant()
            condition = self._checked(name, lambda: getattr(left, _DATES[word])(day))
        elif word in _RELATIVE:
            condition = Compare(left, word, (self._duration(),))  # type: ignore[arg-type]
        else:
            self._unknown(name, "comparison", _OPERATORS)
        self._expect(")")
        return condition

    # --- values ------------------------------------------------------------------------------------------------------

    def _primary(self) -> Expression:
        name = self._expect_name("event(...), trait(...), NOT, ANY, ALL or (")
        word = name.text
        if word in _LATER:
            self._refuse(name, f"{word}() is not available yet", hint=_LATER[word])
        if word not in _PRIMARIES:
            self._unknown(name, "thing to start with", _PRIMARIES)
        if word == "event" and self._inside_where:
            self._refuse(name, "an event inside another's where() (a funnel) is not available yet")
        self._expect("(")
        if word in {"property", "prop"}:
            return self._property_rest()
        key = self._string()
        self._expect(")")
        if word == "event":
            return self._events(event(key))
        return TraitRef(key, "account" if word == "account_trait" else "subject")

    def _property_rest(self) -> PropertyRef:
        self._no_parent()
        name = self._string()
        self._expect(")")
        return PropertyRef(name, self._as_type())

    def _as_type(self) -> PropertyType | None:
        if not self._take_word("AS"):
            return None
        token = self._expect_name("a type")
        if token.text not in TYPE_NAMES:
            self._unknown(token, "type", TYPE_NAMES)
        return token.text  # type: ignore[return-value]

    def _events(self, stream: Events) -> Expression:
        """Filters, then a reducer; the stream itself if none follows."""
        while self._take("."):
            name = self._expect_name("where, within, between or a reducer such as count()")
            word = name.text
            if word in _LATER:
                self._refuse(name, f"{word}() is not available yet", hint=_LATER[word])
            if word in {"then", "not_then"}:
                self._refuse(name, f"{word}() (a funnel) is not available yet")
            self._expect("(")
            if word in _REDUCERS:
                return self._reducer(stream, word)
            if word not in _FILTERS:
                self._unknown(name, "function of an event", (*_FILTERS, *_REDUCERS))
            stream = self._filtered(stream, name)
            self._expect(")")
        return stream

    def _filtered(self, stream: Events, name: Token) -> Events:
        if name.text == "where":
            self._inside_where = True
            condition = self._as_condition(self._either())
            self._inside_where = False
            return stream.where(condition)
        self._no_parent()
        first = self._duration(zero=name.text == "between")
        if name.text == "within":
            return self._checked(name, lambda: stream.windowed(Window(first)))
        self._expect(",")
        second = self._duration(zero=True)
        return self._checked(name, lambda: stream.windowed(Window(max(first, second), min(first, second))))

    def _reducer(self, stream: Events, word: str) -> Reduced:
        if word == "count":
            self._expect(")")
            return stream.count()
        of = self._property_argument()
        if word in {"mode", "most_frequent"}:
            at_least = self._whole_number() if self._take(",") else 2
            self._expect(")")
            return stream.most_frequent(of, at_least=at_least)
        self._expect(")")
        reduced: Reduced = getattr(stream, word)(of)
        if word == "unique" and self._token.text == "." and self._ahead("count"):
            self._step()
            self._step()
            self._expect("(")
            self._expect(")")
            return reduced.count()
        return reduced

    def _property_argument(self) -> PropertyRef:
        """``property('p')``, ``property('p') as number``, or just ``'p'``."""
        if self._token.kind == "string":
            return PropertyRef(self._string(), self._as_type())
        name = self._expect_name("property('...')")
        if name.text not in {"property", "prop"}:
            self._unknown(name, "thing to reduce", ("property",))
        self._expect("(")
        return self._property_rest()

    # --- constants ---------------------------------------------------------------------------------------------------

    def _constants(self) -> list[Constant]:
        found = [self._constant()]
        while self._take(","):
            found.append(self._constant())
        return found

    def _constant(self) -> Constant:  # noqa: RET503  (_unexpected never returns)
        token = self._token
        if token.kind == "name" and token.text == "literal":
            self._step()
            self._expect("(")
            inside = self._constant()
            self._expect(")")
            return inside
        if token.kind == "name" and token.text.lower() in {"true", "false"}:
            return self._step().text.lower() == "true"
        if token.kind == "number":
            return _number(self._step().text)
        if token.kind == "string":
            return self._string()
        if token.kind == "name" and token.text in _PRIMARIES:
            self._refuse(token, "a value can be compared with a constant, not yet with another value")
        self._unexpected("a text in quotes, a number, true or false")

    def _string(self) -> str:
        if self._token.kind != "string":
            self._unexpected("a text in quotes")
        return unquoted(self._step())

    def _whole_number(self) -> int:
        if self._token.kind != "number" or not self._token.text.isdigit() or int(self._token.text) < 1:
            self._unexpected("a whole number, 1 or more")
        return int(self._step().text)

    def _duration(self, *, zero: bool = False) -> int:
        """A duration in whole seconds."""
        self._no_parent()
        start = self._token
        if start.kind != "number":
            self._unexpected("a duration such as 30 days")
        amount = _number(self._step().text)
        unit = self._expect_name("days or hours")
        if unit.text not in _UNITS:
            self._unknown(unit, "unit", ("days", "hours"))
        total = amount * _UNITS[unit.text]
        if total < 0 or (total == 0 and not zero) or total != int(total) or total > 3_155_760_000:  # noqa: PLR2004
            self._refuse(start, "a duration is more than nothing, whole seconds, and at most 100 years")
        return int(total)

    def _no_parent(self) -> None:
        if self._token.text == "parent" and self._tokens[self._next + 1].text == ":":
            self._refuse(self._token, "parent: (a funnel) is not available yet")

    # --- tokens ------------------------------------------------------------------------------------------------------

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def _step(self) -> Token:
        token = self._token
        self._next += 1
        return token

    def _ahead(self, text: str) -> bool:
        return self._tokens[min(self._next + 1, len(self._tokens) - 1)].text == text

    def _is_word(self, word: str) -> bool:
        return self._token.kind == "name" and self._token.text.upper() == word

    def _take_word(self, word: str) -> bool:
        if not self._is_word(word):
            return False
        self._step()
        return True

    def _take(self, symbol: str) -> bool:
        if self._token.kind != "symbol" or self._token.text != symbol:
            return False
        self._step()
        return True

    def _expect(self, symbol: str) -> None:
        if not self._take(symbol):
            self._unexpected(repr(symbol))

    def _expect_name(self, what: str) -> Token:
        if self._token.kind != "name":
            self._unexpected(what)
        return self._step()

    def _as_condition(self, found: Expression) -> Condition:  # noqa: RET503  (_refuse never returns)
        if isinstance(found, Condition):
            return found
        what = "an event" if isinstance(found, Events) else "a value"
        example = f"{found}.count() >= 1" if isinstance(found, Events) else f"{found} >= 1"
        self._refuse(self._token, f"{what} is not a condition yet", hint=f"compare it, for example: {example}")

    def _checked(self, at: Token, make: Callable[[], _T]) -> _T:
        """The node, with the place of the text if it cannot be."""
        try:
            return make()
        except DefinitionError as wrong:
            raise problem(self._text, at.at, wrong.what, hint=wrong.hint) from None

    def _unknown(self, token: Token, kind: str, known: tuple[str, ...]) -> NoReturn:
        near = meant(token.text, known)
        self._refuse(token, f"there is no {kind} {token.text!r}", hint=near or f"known here: {', '.join(known)}")

    def _unexpected(self, expected: str) -> NoReturn:
        near = meant(self._token.text, list(_WORDS)) if self._token.kind == "name" else ""
        self._refuse(self._token, f"expected {expected}, and here is {self._token.shown}", hint=near)

    def _refuse(self, token: Token, what: str, *, hint: str = "") -> NoReturn:
        raise problem(self._text, token.at, what, hint=hint)


_WRAPS: dict[str, Callable[[Condition], Condition]] = {
    "NOT": Not,
    "ANY": lambda part: OfUsers("any", part),
    "ALL": lambda part: OfUsers("all", part),
}


def _flat(kind: type[And | Or], parts: list[Condition]) -> tuple[Condition, ...]:
    return tuple(inner for part in parts for inner in (part.parts if isinstance(part, kind) else (part,)))


def _number(text: str) -> int | float:
    return float(text) if any(mark in text for mark in ".eE") else int(text)
