"""Reads the query language: the text form of every definition, and Segment's own where the two meet.

The grammar (source: Segment's query language reference, read 2026-11-23; ours where it is silent)::

    condition  := term (OR term)*                    AND binds tighter than OR
    term       := factor (AND factor)*
    factor     := NOT factor | ANY factor | ALL factor | "(" condition ")" | comparison
    comparison := value op constant | value "." operator "(" constants | duration ")"
    value      := trait('k') | account_trait('k') | property('p') [as type] | events "." reducer
    events     := event('Name') ("." (where(condition) | within(duration) | between(duration, duration)))*
    reducer    := count() | sum(p) | avg(p) | min(p) | max(p) | first(p) | last(p) | mode(p, n) | unique(p)[.count()]
    constant   := 'text' | 1 | 1.5 | true | false | 2026-01-31 | 2026-01-31T08:00:00Z | literal(constant)
    duration   := N second(s) | hour(s) | day(s)

``str`` of what is read gives the canonical text; reading that gives an equal tree. Funnels (an event inside another's
``where``, windows that begin with ``parent:``) have their place in ``_events`` and ``_primary``; lint and plain English
walk the same tree.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn, TypeVar

from personas_kit.definitions import words
from personas_kit.definitions.constants import checked_instant, whole_seconds
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
    Or,
    PropertyRef,
    PropertyType,
    Reduced,
    TraitRef,
    Value,
    Window,
    account_trait,
    check_depth,
    event,
    kind_of,
    prop,
    trait,
)
from personas_kit.definitions.tokens import Token, meant, problem, tokens_of, unquoted
from personas_kit.errors import DefinitionError

_DEEPEST = 80  # as many levels as a tree may have, so that whatever is printed can be read
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
    found = _Reader(text).whole()
    check_depth(found)
    return found


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
            near = meant(self._token.text, ("AND", "OR")) if self._token.kind == "name" else ""
            self._unexpected("the end, AND or OR", hint=near)
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
        symbol = self._token.kind == "symbol" and self._token.text in words.SYMBOLS
        if isinstance(left, Events) and symbol:
            self._refuse(self._token, "an event cannot be compared", hint="count it first: .count()")
        if not isinstance(left, Value):
            return left
        if symbol:
            operator = words.SYMBOLS[self._step().text]
            at = self._token
            constant = self._constant()
            return self._checked(at, lambda: left.compare(operator, constant))
        if self._take("."):
            return self._operator(left)
        return left

    def _operator(self, left: Value) -> Condition:
        name = self._expect_name("a comparison such as exists() or contains()")
        word = name.text
        if word not in words.COMPARISONS:
            hint = f"{word}() follows an event" if word in words.OF_EVENTS else ""
            self._unknown(name, "comparison", words.COMPARISONS, hint=hint)
        self._open(word)
        condition = self._function(left, name)
        self._expect(")")
        return condition

    def _function(self, left: Value, name: Token) -> Condition:
        """A comparison by name, between its parentheses."""
        word = name.text
        if word in words.TESTS:
            return Compare(left, words.TESTS[word])
        if word in words.RELATIVE:
            return Compare(left, words.RELATIVE[word], (self._duration(),))
        if word in words.OF_MANY:
            constants = self._constants()
            many: Callable[..., Condition] = getattr(left, word)
            return self._checked(name, lambda: many(*constants))
        at = self._token
        constant = self._constant()
        if word in words.AS_SYMBOLS:
            return self._checked(at, lambda: left.compare(words.AS_SYMBOLS[word], constant))
        one: Callable[..., Condition] = getattr(left, words.DATES.get(word, word))
        return self._checked(at, lambda: one(constant))

    # --- values ------------------------------------------------------------------------------------------------------

    def _primary(self) -> Expression:
        if self._token.kind in {"number", "instant", "string"}:
            self._unexpected("event(...) or trait(...)", hint=words.INSTEAD["literal"])
        name = self._expect_name("event(...), trait(...), NOT, ANY, ALL or (")
        word = name.text
        self._not_yet(name)
        if word not in words.STARTS:
            self._unknown(name, "thing to start with", words.STARTS, hint=words.INSTEAD.get(word.lower(), ""))
        if word == "event" and self._inside_where:
            self._refuse(name, "an event inside another's where() (a funnel) is not available yet")
        self._open(word)
        if word in words.PROPERTIES:
            return self._property_rest()
        at = self._token
        key = self._string()
        self._expect(")")
        if word == "event":
            return self._events(self._checked(at, lambda: event(key)))
        return self._checked(at, lambda: account_trait(key) if word == "account_trait" else trait(key))

    def _property_rest(self) -> PropertyRef:
        self._no_parent()
        at = self._token
        name = self._string()
        self._expect(")")
        return self._property_named(at, name)

    def _property_named(self, at: Token, name: str) -> PropertyRef:
        as_type = self._as_type()
        return self._checked(at, lambda: prop(name, as_type))

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
            self._not_yet(name)
            if word not in words.OF_EVENTS:
                hint = "count it first: .count()" if word in words.COMPARISONS else ""
                self._unknown(name, "function of an event", words.OF_EVENTS, hint=hint)
            self._open(word)
            if word in words.REDUCERS:
                return self._reducer(stream, word)
            stream = self._filtered(stream, name)
            self._expect(")")
        return stream

    def _filtered(self, stream: Events, name: Token) -> Events:
        if name.text == "where":
            self._inside_where = True
            condition = self._as_condition(self._either())
            self._inside_where = False
            return stream.where(condition)
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
            self._open("count")
            self._expect(")")
            return reduced.count()
        return reduced

    def _property_argument(self) -> PropertyRef:
        """``property('p')``, ``property('p') as number``, or just ``'p'``."""
        if self._token.kind == "string":
            at = self._token
            return self._property_named(at, self._string())
        name = self._expect_name("property('...')")
        if name.text not in words.PROPERTIES:
            self._unknown(name, "thing to reduce", ("property",))
        self._open(name.text)
        return self._property_rest()

    # --- constants ---------------------------------------------------------------------------------------------------

    def _constants(self) -> list[Constant]:
        found = [self._constant()]
        while self._take(","):
            found.append(self._constant())
        return found

    def _constant(self) -> Constant:
        token = self._token
        if token.kind == "name" and token.text == "literal":
            self._step()
            self._open("literal")
            inside = self._constant()
            self._expect(")")
            return inside
        if token.kind == "name" and token.text.lower() in {"true", "false"}:
            return self._step().text.lower() == "true"
        if token.kind == "number":
            return self._number()
        if token.kind == "instant":
            return self._checked(token, lambda: checked_instant(self._step().text))
        if token.kind == "string":
            return self._string()
        if token.kind == "name" and token.text in words.STARTS:
            self._refuse(token, "a value can be compared with a constant, not yet with another value")
        hint = "use .exists() or .absent()" if token.text.lower() in words.MISSING else ""
        return self._unexpected("a text in quotes, a number, a date, true or false", hint=hint)

    def _string(self) -> str:
        if self._token.kind != "string":
            self._unexpected("a text in quotes")
        return unquoted(self._text, self._step())

    def _number(self) -> int | float:
        token = self._step()
        try:
            return float(token.text) if any(mark in token.text for mark in ".eE") else int(token.text)
        except ValueError:  # Python reads whole numbers up to some thousands of digits
            self._refuse(token, "this number has too many digits")

    def _whole_number(self) -> int:
        if (
            self._token.kind != "number"
            or not self._token.text.isdigit()
            or not 1 <= int(self._token.text[:20]) < 10**9
        ):
            self._unexpected("a whole number, 1 or more")
        return int(self._step().text)

    def _duration(self, *, zero: bool = False) -> int:
        """A duration in whole seconds."""
        self._no_parent()
        start = self._token
        if start.kind != "number":
            self._unexpected("a duration such as 30 days")
        amount = self._number()
        unit = self._expect_name("days or hours")
        if unit.text not in words.UNITS:
            self._unknown(unit, "unit", ("days", "hours"))
        return self._checked(start, lambda: whole_seconds(amount, words.UNITS[unit.text], zero=zero))

    def _not_yet(self, name: Token) -> None:
        if name.text in words.LATER:
            self._refuse(name, f"{name.text}() is not available yet", hint=words.LATER[name.text])

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

    def _open(self, function: str) -> None:
        """The parenthesis after the name of a function."""
        if not self._take("("):
            self._unexpected("'('", hint=f"write {function}(...)")

    def _expect_name(self, what: str) -> Token:
        if self._token.kind != "name":
            self._unexpected(what)
        return self._step()

    def _as_condition(self, found: Expression) -> Condition:
        if isinstance(found, Condition):
            return found
        example = {Events: f"{found}.count() >= 1", TraitRef: f"{found} = true"}.get(type(found), f"{found} >= 1")
        return self._refuse(
            self._token, f"{kind_of(found)} is not a condition yet", hint=f"compare it, for example: {example}"
        )

    def _checked(self, at: Token, make: Callable[[], _T]) -> _T:
        """The node, with the place of the text if it cannot be."""
        try:
            return make()
        except DefinitionError as wrong:
            raise problem(self._text, at.at, wrong.what, hint=wrong.hint) from None

    def _unknown(self, token: Token, kind: str, known: tuple[str, ...], *, hint: str = "") -> NoReturn:
        said = hint or meant(token.text, known) or f"known here: {', '.join(known)}"
        self._refuse(token, f"there is no {kind} {token.text!r}", hint=said)

    def _unexpected(self, expected: str, *, hint: str = "") -> NoReturn:
        self._refuse(self._token, f"expected {expected}, and here is {self._token.shown}", hint=hint)

    def _refuse(self, token: Token, what: str, *, hint: str = "") -> NoReturn:
        raise problem(self._text, token.at, what, hint=hint)


_WRAPS: dict[str, Callable[[Condition], Condition]] = {
    "NOT": Not,
    "ANY": lambda part: OfUsers("any", part),
    "ALL": lambda part: OfUsers("all", part),
}


def _flat(kind: type[And | Or], parts: list[Condition]) -> tuple[Condition, ...]:
    return tuple(inner for part in parts for inner in (part.parts if isinstance(part, kind) else (part,)))
