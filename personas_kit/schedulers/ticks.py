"""The times of day at which runs begin, so that every sync is run when it is due or shortly after it."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from cronsim import CronSim

from personas_kit.activation.cadence import Cron, zone_of
from personas_kit.schedulers.job import Need

DAY, HOUR = 1_440, 60
"""In minutes."""
PERIODS = tuple(
    minutes for minutes in range(1, DAY + 1) if HOUR % minutes == 0 or not (minutes % HOUR or DAY % minutes)
)
"""What a cron can repeat evenly: the divisors of an hour, and whole hours that divide a day."""
_YEAR = tuple(dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC) + dt.timedelta(days=day) for day in range(365))
"""Looked at for what lies between two timezones, summer and winter."""


@dataclass(frozen=True, slots=True)
class Ticks:
    """Every combination of these hours and minutes, every day.

    Attributes:
        zone: the name of the timezone that they are of.
    """

    hours: frozenset[int]
    minutes: frozenset[int]
    zone: str = "UTC"

    @property
    def cron(self) -> str:
        """The five fields."""
        return f"{_field(self.minutes, HOUR)} {_field(self.hours, DAY // HOUR)} * * *"

    @property
    def words(self) -> str:
        """For people: ``every 15 minutes, UTC``."""
        return Cron(self.cron, self.zone).words


def ticks_of(needs: Iterable[Need], zone: str = "UTC", *, apart: int = 1, later: int = 0) -> Ticks:
    """The fewest that are often enough: of intervals the greatest common divisor that a cron can say; and every cron.

    Days of crons are left out: on other days nothing is due, and nothing is done.

    Args:
        needs: the syncs. Without any cadence there is a run every hour.
        zone: what the scheduler's times are of.
        apart: the minutes that have to lie between two runs.
        later: minutes by which all runs are put off.
    """
    needs = list(needs)
    intervals = [need.interval for need in needs if need.interval]
    crons = [need.cadence.cron for need in needs if need.cadence.cron]
    wanted: set[int] = set()
    if intervals or not crons:
        wanted.update(range(0, DAY, _period(math.gcd(*intervals) if intervals else HOUR * 60)))
    for cron in crons:
        wanted |= _times(cron, zone)
    ticks = _combined(wanted, zone, later)
    if _nearest(ticks) < apart:
        ticks = _combined({-(-minute // apart) * apart for minute in wanted}, zone, later)
    return ticks


def deciding(needs: Iterable[Need], ticks: Ticks, *, apart: int = 1, later: int = 0) -> list[Need]:
    """Those of the syncs that would need every one of these runs by themselves."""
    return [need for need in needs if ticks_of([need], ticks.zone, apart=apart, later=later) == ticks]


def uneven(need: Need, ticks: Ticks, *, later: int = 0) -> bool:
    """Whether these runs do not come exactly when a sync is due: it is pushed at the next one after that."""
    if not need.interval:
        return False
    own = ticks_of([need], ticks.zone, later=later)
    return need.interval % 60 != 0 or not (own.hours <= ticks.hours and own.minutes <= ticks.minutes)


def _period(seconds: int) -> int:
    """The longest that divides a number of seconds, in minutes; the shortest there is if none does."""
    return max((each for each in PERIODS if seconds % (each * 60) == 0), default=1)


def _times(cron: Cron, zone: str) -> set[int]:
    """The minutes of the day, by the clock of a zone, at which a cron may come in the course of a year."""
    read = CronSim(cron.text, _YEAR[0])
    own, other = zone_of(cron.timezone), zone_of(zone)
    shifts = {_offset(moment, other) - _offset(moment, own) for moment in _YEAR}
    return {(hour * HOUR + minute + shift) % DAY for hour in read.hours for minute in read.minutes for shift in shifts}


def _offset(moment: dt.datetime, zone: dt.tzinfo) -> int:
    found = moment.astimezone(zone).utcoffset() or dt.timedelta(0)
    return int(found.total_seconds()) // 60


def _combined(wanted: AbstractSet[int], zone: str, later: int) -> Ticks:
    moved = {(minute + later) % DAY for minute in wanted}
    return Ticks(frozenset(m // HOUR for m in moved), frozenset(m % HOUR for m in moved), zone)


def _nearest(ticks: Ticks) -> int:
    """Minutes between the two runs that follow each other most closely."""
    times = sorted(hour * HOUR + minute for hour in ticks.hours for minute in ticks.minutes)
    return min(following - before for before, following in zip(times, [*times[1:], times[0] + DAY], strict=True))


def _field(values: AbstractSet[int], size: int) -> str:
    """As a cron writes it."""
    listed = sorted(values)
    step = size // len(listed)
    if listed != list(range(0, size, step)) or len(listed) == 1:
        return ",".join(map(str, listed))
    return "*" if step == 1 else f"*/{step}"
