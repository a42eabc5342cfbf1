"""Any expression of the language, for property tests."""

import datetime as dt
import operator

from hypothesis import strategies as st

from personas_kit.definitions import account_trait, all_users, any_user, event, no_user, prop, trait
from personas_kit.definitions.expressions import Window

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
    kind = draw(st.integers(0, 6))
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


properties = st.builds(prop, names, st.sampled_from([None, "number", "string", "boolean", "date"]))


@st.composite
def streams(draw):
    """Events with any filters."""
    stream = event(draw(names))
    if draw(st.booleans()):
        stream = stream.where(draw(combined(compared(properties))))
    window = draw(st.sampled_from(["none", "within", "between"]))
    if window == "within":
        stream = stream.windowed(Window(draw(durations)))
    if window == "between":
        older, newer = draw(
            st.lists(durations, min_size=2, max_size=2, unique=True).map(lambda pair: sorted(pair, reverse=True))
        )
        stream = stream.windowed(Window(older, newer))
    return stream


@st.composite
def reduced(draw):
    """Events reduced in any way."""
    stream, of = draw(streams()), draw(properties)
    reducers = [stream.sum, stream.avg, stream.min, stream.max, stream.first, stream.last, stream.unique]
    kind = draw(st.integers(0, len(reducers) + 2))
    if kind < len(reducers):
        return reducers[kind](of)
    if kind == len(reducers):
        return stream.count()
    if kind == len(reducers) + 1:
        return stream.unique(of).count()
    return stream.most_frequent(of, at_least=draw(st.integers(1, 9)))


values = st.one_of(reduced(), st.builds(trait, names), st.builds(account_trait, names))
of_users = st.builds(
    lambda wrap, part: wrap(part), st.sampled_from([any_user, all_users, no_user]), combined(compared(values))
)
expressions = st.one_of(values, combined(st.one_of(compared(values), of_users)))
