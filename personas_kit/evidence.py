"""Whether a source is what it is taken for: counts of its tables, in words, and what they say is wrong."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from personas_kit.compiler import Query, Source
from personas_kit.compiler.evidence import compile_evidence
from personas_kit.compiler.source import EventTable

#: What one line of counts says, by its name.
Counts = Mapping[str, object]
STALE = dt.timedelta(days=30)
SOON = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was counted of one part of a source.

    Attributes:
        part: ``users``, ``accounts``, ``memberships``, ``identities`` or ``events``.
        place: the table, and the column that matters most: ``users by user_id``.
        found: the counts, in words.
        problems: what they say is wrong, and what that does.
        fatal: no audience can be right with this.
        counts: the numbers.
    """

    part: str
    place: str
    found: str
    problems: tuple[str, ...] = ()
    fatal: bool = False
    counts: Counts = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        """As plain data."""
        return {
            "part": self.part,
            "place": self.place,
            "found": self.found,
            "problems": list(self.problems),
            "counts": dict(self.counts),
        }


def look(source: Source, ask: Callable[[Query], Counts], now: dt.datetime) -> Iterator[Evidence]:
    """The evidence of every part that the source has.

    Args:
        source: what to look at.
        ask: the one line that answers a query.
        now: for what is in the future, or long ago.
    """
    reading: dict[str, Callable[[Source, Counts, dt.datetime], Evidence]] = {
        "users": _users,
        "accounts": _accounts,
        "memberships": _memberships,
        "identities": _identities,
        "events": _events,
    }
    for part, query in compile_evidence(source).items():
        yield reading[part](source, ask(query), now)


def _users(source: Source, counts: Counts, now: dt.datetime) -> Evidence:
    return _subjects("users", f"{source.users.table.name} by {source.users.id.name}", counts, now)


def _accounts(source: Source, counts: Counts, now: dt.datetime) -> Evidence:
    of = source.accounts
    return _subjects("accounts", f"{of.table.name} by {of.id.name}" if of else "", counts, now)


def _subjects(part: str, place: str, counts: Counts, now: dt.datetime) -> Evidence:
    lines, named, members = (_number(counts, name) for name in ("lines", "named", "members"))
    problems = []
    if named < lines:
        problems.append(f"{some(lines - named, 'line')} without an id: nobody")
    if members < named:
        problems.append(
            f"{some(named - members, 'line')} repeating an id: a condition on a trait holds if one of its lines does"
        )
    last = counts["last"]
    if isinstance(last, dt.datetime) and last > now + SOON:
        problems.append(f"some exist only from a time in the future on, up to {last:%Y-%m-%d %H:%M}")
    unique = "each once" if members == lines else f"{members:,} of them distinct"
    found = f"{some(lines, 'line')}, {unique}" if lines else "the table is empty"
    return Evidence(part, place, found, tuple(problems), fatal=part == "users" and not members, counts=counts)


def _memberships(source: Source, counts: Counts, _: dt.datetime) -> Evidence:
    of = source.memberships
    users, accounts = _number(counts, "users"), _number(counts, "accounts")
    problems = [
        *_unknown("users", users, _number(counts, "users_known")),
        *_unknown("accounts", accounts, _number(counts, "accounts_known")),
    ]
    lines, several = some(_number(counts, "lines"), "line"), _number(counts, "in_several")
    found = f"{lines}, {some(users, 'user')} in {some(accounts, 'account')}, {several:,} in several"
    place = f"{of.table.name}: {of.user.name} in {of.account.name}" if of else ""
    return Evidence("memberships", place, found, tuple(problems), counts=counts)


def _identities(source: Source, counts: Counts, _: dt.datetime) -> Evidence:
    of = source.identities
    users, shared = _number(counts, "users"), _number(counts, "shared")
    problems = _unknown("users", users, _number(counts, "users_known"))
    if shared:
        problems.append(f"{some(shared, 'id')} claimed by several users: the earliest claim wins")
    found = f"{some(_number(counts, 'ids'), 'anonymous id')} of {some(users, 'user')}"
    place = f"{of.table.name}: {of.value.name} of {of.user.name}" if of else ""
    return Evidence("identities", place, found, tuple(problems), counts=counts)


def _events(source: Source, counts: Counts, now: dt.datetime) -> Evidence:
    lines, with_user, users = (_number(counts, name) for name in ("lines", "with_user", "users"))
    known, anonymous, resolved = (_number(counts, name) for name in ("users_known", "anonymous", "resolved"))
    found = [f"{some(lines, 'line')}, {_day(counts['first'])} to {_day(counts['last'])}"] if lines else ["no line"]
    found += [f"{_share(with_user, lines)} name a user"] if lines else []
    found += [f"{_share(resolved, anonymous)} of the anonymous ones resolve"] if anonymous else []
    problems = _unknown("users", users, known)
    if (repeated := _number(counts, "with_id") - _number(counts, "ids")) > 0:
        what = "such an event is counted once, and summed and averaged as often as it stands there"
        problems.append(f"{some(repeated, 'line')} repeating an id: {what}")
    problems += (
        _unknown("accounts", _number(counts, "accounts"), _number(counts, "accounts_known")) if source.accounts else []
    )
    problems += _times(newest(counts), now)
    fatal = bool(users) and not known and not resolved
    return Evidence(
        "events", events_place(source.events), "; ".join(found), tuple(problems), fatal=fatal, counts=counts
    )


def events_place(events: tuple[EventTable, ...]) -> str:
    """``tracks by event_text``, or how many tables of one event each."""
    own = sum(of.event is not None for of in events)
    common = [f"{of.table.name} by {of.name.name}" for of in events if of.name is not None]
    return " and ".join([*common, *([f"{some(own, 'table')} of one event each"] if own else [])])


def _unknown(what: str, all_of_them: int, known: int) -> list[str]:
    missing = all_of_them - known
    if not missing:
        return []
    if not known:
        return [f"none of its {all_of_them:,} {what} exists: the ids do not fit each other"]
    return [f"{missing:,} of its {all_of_them:,} {what} do not exist: left out"]


def newest(counts: Counts) -> dt.datetime | None:
    """When the newest event happened; a day counts from its beginning."""
    last = counts["last"]
    if isinstance(last, dt.date) and not isinstance(last, dt.datetime):
        return dt.datetime.combine(last, dt.time(), dt.UTC)
    return last if isinstance(last, dt.datetime) else None


def _times(last: dt.datetime | None, now: dt.datetime) -> list[str]:
    if last is None:
        return []
    if last > now + SOON:
        return [f"the newest is in the future ({last:%Y-%m-%d %H:%M} UTC): times without a zone are read as UTC"]
    return [f"the newest is {(now - last).days:,} days old"] if now - last > STALE else []


def some(count: int, what: str) -> str:
    """``1 line``, ``4,127 lines``."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _number(counts: Counts, name: str) -> int:
    value = counts[name]
    return value if isinstance(value, int) else 0


def _share(some: int, of: int) -> str:
    """``66 %``; never 0 or 100 where it is not."""
    if not of or some in {0, of}:
        return "100 %" if some else "0 %"
    return f"{min(max(100 * some / of, 1), 99):.0f} %"


def _day(value: object) -> str:
    return f"{value:%Y-%m-%d}" if isinstance(value, dt.date) else "?"
