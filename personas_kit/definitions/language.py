"""Reads the query language: the text form of every definition, and Segment's own where the two meet.

The grammar (source: Segment's query language reference, read 2026-11-23; ours where it is silent)::

    condition  := term (OR term)*                    AND binds tighter than OR
    term       := factor ((AND | EXCEPT) factor)*    a EXCEPT b is a AND NOT b
    factor     := NOT factor | ANY factor | ALL factor | "(" condition ")" | comparison | chosen
    chosen     := top(n, by: value, of: condition [, smallest: true])
                | split('name', low, high [, by: account]) | holdout('name', percent [, by: account])
    comparison := value op operand | value "." operator "(" operands [, ignore_case: true] | duration ")"
    value      := trait('k') | account_trait('k') | property([parent:] 'p') [as type] | events "." reducer
                | users "." reducer
    events     := event('Name') ("." filter)*
    filter     := where(condition) | within([parent:] duration) | between([parent:] duration, duration)
                | then(events) | not_then(events) | scope('event') | membership('at_event')
    users      := users() [.where(condition)]
    reducer    := count() | sum(p) | avg(p) | min(p) | max(p) | first(p) | last(p) | mode(p, n) | unique(p)[.count()]
                | share(condition)                   p is a property of the event, or a value of the user
    operand    := constant | value
    constant   := 'text' | 1 | 1.5 | true | false | 2026-01-31 | 2026-01-31T08:00:00Z | literal(constant)
    duration   := N second(s) | hour(s) | day(s)

``str`` of what is read gives the canonical text; reading that gives an equal tree. An event inside another's ``where``
is one that follows it; lint and plain English walk the same tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, TypeVar

from personas_kit.definitions import words
from personas_kit.definitions.constants import checked_instant, whole_seconds
from personas_kit.definitions.expressions import (
    TYPE_NAMES,
    And,
    Compare,
    Condition,
    Constant,
    Expression,
    Not,
    OfUsers,
    Operand,
    Or,
    PropertyRef,
    PropertyType,
    Uncompared,
    Value,
    check_depth,
    flatten,
    kind_of,
)
from personas_kit.definitions.streams import Events, Reduced, Stream, Users, Window
from personas_kit.definitions.tokens import Token, meant, problem, tokens_of, unquoted
from personas_kit.definitions.vocabulary import account_trait, event, holdout, prop, split, top, trait, users
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

    def whole(self) -> Condition | Value:
        """The whole text."""
        found = self._either()
        if self._token.kind != "end":
            near = meant(self._token.text, ("AND", "OR")) if self._token.kind == "name" else ""
            self._unexpected("the end, AND or OR", hint=near)
        if isinstance(found, Stream):
            self._refuse(
                self._token,
                f"{found.called} is neither a condition nor a value yet",
                hint="end it in a reducer: .count()",
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
        return Or(flatten(Or, parts))

    def _both(self) -> Expression:
        first = self._factor()
        if not self._is_word("AND") and not self._is_word("EXCEPT"):
            return first
        parts = [self._as_condition(first)]
        while self._is_word("AND") or self._is_word("EXCEPT"):
            without = self._step().text.upper() == "EXCEPT"
            part = self._as_condition(self._factor())
            parts.append(Not(part) if without else part)
        return And(flatten(And, parts))

    def _factor(self) -> Expression:
        with self._deeper():
            for word, wrap in _WRAPS.items():
                if self._take_word(word):
                    return wrap(self._as_condition(self._factor()))
            if self._take("("):
                inside = self._either()
                self._expect(")")
                return self._compared(inside) if isinstance(inside, Value) else inside
            return self._compared(self._primary())

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        """One level down; refused before Python gives up."""
        self._depth += 1
        if self._depth > _DEEPEST:
            self._refuse(self._token, f"nested more than {_DEEPEST} deep", hint="split it into several audiences")
        yield
        self._depth -= 1

    def _compared(self, left: Expression) -> Expression:
        """The comparison that follows a value, or the value itself if none does."""
        symbol = self._token.kind == "symbol" and self._token.text in words.SYMBOLS
        if isinstance(left, Stream) and symbol:
            self._refuse(self._token, f"{left.called} cannot be compared", hint="count it first: .count()")
        if not isinstance(left, Value):
            return left
        if symbol:
            operator = words.SYMBOLS[self._step().text]
            at = self._token
            operand = self._operand()
            return self._checked(at, lambda: left.compare(operator, operand))
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
        at = name if word in words.OF_MANY else self._token
        operands = [self._operand()]
        how: dict[str, bool] = {}
        while self._token.text == "," and (word in words.OF_MANY or self._ahead("ignore_case")):
            self._step()
            if word in words.WITHOUT_CASE and self._is_label("ignore_case"):
                how = {"ignore_case": self._label_true("ignore_case")}
                break
            operands.append(self._operand())
        if word in words.AS_SYMBOLS:
            return self._checked(at, lambda: left.compare(words.AS_SYMBOLS[word], operands[0], **how))
        compared: Callable[..., Condition] = getattr(left, words.DATES.get(word, word))
        return self._checked(at, lambda: compared(*operands, **how))

    # --- values ------------------------------------------------------------------------------------------------------

    def _primary(self) -> Expression:
        if self._token.kind in {"number", "instant", "string"}:
            self._unexpected("event(...) or trait(...)", hint=words.INSTEAD["literal"])
        name = self._expect_name("event(...), trait(...), NOT, ANY, ALL or (")
        word = name.text
        self._not_yet(name)
        if word not in words.STARTS:
            self._unknown(name, "thing to start with", words.STARTS, hint=words.INSTEAD.get(word.lower(), ""))
        self._open(word)
        if word in words.PROPERTIES:
            return self._property_rest()
        if word == "users":
            self._expect(")")
            return self._stream(users())
        if word in _CHOSEN:
            return _CHOSEN[word](self, name)
        at = self._token
        key = self._string()
        self._expect(")")
        if word == "event":
            return self._stream(self._checked(at, lambda: event(key)))
        return self._checked(at, lambda: account_trait(key) if word == "account_trait" else trait(key))

    def _top(self, name: Token) -> Condition:
        """After ``top(``."""
        count = self._whole_number()
        self._expect(",")
        self._label("by")
        by = self._a_value()
        self._expect(",")
        self._label("of")
        of = self._as_condition(self._either())
        smallest = self._take(",") and self._label_true("smallest")
        self._expect(")")
        return self._checked(name, lambda: top(count, by=by, of=of, smallest=smallest))

    def _split(self, name: Token) -> Condition:
        """After ``split(`` or ``holdout(``."""
        called = self._string()
        self._expect(",")
        numbers = [self._percent()]
        if name.text == "split":
            self._expect(",")
            numbers.append(self._percent())
        by = "member"
        if self._take(","):
            self._label("by")
            by = self._expect_name("account").text
        self._expect(")")
        if name.text == "split":
            return self._checked(name, lambda: split(called, (numbers[0], numbers[1]), by=by))  # type: ignore[arg-type]
        return self._checked(name, lambda: holdout(called, numbers[0], by=by))  # type: ignore[arg-type]

    def _percent(self) -> float:
        if self._token.kind != "number":
            self._unexpected("a percentage from 0 to 100")
        return self._number()

    def _a_value(self) -> Value:
        with self._deeper():
            found = self._primary()
        if not isinstance(found, Value):
            self._unexpected("a value such as trait('...') or event('...').count()")
        return found

    def _property_rest(self) -> PropertyRef:
        parent = self._take_parent()
        at = self._token
        name = self._string()
        self._expect(")")
        return self._property_named(at, name, parent=parent)

    def _property_named(self, at: Token, name: str, *, parent: bool = False) -> PropertyRef:
        as_type = self._as_type()
        if parent:
            return self._checked(at, lambda: prop(parent=name, as_type=as_type))
        return self._checked(at, lambda: prop(name, as_type))

    def _as_type(self) -> PropertyType | None:
        if not self._take_word("AS"):
            return None
        token = self._expect_name("a type")
        as_type = words.TYPES.get(token.text, token.text)
        if as_type not in TYPE_NAMES:
            self._unknown(token, "type", TYPE_NAMES)
        return as_type  # type: ignore[return-value]

    def _stream(self, stream: Events | Users) -> Expression:
        """Filters, then a reducer; the stream itself if none follows."""
        known = words.OF_EVENTS if isinstance(stream, Events) else words.OF_USERS
        while self._take("."):
            name = self._expect_name("where, within, between or a reducer such as count()")
            word = name.text
            self._not_yet(name)
            if word not in known:
                hint = "count it first: .count()" if word in words.COMPARISONS else ""
                self._unknown(name, f"function of {stream.called}", known, hint=hint)
            self._open(word)
            if word == "where":
                stream = stream.where(self._as_condition(self._either()))
            elif word in words.FILTERS and isinstance(stream, Events):
                stream = self._filtered(stream, name)
            else:
                return self._reducer(stream, word)
            self._expect(")")
        return stream

    def _filtered(self, stream: Events, name: Token) -> Events:
        word = name.text
        if word in {"then", "not_then", "scope", "membership"}:
            apply: Callable[..., Events] = getattr(stream, word)
            argument = self._following() if word in {"then", "not_then"} else self._string()
            return self._checked(name, lambda: apply(argument))
        parent = self._take_parent()
        first = self._duration(zero=word == "between")
        if word == "within":
            return self._checked(name, lambda: stream.windowed(Window(first, parent=parent)))
        self._expect(",")
        second = self._duration(zero=True)
        return self._checked(name, lambda: stream.windowed(Window(max(first, second), min(first, second), parent)))

    def _following(self) -> Events:
        """The event inside ``then(``."""
        at = self._token
        with self._deeper():
            found = self._primary()
        if not isinstance(found, Events):
            self._refuse(at, "expected an event", hint="write .then(event('...').within(7 days))")
        return found

    def _reducer(self, stream: Events | Users, word: str) -> Reduced:
        if word == "count":
            self._expect(")")
            return stream.count()
        if word == "share" and isinstance(stream, Users):
            share = stream.share(self._as_condition(self._either()))
            self._expect(")")
            return share
        of = self._reduced_argument(stream)
        if word in {"mode", "most_frequent"}:
            at_least = self._whole_number() if self._take(",") else 2
            self._expect(")")
            return stream.most_frequent(of, at_least=at_least)  # type: ignore[arg-type]
        self._expect(")")
        reduced: Reduced = getattr(stream, word)(of)
        if word == "unique" and self._token.text == "." and self._ahead("count"):
            self._step()
            self._step()
            self._open("count")
            self._expect(")")
            return reduced.count()
        return reduced

    def _reduced_argument(self, stream: Events | Users) -> Value:
        """``property('p')``, ``property('p') as number``, or just ``'p'``; of users a value, or just a trait's key."""
        at = self._token
        if isinstance(stream, Users):
            if at.kind != "string":
                return self._a_value()
            key = self._string()
            return self._checked(at, lambda: trait(key))
        if at.kind == "string":
            return self._property_named(at, self._string())
        name = self._expect_name("property('...')")
        if name.text not in words.PROPERTIES:
            self._unknown(name, "thing to reduce", ("property",))
        self._open(name.text)
        return self._property_rest()

    # --- constants ---------------------------------------------------------------------------------------------------

    def _operand(self) -> Operand:
        """A constant, or another value."""
        token = self._token
        if token.kind == "name" and token.text in words.LATER:
            self._not_yet(token)
        return self._a_value() if token.kind == "name" and token.text in words.VALUES else self._constant()

    def _constant(self) -> Constant:
        token = self._token
        if token.kind == "name" and token.text == "literal":
            self._step()
            self._open("literal")
            with self._deeper():
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

    def _is_label(self, word: str) -> bool:
        """Whether ``word:`` comes next."""
        return self._token.kind == "name" and self._token.text == word and self._ahead(":")

    def _label(self, word: str) -> None:
        if not self._is_label(word):
            self._unexpected(f"'{word}:'")
        self._step()
        self._step()

    def _label_true(self, word: str) -> bool:
        self._label(word)
        if not self._is_word("TRUE"):
            self._unexpected("true", hint=f"leave {word}: out otherwise")
        self._step()
        return True

    def _take_parent(self) -> bool:
        if not self._is_label("parent"):
            return False
        self._label("parent")
        return True

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
        example = found.example() if isinstance(found, Uncompared) else f"{found} >= 1"
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
_CHOSEN: dict[str, Callable[[_Reader, Token], Condition]] = {
    "top": _Reader._top,  # noqa: SLF001  (of this module)
    "split": _Reader._split,  # noqa: SLF001
    "holdout": _Reader._split,  # noqa: SLF001
}
