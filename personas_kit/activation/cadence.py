"""When a sync is due: on a tick of its definition, and no sooner than its destination takes it again."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass

from cronsim import CronSim, CronSimError

from personas_kit.errors import nearest

MOST_EARLY = dt.timedelta(minutes=5)
CRON_EARLY = dt.timedelta(seconds=30)
"""So much before a tick of a cron a run counts as that tick: less than the minute between two runs of a scheduler."""
MOST_LATE = dt.timedelta(hours=1)
"""So long after a tick of a cron a push counts as that tick's: how far a scheduler's runs may lie behind the ticks."""
LOOKED_AT, YEAR = 2_000, dt.timedelta(days=365)
"""So many ticks of a cron are looked at for the longest gap between two, or those of a year, where they are fewer."""
_EXAMPLE = '"0 6 * * 1-5" is at 06:00 from Monday to Friday'
_FIELDS = {"minute": 0, "hour": 1, "day-of-month": 2, "month": 3, "day-of-week": 4}
_THURSDAY = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def effective_interval(interval: int, minimum: int) -> int:
    """How often a sync is pushed, in seconds.

    A destination's list takes updates only so often; a definition is computed only so often. A push happens on one of
    the definition's ticks, so the interval is the smallest multiple of its own that is at least the minimum: hourly
    with a minimum of six hours gives six, every four hours gives eight.

    Args:
        interval: of the definition, in seconds; 0 for a definition that has none.
        minimum: of the destination, in seconds; 0 for none.
    """
    if interval <= 0:
        return max(minimum, 0)
    ticks = max(1, -(-minimum // interval))
    return ticks * interval


@dataclass(frozen=True, slots=True)
class Cron:
    """The ticks of a cron expression, as Debian's cron has them, also where clocks are put forward or back.

    Attributes:
        text: five fields: minute, hour, day of the month, month, day of the week.
        timezone: the name of the zone whose clock it means.

    Raises:
        ValueError: it is no such expression, it never comes, or there is no such zone.
    """

    text: str
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        zone_of(self.timezone)
        if len(self.text.split()) != len(_FIELDS):
            found = len(self.text.split())
            raise ValueError(f"{self.text!r} has {found} fields and a cron has five: {', '.join(_FIELDS)}; {_EXAMPLE}")
        try:
            next(self.after(_THURSDAY))
        except CronSimError as problem:
            raise ValueError(f"{self.text!r} is no cron: {self._wrong(str(problem))}; {_EXAMPLE}") from None
        except StopIteration:
            raise ValueError(f"{self.text!r} never comes: no day is like that; {_EXAMPLE}") from None

    def after(self, instant: dt.datetime) -> Iterator[dt.datetime]:
        """The ticks after an instant, in UTC."""
        for local in CronSim(self.text, instant.astimezone(zone_of(self.timezone))):
            tick = local.astimezone(dt.UTC)
            if tick > instant:  # what comes twice, as clocks are put back, is a tick the first time only
                yield tick

    @property
    def words(self) -> str:
        """For people: ``at 06:00 on Monday through Friday, UTC``."""
        said = CronSim(self.text, _THURSDAY).explain()
        return f"{said[:1].lower()}{said[1:]}, {self.timezone}"

    def _wrong(self, problem: str) -> str:
        name = problem.removeprefix("Bad ")
        at = _FIELDS.get(name)
        return problem if at is None else f"its {name} is {self.text.split()[at]!r}"


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often a definition is computed, or one of its syncs: at an interval, by a cron, or on no schedule.

    Attributes:
        every: seconds; 0 where there is none.
        cron: instead.
    """

    every: int = 0
    cron: Cron | None = None

    def __bool__(self) -> bool:
        return bool(self.every or self.cron)

    @property
    def interval(self) -> int:
        """Seconds between two computations; with a cron at most; 0 if there is no schedule."""
        return self.every if self.cron is None else longest_gap(self.cron)

    @property
    def early(self) -> dt.timedelta:
        """How much before it is due a tick may come: a schedule is never on time to the second.

        Without this a run five seconds early would slip to the next tick, a whole interval later. Half an interval is
        too much for the tick before; nothing is early where there are no ticks. A cron says a time of day, before which
        the data may not be there yet: it is less early.
        """
        return CRON_EARLY if self.cron is not None else min(dt.timedelta(seconds=self.every / 2), MOST_EARLY)

    def due(self, last_tick: dt.datetime | None, minimum: int) -> dt.datetime | None:
        """The first instant at which a push is due again; None if it is due at once.

        Counted on scheduled ticks (a plan's ``as_of``), not on the clock at which a push finished: else a push that
        took a minute would slip the next one by a whole interval.

        Args:
            last_tick: of the last push; None if there was none.
            minimum: of the destination, in seconds; 0 for none.
        """
        if last_tick is None:
            return None
        if self.cron is None:
            return last_tick + dt.timedelta(seconds=effective_interval(self.every, minimum))
        least = _tick_of(self.cron, last_tick) + dt.timedelta(seconds=minimum)
        start = max(last_tick + CRON_EARLY, least - dt.timedelta(seconds=1))
        return next(self.cron.after(start))

    def words(self, minimum: int = 0) -> str:
        """For people: ``every 6 h``, ``at 06:00 every day, UTC``; empty if nothing says how often.

        Args:
            minimum: of the destination, in seconds; 0 for none.
        """
        least = f", at most every {spell(dt.timedelta(seconds=minimum))}" if minimum else ""
        if self.cron is not None:
            return f"{self.cron.words}{least}"
        pushed = effective_interval(self.every, minimum)
        return f"every {_exactly(pushed)}" if pushed else ""


NO_SCHEDULE = Cadence()


def _exactly(seconds: int) -> str:
    """An interval without anything left out: ``90 min`` and not ``1 h``."""
    if seconds % 60:
        return f"{seconds} s"
    return spell(dt.timedelta(seconds=seconds)) if seconds % 3_600 == 0 else f"{seconds // 60} min"


def _tick_of(cron: Cron, instant: dt.datetime) -> dt.datetime:
    """The tick that a push at an instant was for: the one just before it, if it is near; else the instant itself.

    Near is an hour, or half the time to the next tick where that is less. So runs that always come late keep their
    ticks, and a push by hand, or one that caught up after a gap, is followed by the destination's minimum.
    """
    ticks = cron.after(instant - MOST_LATE - dt.timedelta(seconds=1))
    before, following = instant, next(ticks)
    while following <= instant + CRON_EARLY:
        before, following = following, next(ticks)
    late = min(MOST_LATE, (following - before) / 2)
    return before if instant - before <= late else instant


@functools.lru_cache(256)
def longest_gap(cron: Cron) -> int:
    """Seconds between the two ticks that are furthest apart, of a year or of 2,000 ticks, whichever are fewer."""
    ticks = cron.after(_THURSDAY)
    first = before = next(ticks)
    longest = dt.timedelta(0)
    for tick in itertools.islice(ticks, LOOKED_AT):
        longest, before = max(longest, tick - before), tick
        if tick - first >= YEAR:
            break
    return int(longest.total_seconds())


def zone_of(name: str) -> zoneinfo.ZoneInfo | dt.timezone:
    """A timezone by its name.

    Raises:
        ValueError: there is none.
    """
    if name == "UTC":
        return dt.UTC
    try:
        return zoneinfo.ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # no such file, one that is none, or a folder
        known = zoneinfo.available_timezones()
        near = nearest(name, known)
        hint = f"did you mean {near[0]!r}?" if near else 'write one such as "Europe/Berlin", or leave it out for UTC'
        raise ValueError(f"there is no timezone {name!r} here: {hint}") from None


def spell(span: dt.timedelta) -> str:
    """``3 d 4 h``, ``9 h``, ``25 min``."""
    minutes = int(span.total_seconds()) // 60
    days, hours = minutes // 1_440, minutes // 60 % 24
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    return f"{hours} h" if hours else f"{minutes} min"
