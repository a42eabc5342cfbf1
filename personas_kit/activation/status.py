"""How every sync stands: what its destination has, how the last run went, what is due next, what waits for a person.

Pure: the tables of the state and what is configured become lines; no member is opened for it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from personas_kit.activation.cadence import NO_SCHEDULE, Cadence
from personas_kit.activation.delivery import RESUMABLE
from personas_kit.activation.guards import overridable
from personas_kit.activation.past import FINISHED, PUSHES
from personas_kit.activation.standing import Standing, UnderWay
from personas_kit.activation.sync import Sync
from personas_kit.display import Tabular

LATEST = PUSHES + 1
"""So many lines of the history of each sync are looked at."""
DROP, ENOUGH = 0.10, 20
"""A drop in what is accepted is worth a word from so many points on, where at least so many changes were tried."""

_UTC = pl.Datetime("us", "UTC")
COLUMNS: Mapping[str, pl.DataType] = {
    **dict.fromkeys(("key", "destination", "call", "place"), pl.String()),
    **dict.fromkeys(("acknowledged", "unknown", "accepted", "rejected", "held"), pl.Int64()),
    "last_run": pl.String(),
    "last_at": _UTC,
    **dict.fromkeys(("last_acknowledged", "last_rejected", "last_unknown", "last_unsent"), pl.Int64()),
    "as_of": _UTC,
    "pushed_at": _UTC,
    "due": _UTC,
    "often": pl.String(),
    "paused": pl.Boolean(),
    "waits": pl.String(),
}
"""The columns of the frame, in order."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A sync that is configured: how often it is computed, and how often its destination takes it (seconds)."""

    sync: Sync
    cadence: Cadence = NO_SCHEDULE
    minimum: int = 0


@dataclass(frozen=True, slots=True)
class Registered:
    """What there is: the keys of definitions, the names of destinations, and the syncs of the file."""

    keys: frozenset[str]
    destinations: frozenset[str]
    expected: Sequence[Expected] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that a person should see to.

    Attributes:
        what: in a word or two.
        said: in a sentence.
        how: what to write in Python; ``command`` on the command line; both are empty where there is nothing to do.
    """

    sync: Sync
    what: str
    said: str
    how: str = ""
    command: str = ""

    def to_dict(self) -> dict[str, str]:
        """As plain data."""
        about = self.sync
        named = {"key": about.key, "destination": about.destination, "call": about.call, "place": about.place}
        return {**named, "what": self.what, "said": self.said, "how": self.how, "command": self.command}


@dataclass(frozen=True, slots=True, repr=False)
class Status(Tabular):
    """Every sync there is or has ever been.

    Attributes:
        frame: a line for each, with ``COLUMNS``.
        waiting: what a person should see to.
    """

    now: dt.datetime
    frame: pl.DataFrame
    waiting: tuple[Waiting, ...]

    def to_polars(self) -> pl.DataFrame:
        """A line for each sync."""
        return self.frame

    def to_dict(self) -> dict[str, object]:
        """As plain data, the way ``personas status --json`` prints it."""
        return {"syncs": self.frame.to_dicts(), "waiting": [each.to_dict() for each in self.waiting]}

    @property
    def asks(self) -> list[tuple[str, Waiting]]:
        """What a person should see to, with what it is about: the calls of one push that wait alike are one."""
        together: dict[tuple[str, str, str, str], list[Waiting]] = {}
        for each in self.waiting:
            together.setdefault((each.sync.key, each.sync.destination, each.what, each.said), []).append(each)
        return [
            (f"{key} -> {destination} ({', '.join(dict.fromkeys(each.sync.call for each in alike))})", alike[0])
            for (key, destination, _, _), alike in together.items()
        ]

    @property
    def next(self) -> str:
        """What is due next, for people; empty if nothing is scheduled."""
        due = self.frame.filter(pl.col("due").is_not_null()).sort("due")
        if not due.height:
            return ""
        first = due.row(0, named=True)
        when = "now" if first["due"] <= self.now else f"at {first['due']:%Y-%m-%d %H:%M} UTC"
        return f"{first['key']} -> {first['destination']} is due {when} ({first['often']})"

    def __repr__(self) -> str:
        """One line with the same numbers as the card."""
        if not self.frame.height:
            return "no syncs yet: say where a definition goes with to = [...], or ws.plan(..., to=...)"
        waits = self.frame.filter(pl.col("waits") != "").height
        parts = [
            f"{self.frame.height:,} sync{'' if self.frame.height == 1 else 's'}",
            f"{self.frame['acknowledged'].sum():,} acknowledged",
            *([f"{waits:,} wait{'s' if waits == 1 else ''} for a person"] if waits else []),
            *([self.next] if self.next else []),
        ]
        return ", ".join(parts)


def status_of(
    registered: Registered,
    standings: Sequence[Standing],
    latest: Mapping[str, Sequence[Mapping[str, Any]]],
    now: dt.datetime,
) -> Status:
    """How every sync stands.

    Args:
        registered: what there is.
        standings: of every sync that there has ever been.
        latest: the last lines of the history by the id of the sync, newest first.
        now: for what is too old to go on.
    """
    expected = {each.sync: each for each in registered.expected}
    known = {each.sync: each for each in standings}
    lines, waiting = [], list[Waiting]()
    for sync in sorted({*expected, *known}, key=lambda of: (of.key, of.destination, of.call, of.place)):
        looked = _Looked(
            known.get(sync, Standing(sync)),
            expected.get(sync),
            [run for run in latest.get(sync.id, ()) if run["state"] != "planned"],
            registered,
            now,
        )
        own = [*looked.waiting()]
        waiting += own
        lines.append({**looked.line(), "waits": "; ".join(f"{each.what}: {each.said}" for each in own)})
    return Status(now, pl.DataFrame(lines, schema=dict(COLUMNS)), tuple(waiting))


@dataclass(frozen=True, slots=True)
class _Looked:
    """One sync, with everything that says how it stands."""

    standing: Standing
    expected: Expected | None
    runs: Sequence[Mapping[str, Any]]
    registered: Registered
    now: dt.datetime

    def line(self) -> dict[str, object]:
        of, last = self.standing, self.runs[0] if self.runs else None
        finished = next((run for run in self.runs if run["state"] in FINISHED), None)
        counts = ("acknowledged", "rejected", "unknown", "unsent")
        return {
            "key": of.sync.key,
            "destination": of.sync.destination,
            "call": of.sync.call,
            "place": of.sync.place,
            "acknowledged": of.acknowledged,
            "unknown": of.unknown,
            "accepted": of.accepted,
            "rejected": of.rejected,
            "held": finished["held"] if finished else 0,
            "last_run": last["state"] if last else None,
            "last_at": last["finished_at"] if last else None,
            **{f"last_{name}": last[name] if last else None for name in counts},
            "as_of": of.last_as_of,
            "pushed_at": of.last_push,
            "due": self._due(),
            "often": self.expected.cadence.words(self.expected.minimum) if self.expected is not None else "",
            "paused": of.paused,
        }

    def waiting(self) -> Iterator[Waiting]:
        """What a person should see to, the most urgent first."""
        of, sync = self.standing, self.standing.sync
        if of.paused:
            yield self._say(
                "paused", "a person paused it",
                f"ws.resume({sync.key!r}, to={sync.destination!r})",
                f"personas resume {sync.key} --to {sync.destination}",
            )  # fmt: skip
        if sync.key not in self.registered.keys:
            said = f"no definition has this key any more; {of.acknowledged:,} members stay at the destination"
            yield self._say("no definition", said, f"ws.remove({sync.key!r}).push()", f"personas remove {sync.key}")
        elif sync.destination not in self.registered.destinations:
            yield self._say("no destination", f"personas.toml has no destination {sync.destination!r} any more")
        if of.under_way is not None:
            yield self._under_way(of.under_way)
        yield from self._last_run()
        if of.accepted_since is not None:
            said = f"{of.accepted:,} changes were accepted since {_at(of.accepted_since)}, and not acknowledged yet"
            yield self._say("accepted", f"{said}: the next plan asks again")
        yield from self._drop()

    def _last_run(self) -> Iterator[Waiting]:
        last = self.runs[0] if self.runs else None
        if last is None:
            if self.standing.last_as_of is None and self.standing.under_way is None and self.expected is not None:
                yield self._push("first push", "it was never pushed: a schedule leaves that to a person")
        elif last["state"] == "blocked":
            saw = "; ".join(last["guards"].values()) or last["why"]
            names = [*last["guards"]] if overridable(last) else []
            yield self._push("blocked", f"stopped at {_at(last['finished_at'])}: {saw}", names)
        elif last["state"] == "failed":
            yield self._say("failed", f"at {_at(last['finished_at'])}: {last['why']}")

    def _under_way(self, plan: UnderWay) -> Waiting:
        sync, until = self.standing.sync, plan.made_at + RESUMABLE
        left = f"{plan.lines - plan.sent:,} of {plan.lines:,} changes were not sent"
        if plan.stopped and self.now <= until:
            return self._say(
                "stopped", f"{left}; the plan may go on until {_at(until)}",
                f"ws.unfinished({sync.key!r}, to={sync.destination!r}).push()",
                f"personas push {sync.key} --to {sync.destination} --unfinished",
            )  # fmt: skip
        if plan.stopped:
            return self._push("stopped", f"{left}, and the plan of {_at(plan.made_at)} is too old to go on")
        said = f"a push of {_at(plan.made_at)} is under way, or its process died ({left}); the next push settles it"
        return self._say("under way", said)

    def _drop(self) -> Iterator[Waiting]:
        """That a destination accepts less than it did."""
        tried = [run for run in self.runs if run["state"] in FINISHED and run["acknowledged"] + run["rejected"]]
        if len(tried) < 2 or tried[0]["acknowledged"] + tried[0]["rejected"] < ENOUGH:  # noqa: PLR2004
            return
        share, usual = _share(tried[:1]), _share(tried[1:])
        if usual - share > DROP:
            reasons = ", ".join(f"{count:,} {reason}" for reason, count in tried[0]["reasons"].items())
            yield self._say("accepts less", f"{share:.0%} of the last push, {usual:.0%} before ({reasons})")

    def _due(self) -> dt.datetime | None:
        """When it goes next; None where nobody has said how often, nor the destination."""
        of = self.expected
        if of is None or self.standing.paused or not (of.cadence or of.minimum):
            return None
        return of.cadence.due(self.standing.last_as_of, of.minimum)

    def _push(self, what: str, said: str, override: Sequence[str] = ()) -> Waiting:
        sync, names = self.standing.sync, sorted(override)
        how = f"ws.plan({sync.key!r}, to={sync.destination!r}).push({f'override={names!r}' if names else ''})"
        command = f"personas push {sync.key} --to {sync.destination}"
        return self._say(what, said, how, f"{command} --override {','.join(names)}" if names else command)

    def _say(self, what: str, said: str, how: str = "", command: str = "") -> Waiting:
        return Waiting(self.standing.sync, what, said, how, command)


def _share(runs: Sequence[Mapping[str, Any]]) -> float:
    acknowledged = sum(run["acknowledged"] for run in runs)
    return float(acknowledged / (acknowledged + sum(run["rejected"] for run in runs)))


def _at(when: dt.datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC"
