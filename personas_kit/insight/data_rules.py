"""What is likely not meant, as far as the data says so. Pure: counts of the warehouse's tables become warnings.

What counts are of is in ``counting``; who asks for them is in ``data_lint``. Rules that need a definition's tree alone
are in ``personas_kit.definitions.lint``, and ``docs/language.md`` has the table of all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from personas_kit.activation.sync import Sync
from personas_kit.catalogue import DAYS
from personas_kit.compiler import Source, SourceSettings, Table
from personas_kit.compiler.source import Column
from personas_kit.definitions import Definition
from personas_kit.definitions.expressions import PropertyRef
from personas_kit.definitions.lint import Warned, read_as, say_type
from personas_kit.definitions.streams import Events
from personas_kit.definitions.uses import Use, events_of, uses_of
from personas_kit.errors import nearest
from personas_kit.evidence import some
from personas_kit.insight.counting import Counts, Spot, event_table, searches, spot_of
from personas_kit.masking import mask_text

#: What is there in fewer of a hundred lines is rare.
RARE = 1
#: In a table of more lines it takes long to look into every text.
LARGE = 10_000_000
#: How many keys a warning lists where none is near.
LISTED = 8
_LATELY = f"of the last {DAYS} days"


@dataclass(frozen=True, slots=True)
class Left:
    """What a destination still has of a definition: how many members it acknowledged of a sync, with values or not."""

    sync: Sync
    members: int
    valued: bool


def judge(definition: Definition, source: Source, counts: Counts) -> list[Warned]:
    """What the data says of a definition, each thing once, from left to right. What nobody counted is not judged."""
    found: dict[Warned, None] = {}
    for stream in events_of(definition):
        found |= dict.fromkeys(_not_seen(stream, source, counts))
    told: set[Spot] = set()
    for use in uses_of(definition):
        spot = spot_of(use, source)
        if spot is None:
            continue
        if spot not in told:
            rare = [*_rare(use, spot, counts)]
            told |= {spot} if rare else set()
            found |= dict.fromkeys(rare)
        found |= dict.fromkeys(_slow(use, spot, counts))
    return list(found)


def _not_seen(stream: Events, source: Source, counts: Counts) -> Iterator[Warned]:
    """A known event that does not happen. One that nobody knows does not compile."""
    of = event_table(source, stream.name)
    if of is None or counts.lines.get((of.table.name, stream.name)) != 0:
        return
    unseen = {name for (_, name), lines in counts.lines.items() if not lines}
    known = source.event_names or [each.event for each in source.events if each.event is not None]
    near = nearest(stream.name, {*known} - unseen - {stream.name}, limit=1)
    yield Warned(
        "not_seen",
        str(Events(stream.name)),
        f"{stream.name!r} has not happened in the last {DAYS} days",
        f"did you mean {near[0]!r}?" if near else "if it has another name now, write that; ws.events lists them",
    )


def _rare(use: Use, spot: Spot, counts: Counts) -> Iterator[Warned]:
    """A property or trait that hardly any line has."""
    lines, filled = counts.lines.get(spot.place), counts.filled.get(spot)
    if not lines or filled is None:
        return
    keys = counts.keys.get(spot.place, frozenset())
    if spot.path and not filled and (len(spot.path) > 1 or spot.path[0] not in keys):
        yield _unknown(use, spot, lines, keys)
    elif filled * 100 < lines * RARE and not _asks_whether(use):
        whose = f"events {_LATELY}" if spot.event else f"{use.subject}s"
        yield Warned(
            "rarely_there",
            str(use.part),
            f"{_called(use, spot)} is there in {filled:,} of {lines:,} {whose}",
            "no comparison holds for those without it: is another one meant, or should it be filled?",
        )


def _unknown(use: Use, spot: Spot, lines: int, keys: frozenset[str]) -> Warned:
    """A key that no document has; keys inside of others are not listed."""
    outer, *inner = spot.path
    what = f"{_called(use, spot)} is in none of {lines:,} events {_LATELY}"
    if outer in keys:
        return Warned("unknown_property", str(use.part), what, f"{outer!r} is there, and nothing in it is called so")
    near = nearest(outer, map(mask_text, keys), limit=1)  # where keys are ids, they may be addresses
    if near:
        hint = f"did you mean {'.'.join([near[0], *inner])!r}?"
    elif keys:
        more = ", ..." if len(keys) > LISTED else ""
        hint = f"their properties: {', '.join(map(mask_text, sorted(keys)[:LISTED]))}{more}"
    else:
        hint = f"no document has any key: is {spot.column.name} the column of the properties?"
    return Warned("unknown_property", str(use.part), what, hint)


def _slow(use: Use, spot: Spot, counts: Counts) -> Iterator[Warned]:
    """A search through the texts of a large table."""
    lines = counts.lines.get((spot.of.table.name, ""), 0)
    if lines > LARGE and searches(use, spot):
        yield Warned(
            "slow_like",
            str(use.part),
            f"every text is looked into, in {spot.of.table.name} of {some(lines, 'line')}",
            "starts_with, = and one_of with case are quick; or make a column of the answer in the warehouse",
        )


def read_differently(definitions: Mapping[str, Definition], source: Source) -> dict[str, list[Warned]]:
    """Keys of documents that one definition reads as one type and another definition as another, by definition."""
    found: dict[str, list[Warned]] = {key: [] for key in definitions}
    readers: dict[Spot, dict[str, tuple[str, Use]]] = {}
    for key, definition in definitions.items():
        for spot, read in _kinds(definition, source).items():
            readers.setdefault(spot, {})[key] = read
    for spot, by_key in readers.items():
        first = {kind: key for key, (kind, _) in reversed(by_key.items())}
        for key, (kind, use) in by_key.items():
            other = next((each for each in first if each != kind), None)
            if other is not None and isinstance(use.value, PropertyRef):
                what = f"{_called(use, spot)} is read as {kind}, and as {other} in {first[other]!r}"
                found[key].append(Warned("mixed_types", str(use.part), what, say_type(use.value)))
    return found


def _kinds(definition: Definition, source: Source) -> dict[Spot, tuple[str, Use]]:
    """As what each key of a document is read, where it is read first."""
    found: dict[Spot, tuple[str, Use]] = {}
    for use in uses_of(definition):
        kind, spot = read_as(use), spot_of(use, source)
        if kind and spot is not None and spot.path:
            found.setdefault(spot, (kind, use))
    return found


def naive_times(source: Source, settings: SourceSettings) -> list[Warned]:
    """Tables with times of which nobody says the zone: once for each, unless ``[source] timezone`` is there."""
    if settings.timezone:
        return []
    return [
        Warned(
            "naive_time",
            ", ".join(f"{table.name}.{name}" for name in columns),
            "a time without a time zone is read as UTC",
            'if it is, say so: timezone = "UTC" under [source]; if not, convert it in a view of the warehouse',
        )
        for table, columns in _naive(source).items()
    ]


def _naive(source: Source) -> dict[Table, list[str]]:
    """The columns without a zone that say when something is, by table."""
    times: list[tuple[Table, Column | None]] = [(source.users.table, source.users.since)]
    times += [(of.table, of.since) for of in (source.accounts, source.identities) if of is not None]
    if source.memberships is not None:
        of = source.memberships
        times += [(of.table, of.valid_from), (of.table, of.valid_to)]
    times += [(events.table, events.at) for events in source.events]
    found: dict[Table, list[str]] = {}
    for table, column in times:
        if column is not None and column.type == "timestamp":
            found.setdefault(table, []).append(column.name)
    return {table: list(dict.fromkeys(names)) for table, names in found.items()}


def renamed(left: Sequence[Left], keys: Collection[str]) -> list[tuple[str, Warned]]:
    """Keys at destinations that no definition has any more.

    Args:
        left: what destinations acknowledged, of every sync.
        keys: of the definitions that there are.

    Returns:
        The nearest key of a definition that was never pushed itself (empty if none is near), and what to know.
    """
    by_key: dict[str, list[Left]] = {}
    for each in left:
        by_key.setdefault(each.sync.key, []).append(each)
    fresh = [key for key in keys if key not in by_key]
    found = []
    for key, own in by_key.items():
        if key not in keys and any(each.members for each in own):
            near = next(iter(nearest(key, fresh, limit=1)), "")
            found.append((near, _renamed(key, own, near)))
    return found


def _renamed(key: str, own: Sequence[Left], near: str) -> Warned:
    places = [f"{each.members:,} at {each.sync.destination} ({each.sync.call})" for each in own if each.members]
    stay = "values" if any(each.valued for each in own) else "members"
    gone = f"personas remove {key} takes everyone out"
    moved = f"if it is {near!r} now, write key = {key!r} there, and nothing is sent twice; if it is gone, "
    return Warned(
        "renamed_key",
        key,
        f"no definition has this key any more, and its {stay} stay until exits are sent ({', '.join(places)})",
        f"{moved if near else ''}{gone}",
    )


def not_looked(table: str, why: str) -> Warned:
    """The data of a table was not looked at."""
    return Warned("not_looked", table, "the data was not looked at", why)


def _asks_whether(use: Use) -> bool:
    """Whether the question is just that: is it there?"""
    return use.compare is not None and use.compare.operator in {"exists", "absent"}


def _called(use: Use, spot: Spot) -> str:
    """``'plan'``, ``'coupon' of 'Order Completed'``."""
    name = use.value.name if isinstance(use.value, PropertyRef) else use.value.key
    return f"{name!r} of {spot.event!r}" if spot.event else repr(name)
