"""What the guards look at: each function is about one kind of accident, and says what it saw and what is normal.

Pure: what has been normal for the sync (``past``) and what its source looked like (``figures``) are values.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from personas_kit.activation.asking import FieldStage
from personas_kit.activation.cadence import NO_SCHEDULE, Cadence, spell
from personas_kit.activation.causes import AGAIN, EDITED, UPSTREAM, WITHDRAWN
from personas_kit.activation.due import Occasion
from personas_kit.activation.edits import edits
from personas_kit.activation.figures import Figures, TableFigures, read_figures
from personas_kit.activation.guards import Guard
from personas_kit.activation.past import NEVER, Past
from personas_kit.activation.state import SyncState
from personas_kit.activation.wanted import Wanted
from personas_kit.compiler.source import Schema
from personas_kit.destinations.base import Connection
from personas_kit.membership import KeyProblems
from personas_kit.membership.keys import LONGEST

REMOVALS_SHARE, REMOVALS_COUNT = 0.20, 100
TOTAL_SHARE, TOTAL_COUNT = 0.50, 1_000
SHRUNK_SHARE, SHRUNK_COUNT = 0.10, 100
UNSCHEDULED = dt.timedelta(days=2)
"""So old may the newest event be where a definition has no interval; else twice the interval."""


@dataclass(frozen=True, slots=True)
class Watched:
    """One sync's plan, before anybody decides.

    Attributes:
        state: what is known about the sync.
        known: what of that applies: nothing, where another account acknowledged it.
        lines: the changes, with their causes.
        fingerprint: of the definition now; ``meaning`` as for ``SyncPlan``.
        figures: what its source looks like.
        past: what has been normal.
    """

    connection: Connection
    wanted: Wanted
    state: SyncState
    known: SyncState
    lines: pl.DataFrame
    fingerprint: str
    meaning: str
    figures: Figures
    occasion: Occasion
    past: Past


def guards_of(of: Watched) -> list[Guard]:
    """Every guard that fires. By hand only the destination's minimum counts, on a schedule the sync's interval."""
    occasion, state, known = of.occasion, of.state, of.known
    before = read_figures(state.figures)
    guards = [*key_guards(of.wanted.problems), *_undecided(of.wanted), *_paused(state)]
    if known is not state:
        guards.append(_elsewhere(before, of.figures, sends=occasion.mode != "adopt"))
    if occasion.asked_for:
        return guards
    guards += _size(of)
    cadence = occasion.cadence if occasion.unattended else NO_SCHEDULE
    due = cadence.due(state.last_as_of, of.connection.destination.minimum_interval)
    guards += time_guards(as_of=occasion.as_of, last_as_of=state.last_as_of, due=due, early=cadence.early)
    if known.last_as_of is None:
        saw = f"a first push of {of.lines.height:,} changes that nobody has looked at"
        return [*guards, *([Guard("first_sync", saw)] if occasion.unattended else [])]
    edited = int(of.lines["cause"].is_in([EDITED, UPSTREAM]).sum())
    guards += edited_guards(known, of.fingerprint, of.meaning, changes=edited, unattended=occasion.unattended)
    guards += columns_guards(before, of.figures)
    guards += shrunk_guards(before, of.figures)
    guards += stale_guards(before, of.figures, occasion)
    return guards


def key_guards(problems: KeyProblems) -> list[Guard]:
    """Missing and repeated members cannot be told apart, so nothing may be computed from them; long ones are no ids."""
    guards = []
    if problems.nulls:
        guards.append(Guard("null_members", f"{problems.nulls:,} members have no id", final=True))
    if problems.duplicates:
        saw, shown = f"{problems.duplicates:,} ids occur more than once", ", ".join(problems.examples)
        guards.append(Guard("duplicate_members", f"{saw}, such as {shown}", final=True, kept=saw))
    if problems.long:
        saw = f"{problems.long:,} ids are longer than {LONGEST} characters: many destinations cut or refuse them"
        guards.append(Guard("long_members", saw))
    return guards


def size_guards(
    *, wanted: int, before: int, enter: int, leave: int, past: Past = NEVER, verbs: tuple[str, str] = ("leave", "left")
) -> list[Guard]:
    """Results that look like an accident. Not for a first sync.

    Two terms each, so that neither small lists nor slow growth trip them: removals over 20 % and over 100, changes
    over 50 % and over 1,000, of the members wanted at the last finished plan.

    Args:
        wanted: members now.
        before: members wanted at the last finished plan.
        enter: members that would enter.
        leave: members that would leave, but for those who have to whatever their number.
        past: what has been normal.
        verbs: what they would do, and did.
    """
    guards = []
    if not wanted and before:
        usual = past.least(past.fewest, "were wanted")
        guards.append(Guard("empty_result", _with(f"nobody is wanted, where {before:,} were before", usual)))
    if leave > REMOVALS_COUNT and leave > REMOVALS_SHARE * before:
        saw = f"{leave:,} of {before:,} would {verbs[0]} ({leave / max(before, 1):.0%})"
        usual = past.most(past.left, verbs[1]) or f"normal is at most {REMOVALS_SHARE:.0%}, or {REMOVALS_COUNT}"
        guards.append(Guard("removals", _with(saw, usual)))
    total = enter + leave
    if total > TOTAL_COUNT and total > TOTAL_SHARE * before:
        saw = f"{total:,} changes against {before:,} members ({total / max(before, 1):.0%})"
        usual = past.most(past.changed, "changed") or f"normal is at most {TOTAL_SHARE:.0%}, or {TOTAL_COUNT:,}"
        guards.append(Guard("total_change", _with(saw, usual)))
    return guards


def time_guards(
    *,
    as_of: dt.datetime,
    last_as_of: dt.datetime | None,
    due: dt.datetime | None,
    early: dt.timedelta = dt.timedelta(0),
) -> list[Guard]:
    """A plan about a past instant, and one that comes earlier than this before the destination wants it."""
    if last_as_of is not None and as_of < last_as_of:
        return [
            Guard("earlier_as_of", f"as of {as_of:%Y-%m-%d %H:%M}, but {last_as_of:%Y-%m-%d %H:%M} was pushed already")
        ]
    if due is not None and as_of + early < due:
        return [Guard("interval", f"this destination is due again at {due:%Y-%m-%d %H:%M} UTC")]
    return []


def edited_guards(state: SyncState, fingerprint: str, meaning: str, *, changes: int, unattended: bool) -> list[Guard]:
    """A definition that means something else than at the last finished plan.

    By hand it is only shown while nothing comes from it; on a schedule nobody would see it.
    """
    if not state.fingerprint or (state.fingerprint == fingerprint and not state.meaning):
        return []
    found = edits(state.meaning, meaning)  # the fingerprint is of what is asked: not of all that an exception refers to
    if not found:  # the same, counted in another way
        return []
    come = f"{changes:,} changes come from it" if changes else "no change comes from it now"
    saw = f"the definition was edited since it was pushed last, and {come}: {'; '.join(found)}"
    return [Guard("definition_edited", saw, stops=unattended or bool(changes))]


def columns_guards(before: Figures, now: Figures) -> list[Guard]:
    """Columns that are of another type, or gone."""
    changed = [
        f"{name}.{column} was {was}, and is {of.columns[column]}"
        for name, of in now.tables.items()
        for column, was in _of(before, name).columns.items()
        if column in of.columns and of.columns[column] != was
    ]
    return [Guard("columns_changed", "; ".join(changed))] if changed else []


def gone_columns(before: Figures, schema: Schema) -> list[str]:
    """What the last push has read and is not there any more, or of another type: why a definition does not compile."""
    found = []
    for name, of in before.tables.items():
        table = schema.get(name)
        types = {column.name: column.type for column in table.columns} if table is not None else {}
        if table is None:
            found.append(f"the table {name} is gone")
        for column, was in of.columns.items() if table is not None else ():
            if column not in types:
                found.append(f"{name}.{column}, which was {was}, is gone")
            elif types[column] != was:
                found.append(f"{name}.{column} was {was}, and is {types[column]}")
    return found


def shrunk_guards(before: Figures, now: Figures) -> list[Guard]:
    """A table that has lost a good part of its lines: half loaded, or loaded wrongly."""
    found = []
    for name, of in now.tables.items():
        was = _of(before, name).lines
        fewer = was - of.lines if was is not None and of.lines is not None else 0
        if was and fewer > SHRUNK_COUNT and fewer > SHRUNK_SHARE * was:
            found.append(f"{name} has {of.lines:,} lines, and had {was:,} at the last push ({fewer / was:.0%} fewer)")
    if found:
        usual = f"normal is at most {SHRUNK_SHARE:.0%}, or {SHRUNK_COUNT}, fewer"
        return [Guard("source_shrank", _with("; ".join(found), usual))]
    return [Guard("source_shrank", now.unseen, stops=False)] if now.unseen else []


def stale_guards(before: Figures, now: Figures, occasion: Occasion) -> list[Guard]:
    """Events that have not come for longer than they ever do: by hand it is said, on a schedule nothing is sent."""
    patience = patience_of(occasion.cadence)
    found = [
        said
        for name, of in now.tables.items()
        if of.events and (said := _stale(name, of, _of(before, name), occasion.as_of, patience))
    ]
    return [Guard("source_stale", "; ".join(found), stops=occasion.unattended)] if found else []


def patience_of(cadence: Cadence) -> dt.timedelta:
    """How old the newest event may be before anybody wonders, for a definition that is computed so often."""
    return dt.timedelta(seconds=2 * cadence.interval) if cadence else UNSCHEDULED


def _stale(name: str, of: TableFigures, before: TableFigures, as_of: dt.datetime, patience: dt.timedelta) -> str | None:
    """What is to be said of a table whose events do not come any more."""
    newest = of.newest or before.newest
    if newest is None or as_of - newest <= patience:
        return None
    age = f"the newest event of {name} is {spell(as_of - newest)} old ({newest:%Y-%m-%d %H:%M} UTC)"
    if of.newest is None:
        return f"{age}; at the last push there were newer ones"
    if of.pause is None or as_of - newest <= of.pause:
        return None
    return f"{age}; in the 30 days before, the longest pause was {spell(of.pause)}"


def field_guards(stage: FieldStage) -> list[Guard]:
    """A field that is not there, where no program can make it."""
    return [Guard("field_missing", stage.how, final=True)] if stage.stops else []


def _size(of: Watched) -> Iterator[Guard]:
    """The size guards; never on a first push, except that nobody may be emptied."""
    state, wanted, lines = of.known, of.wanted, of.lines.filter(pl.col("cause") != AGAIN)
    if wanted.valued:
        yield from _values_size(wanted, state, lines)
        return
    change = lines["change"].cast(pl.String)
    leave = int(((change == "exit") & (lines["cause"] != WITHDRAWN)).sum())
    enter, height = int((change == "enter").sum()), wanted.members.height + state.alike
    if state.last_as_of is None:
        yield from size_guards(wanted=height, before=state.size, enter=0, leave=0)
    else:
        yield from size_guards(wanted=height, before=state.members, enter=enter, leave=leave, past=of.past)


def _values_size(wanted: Wanted, state: SyncState, lines: pl.DataFrame) -> list[Guard]:
    """Values may all change from one day to the next; but they do not all go missing, or become nothing."""
    nothing = ["null", *([wanted.empty] if wanted.empty is not None else [])]
    says = ~pl.col("value").is_in(nothing) & pl.col("value").is_not_null()
    frames = (state.acknowledged, wanted.members)
    before, now = (int(frame.select(says.sum()).item()) + state.saying for frame in frames)
    lost = int(lines.select((pl.col("value").is_in(nothing) & (pl.col("cause") != WITHDRAWN)).sum()).item())
    verbs = ("lose their value", "lost it")
    return size_guards(wanted=now, before=before, enter=0, leave=lost, verbs=verbs)


def _undecided(wanted: Wanted) -> list[Guard]:
    if not wanted.undecided.height:
        return []
    shown = ", ".join(str(user) for user in wanted.undecided["user_id"].head(3))
    why = "belong to accounts whose" if "accounts" in wanted.undecided.columns else "share an identifier, and their"
    saw = f"{wanted.undecided.height:,} users {why} values differ"
    hint = 'say combine = "max", "min", "sum" or "list"'
    return [Guard("undecided_values", f"{saw}, such as {shown}: {hint}", final=True, kept=f"{saw}: {hint}")]


def _paused(state: SyncState) -> list[Guard]:
    return [Guard("paused", "a person paused this sync", final=True)] if state.paused else []


def _elsewhere(before: Figures, now: Figures, *, sends: bool) -> Guard:
    """Another account has what is acknowledged; or the same is reached in another way. What sends nothing may go on."""
    then = "everyone would be sent again" if sends else "the present members are noted as being there"
    if before.way and now.way and before.way != now.way:
        saw = f"this went by {before.way} until now, and would go by {now.way}; {then}"
        return Guard("way_changed", saw, stops=sends)
    return Guard("destination_changed", f"another account or list acknowledged this sync before; {then}", stops=sends)


def _of(figures: Figures, name: str) -> TableFigures:
    return figures.tables.get(name, TableFigures())


def _with(saw: str, usual: str) -> str:
    return f"{saw}; {usual}" if usual else saw
