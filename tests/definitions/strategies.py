"""Any expression of the language, for property tests."""

import datetime as dt
import operator

from hypothesis import strategies as st

from personas_kit.definitions import (
    account_trait,
    all_users,
    any_user,
    event,
    holdout,
    no_user,
    prop,
    split,
    top,
    trait,
    users,
)
from personas_kit.definitions.streams import Window

names = st.text(min_size=1, max_size=8)
days = st.dates()
instants = st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2100, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001
numbers = st.one_of(st.integers(-(10**38) + 1, 10**38 - 1), st.floats(allow_nan=False, allow_infinity=False))
constants = st.one_of(st.text(max_size=8), numbers, st.booleans(), days, instants)
durations = st.integers(1, 10**8)
texts = st.text(min_size=1, max_size=8)
comparisons = st.sampled_from([operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge])


@st.composite
def compared(draw, values):
    """A value compared in any way."""
    value = draw(values)
    kind = draw(st.integers(0, 8))
    if kind == 7:
        return draw(comparisons)(value, draw(values))
    if kind == 8:
        says = draw(st.sampled_from(["equals", "differs", "contains", "omits", "starts_with", "one_of", "none_of"]))
        return getattr(value, says)(draw(texts | values), ignore_case=draw(st.booleans()))
    if kind == 0:
        return draw(comparisons)(value, draw(constants))
    if kind == 1:
        return draw(st.sampled_from([value.exists, value.absent]))()
    if kind == 2:
        return value.contains(*draw(st.lists(texts, min_size=1, max_size=3)))
    if kind == 3:
        return draw(st.sampled_from([value.omits, value.starts_with, value.ends_with]))(draw(texts))
    if kind == 4:
        return draw(st.sampled_from([value.one_of, value.none_of]))(*draw(st.lists(constants, min_size=1, max_size=3)))
    if kind == 5:
        return draw(st.sampled_from([value.before, value.after]))(draw(st.one_of(days, instants)))
    relative = draw(st.sampled_from([value.within_last, value.within_next, value.before_last, value.after_next]))
    return relative(hours=draw(st.integers(1, 10_000)))


def combined(leaves):
    """Conditions combined to any depth."""
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(operator.and_, inner, inner), st.builds(operator.or_, inner, inner), inner.map(operator.invert)
        ),
        max_leaves=5,
    )


types = st.sampled_from([None, "number", "string", "boolean", "date", "list"])
properties = st.builds(prop, names, types)
of_events = properties | st.builds(lambda name, kind: prop(parent=name, as_type=kind), names, types)


@st.composite
def streams(draw, level=1):
    """Events with any filters."""
    stream = event(draw(names))
    if draw(st.booleans()):
        part = compared(of_events | st.builds(trait, names))
        part = part | compared(reduced(level + 1)) if level < 3 else part
        stream = stream.where(draw(combined(part)))
    if level < 3 and draw(st.integers(0, 3)) == 0 and not str(stream.condition).startswith("NOT"):
        stream = event(draw(names)).then(stream)
    stream = draw(st.sampled_from([stream, stream.scope("event"), stream.membership("at_event")]))
    if stream.window is not None:
        return stream
    window = draw(st.sampled_from(["none", "within", "between", "parent"]))
    if window == "within":
        stream = stream.windowed(Window(draw(durations)))
    if window == "parent":
        stream = stream.windowed(Window(draw(durations), parent=True))
    if window == "between":
        older, newer = draw(
            st.lists(durations, min_size=2, max_size=2, unique=True).map(lambda pair: sorted(pair, reverse=True))
        )
        stream = stream.windowed(Window(older, newer))
    return stream


@st.composite
def reduced(draw, level=1):
    """Events reduced in any way."""
    stream, of = draw(streams(level)), draw(properties)
    reducers = [stream.sum, stream.avg, stream.min, stream.max, stream.first, stream.last, stream.unique]
    kind = draw(st.integers(0, len(reducers) + 2))
    if kind < len(reducers):
        return reducers[kind](of)
    if kind == len(reducers):
        return stream.count()
    if kind == len(reducers) + 1:
        return stream.unique(of).count()
    return stream.most_frequent(of, at_least=draw(st.integers(1, 9)))


@st.composite
def users_reduced(draw):
    """The users of an account reduced in any way."""
    stream = users().where(draw(combined(compared(simple)))) if draw(st.booleans()) else users()
    reducers = [stream.sum, stream.avg, stream.min, stream.max, stream.unique, stream.most_frequent]
    kind = draw(st.integers(0, len(reducers) + 1))
    if kind < len(reducers):
        return reducers[kind](draw(simple))
    return stream.count() if kind == len(reducers) else stream.share(draw(combined(compared(simple))))


@st.composite
def chosen(draw):
    """The first of some, and arms of experiments."""
    low, high = sorted(draw(st.lists(st.integers(0, 100) | st.floats(0, 100), min_size=2, max_size=2, unique=True)))
    by = draw(st.sampled_from(["member", "account"]))
    kind = draw(st.integers(0, 2))
    if kind == 0:
        return split(draw(names), (low, high), by=by)
    if kind == 1:
        return holdout(draw(names), high, by=by)
    return top(
        draw(st.integers(1, 10**8)), by=draw(simple), of=draw(combined(compared(simple))), smallest=draw(st.booleans())
    )


simple = st.one_of(reduced(), st.builds(trait, names), st.builds(account_trait, names))
values = st.one_of(simple, users_reduced())
of_users = st.builds(
    lambda wrap, part: wrap(part), st.sampled_from([any_user, all_users, no_user]), combined(compared(values))
)
conditions = combined(st.one_of(compared(values), of_users, chosen()))
expressions = st.one_of(values, conditions)
