"""Holds what every vendor has against the state, and both against the company: each hour, and when all is quiet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

import polars as pl

from personas_kit.activation.report import Report
from personas_kit.activation.runs import RunReport
from personas_kit.activation.state import SyncState
from personas_kit.activation.sync import Sync
from personas_kit.workspace import Workspace
from tests.soak.company import Company
from tests.soak.definitions import EARLY, MINIMUM, ByHand, Held, Meant
from tests.soak.reasons import Reasons, Stopped
from tests.soak.replaying import Replayed, unexplained
from tests.soak.seen import Where, acknowledged, place_of, plain, same, unknown_of
from tests.soak.seen import said as said_of
from tests.soak.vendors import Place, Said, Vendor


class Books:
    """All accounts of the story.

    Attributes:
        found: what was wrong.
        tick: the instant that the present run is for.
    """

    def __init__(self, company: Company, vendors: Mapping[str, Vendor]) -> None:
        self.company, self.vendors, self.found = company, vendors, list[str]()
        self.tick, self.by_hand = dt.datetime.min.replace(tzinfo=dt.UTC), False
        self._again = False
        self._meant: dict[str, Meant] = {}
        self._wanted: dict[tuple[str, str, str], dict[dt.datetime, Held]] = {}
        self._looked = dict.fromkeys(vendors, 0)
        self._last: dict[tuple[str, Place, str], Said] = {}
        self._finished: dict[tuple[str, str, str], dt.datetime | None] = {}
        self._deaths: list[dt.datetime] = []
        self._sent: set[tuple[str, str, str, object]] = set()
        self._stopped: list[Stopped] = []
        self._wrong: list[str] = []
        self._audiences: set[str] = set()
        self._keys: dict[Where, str] = {}

    # --- what happens ------------------------------------------------------------------------------------------------

    def begun(self, meant: Mapping[str, Meant], tick: dt.datetime, *, by_hand: bool) -> None:
        """A run begins: what was said before is looked at, and what should be at every place is worked out."""
        self._arrived()
        self._again = not by_hand and tick <= self.tick  # the clock is wrong: an instant that was pushed is not due
        self._meant, self.tick, self.by_hand = dict(meant), tick, by_hand
        self._audiences |= {one.key for one in meant.values() if one.kind.endswith("audience")}
        counted = ByHand(self.company, meant, tick)
        for one in meant.values():
            for destination, calls, place in one.to:
                for call in calls:
                    where = (destination, call, place if call == "list" else one.key)
                    self._keys[where] = one.key
                    held = self._wanted.setdefault((one.key, destination, call), {})
                    if self._finished.get(where) == tick:  # the clock was set back: it was pushed the first time
                        continue
                    now = counted.held(one.key, destination, call)
                    last = next(reversed(held.values()), None) if held else None
                    held[tick] = last if last == now else now

    def died(self, run: int) -> None:
        """Whatever was answered in this run, nobody may know."""
        self._deaths.append(self.tick)
        for vendor in self.vendors.values():
            for said in reversed(vendor.said):
                if said.run != run:
                    break
                said.outcome = "unclear"

    def ran(self, report: RunReport) -> None:
        """A run has ended: what was said in it stood in its plans."""
        pushed = [line.report for line in report.lines if line.report is not None]
        self._planned(*pushed)
        self._stopped += [(line.key, line.destination, line.did, report.as_of) for line in report.lines
                          if line.did in {"blocked", "failed"}]  # fmt: skip

    def pushed(self, report: Report) -> None:
        """Somebody has pushed."""
        self._planned(report)

    def _planned(self, *reports: Report) -> None:
        for report in reports:
            frame = report.changes.filter(pl.col("outcome") != "unsent")
            columns = frame.select("destination", "call", pl.col("member").cast(pl.String), "value").iter_rows()
            self._sent.update((name, call, plain(member), said_of(value)) for name, call, member, value in columns)

    def at_place(self, key: str) -> Iterator[bool]:
        """Whether anybody of a definition is anywhere."""
        for vendor in self.vendors.values():
            for (_, about), there in vendor.holds.items():
                if about == key:
                    yield bool(there)

    # --- each hour ---------------------------------------------------------------------------------------------------

    def look(self, ws: Workspace) -> list[str]:
        """What is wrong at this moment."""
        states = dict(ws.store.syncs())
        self._arrived()
        wrong, self._wrong = self._wrong, []
        wrong += [f"{name}: {message} came with two contents" for name, vendor in self.vendors.items()
                  for message in vendor.conflicts]  # fmt: skip
        for sync, state in states.items():
            wrong += self._as_the_state_says(sync, state)
            self._finished[place_of(sync)] = state.last_as_of
        wrong += self._explained(ws, states)
        return wrong

    def _explained(self, ws: Workspace, states: Mapping[Sync, SyncState]) -> Iterator[str]:
        """Whoever is not as the company says has a reason that somebody can read."""
        reasons = Reasons(ws, self.tick)
        yield from reasons.missing(self._stopped)
        self._stopped.clear()
        for sync, state in states.items():
            if sync.key not in self._meant:
                yield from reasons.gone(sync, state)
            elif not self.by_hand and not self._again and self.tick not in self._deaths:  # it is known that it died
                held = self._wanted[sync.key, sync.destination, sync.call]
                yield from reasons.of(sync, state, held, self._meant[sync.key])

    def _as_the_state_says(self, sync: Sync, state: SyncState) -> Iterator[str]:
        """Who is not unknown is there as the state says."""
        believed, unknown, there = acknowledged(state), unknown_of(state), self._there(sync)
        for member in sorted(believed.keys() | there.keys()):
            if believed.get(member) == there.get(member) or member in unknown:
                continue
            if sync.call == "track" and self._merged(member):
                continue  # nobody has entered or left: it is noted, and not sent
            yield f"{sync}: {member} is {believed.get(member)} by the state, {there.get(member)} there"

    def _arrived(self) -> None:
        """What was said in the last run: wanted, planned, due, and not twice."""
        died = self.tick in self._deaths
        for name, vendor in self.vendors.items():
            for said in vendor.said[self._looked[name] :]:
                self._wrong += self._twice(name, said)
                key = self._keys.get((name, *said.place), "")
                if key in self._meant:
                    self._wrong += self._wanted_now((key, name, said.place[0]), said)
                    self._wrong += self._due((key, name, said.place[0]), said)
                elif said.value:
                    self._wrong.append(f"{name}: {said} is in no definition")
                if not died and (name, said.place[0], said.member, said.value or None) not in self._sent:
                    self._wrong.append(f"{name}: {said} was in no plan")
            self._looked[name] = len(vendor.said)
        self._sent.clear()

    def _wanted_now(self, which: tuple[str, str, str], said: Said) -> Iterator[str]:
        """Whoever is told something is told what the company says."""
        wanted = self._wanted[which][self.tick].get(said.member)
        if not same(wanted, said.value):
            yield f"{which}: {said.member} was told {said.value}, and should be {wanted}"

    def _due(self, which: tuple[str, str, str], said: Said) -> Iterator[str]:
        """Nothing is said before its time, but that somebody leaves who may not be there."""
        key, destination, _ = which
        last, one = self._finished.get((destination, *said.place)), self._meant[key]
        seconds = MINIMUM.get(destination, 0) if self.by_hand else one.interval(destination) - EARLY
        if last is None or self.tick >= last + dt.timedelta(seconds=seconds) or (one.more and not said.value):
            return
        yield f"{which}: {said.member} was told {said.value} at {self.tick}, {seconds} s after {last} it may be"

    def _twice(self, name: str, said: Said) -> Iterator[str]:
        """Nothing is said again that was heard, and what may have been heard is said by the same id."""
        which = (name, said.place, said.member)
        last, self._last[which] = self._last.get(which), said
        if last is None or last.value != said.value or "refused" in (last.outcome, said.outcome):
            return
        if said.place[0] == "track" and self._merged(said.member):
            return  # between the two it may have been noted, and not sent, that this user is somebody else, too
        if last.outcome == "done":
            yield f"{name}: {said.member} was told {said.value} in hour {last.hour}, and again in hour {said.hour}"
        elif last.message != said.message and not self._otherwise(which, last, said):
            yield f"{name}: {said.member} was told {said.value} as {last.message}, and again as {said.message}"

    def _otherwise(self, which: tuple[str, Place, str], last: Said, now: Said) -> bool:
        """Whether something else was wanted in between."""
        name, (call, about), member = which
        held = self._wanted.get((self._keys.get((name, call, about), about), name, call), {})
        between = [there for tick, there in held.items() if last.tick < tick < now.tick]
        return any(not same(there.get(member), now.value) for there in between)

    # --- in the end --------------------------------------------------------------------------------------------------

    def open_ends(self, ws: Workspace, meant: Mapping[str, Meant], since: dt.datetime) -> list[str]:
        """What is not as the company says it was when it was pushed last, or has not been pushed since."""
        open_ = []
        states = dict(ws.store.syncs())
        for sync, state in states.items():
            there = self._there(sync)
            if sync.key not in meant:
                open_ += [f"{sync}: {len(there)} are there"] if there else []
                continue
            if state.last_as_of is None or state.last_as_of < since:
                open_.append(f"{sync}: not pushed since {state.last_as_of}")
                continue
            wanted = self._wanted[sync.key, sync.destination, sync.call].get(state.last_as_of, {})
            off = {who for who in wanted.keys() | there.keys() if not same(wanted.get(who), there.get(who))}
            if sync.call == "track":
                off = {who for who in off if not self._merged(who)}
            if off or state.unknown.height or state.rejects.height:
                open_.append(f"{sync}: {len(off)} differ ({sorted(off)[:3]}), {state.unknown.height} are unknown, "
                             f"{state.rejects.height} refused")  # fmt: skip
        pushed = {(sync.key, sync.destination, sync.call) for sync in states}
        open_ += [f"{each}: never pushed" for each in self._wanted if each not in pushed and each[0] in meant]
        return open_

    def history_adds_up(self, ws: Workspace) -> Iterator[str]:
        """What is wrong about the history, and with what it leads to."""
        syncs = {(sync.key, sync.destination, sync.call): sync for sync, _ in ws.store.syncs()}
        replayed = {which: Replayed(self._deaths) for which in syncs if which[0] in self._audiences}
        for line in ws.history(100_000).reverse().iter_rows(named=True):
            which = (line["key"], line["destination"], line["call"])
            yield from (f"{which}: {each}" for each in unexplained(line))
            if which in replayed:
                yield from (f"{which}: {each}" for each in replayed[which].add(line))
        for which, found in replayed.items():
            there = len(self._there(syncs[which]))
            if found.size not in {None, there} and which[2] != "track":
                yield f"{which}: {there} are there, {found.size} by the history"

    # --- inside ------------------------------------------------------------------------------------------------------

    def _merged(self, member: str) -> bool:
        return member in self.company.merged or member in self.company.merged.values()

    def _there(self, sync: Sync) -> Held:
        name, call, about = place_of(sync)
        return self.vendors[name].holds.get((call, about), {})
