"""What the explorer shows of a workspace, as plain data: lists of names, and what is known of one of them.

Nothing here asks the warehouse but ``look``; the rest is what somebody has looked up already. All of it is bounded, and
personal values are masked: the notebook keeps what is shown.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from personas_kit.activation.status import Status
from personas_kit.catalogue import Catalogue, Event, Property, Trait, Values
from personas_kit.compiler.source import TIMES
from personas_kit.config import Scheduled
from personas_kit.definitions import Definition
from personas_kit.errors import UnknownName
from personas_kit.masking import HIDDEN, visible
from personas_kit.notebook import html
from personas_kit.workspace import Workspace

Plain = dict[str, Any]

SECTIONS: Mapping[str, str] = {
    "events": "Events",
    "traits": "Traits",
    "accounts": "Accounts",
    "definitions": "Definitions",
    "syncs": "Syncs",
}
"""What there is to look at, and how it is called."""
MOST = 2_000
"""So many names of a section are listed at most."""


@dataclass
class Exploration:
    """A workspace, looked at.

    Attributes:
        status: how the syncs stand, once somebody has looked.
    """

    workspace: Workspace
    status: Status | None = None
    _looked: set[str] = field(default_factory=set)

    def look(self, section: str) -> None:
        """Look up the names of a section."""
        if section == "syncs":
            self.status = self.workspace.status()
        elif section == "accounts" and self.workspace.source.accounts is None:
            pass
        elif section != "definitions":
            len(self._catalogue(section))
        self._looked.add(section)

    def known(self, section: str) -> bool:
        """Whether the names of a section are known."""
        return section == "definitions" or section in self._looked or bool(self._cached(section))

    def entries(self, section: str) -> list[Plain]:
        """The names of a section as far as they are known, with a bar and a number each."""
        makes: dict[str, Callable[[], list[Plain]]] = {
            "events": lambda: _events(self._cached("events")),
            "traits": lambda: _traits(self._cached("traits")),
            "accounts": lambda: _traits(self._cached("accounts")),
            "definitions": lambda: [_definition(each) for each in self.workspace.definitions.values()],
            "syncs": lambda: [_sync(line) for line in self._syncs()],
        }
        return [{**each, "label": visible(each["name"])} for each in makes[section]()]

    def total(self, section: str) -> int:
        """How many names a section has, as far as they are known."""
        if section in {"definitions", "syncs"}:
            return len(self.entries(section))
        return len(self._cached(section))

    def detail(self, section: str, name: str, of: str = "") -> Plain:
        """What is known of one entry; ``of`` is the property of an event that is chosen.

        Raises:
            UnknownName: there is no such entry.
        """
        found = self._told(section, name, of)
        return {**found, "name": visible(found["name"])}

    def _told(self, section: str, name: str, of: str) -> Plain:
        match section:
            case "events":
                return _event_detail(self._entry(section, name), of)
            case "traits" | "accounts":
                return _trait_detail(self._entry(section, name), section)
            case "definitions":
                return self._definition_detail(name)
            case "syncs":
                return self._sync_detail(name)
            case _:
                raise UnknownName("section", section, SECTIONS)

    def questions(self, section: str, name: str, of: str = "") -> dict[str, Callable[[], object]]:
        """What to look up before an entry is known whole, by what it is called; empty if it is.

        Raises:
            UnknownName: there is no such entry.
        """
        if section in {"traits", "accounts"}:
            trait: Trait = self._entry(section, name)
            return {f"{section}: values of {name}": lambda: trait.common} if trait.cached is None else {}
        if section != "events":
            return {}
        event: Event = self._entry(section, name)
        found: dict[str, Callable[[], object]] = {}
        if not event.looked_at:
            found[f"events: properties of {name}"] = lambda: event.properties
        if event.cached_trend is None:
            found[f"events: days of {name}"] = lambda: event.trend
        if of and _property(event, of, known=False) is None:
            found[f"events: values of {of} of {name}"] = lambda: event[of].common
        return found

    # --- inside ------------------------------------------------------------------------------------------------------

    def _catalogue(self, section: str) -> Catalogue[Any]:
        catalogues: dict[str, Catalogue[Any]] = {
            "events": self.workspace.events,
            "traits": self.workspace.traits,
            "accounts": self.workspace.accounts,
        }
        if section not in catalogues:
            raise UnknownName("section", section, SECTIONS)
        return catalogues[section]

    def _cached(self, section: str) -> list[Any]:
        return [] if section == "syncs" else self._catalogue(section).cached

    def _entry(self, section: str, name: str) -> Any:  # noqa: ANN401  (an event or a trait)
        found = {each.name: each for each in self._cached(section)}
        if name not in found:
            raise UnknownName(self._catalogue(section).kind, name, found)
        return found[name]

    def _syncs(self) -> list[Plain]:
        return [] if self.status is None else self.status.frame.to_dicts()

    def _scheduled(self, key: str) -> Scheduled | None:
        return next((each for each in self.workspace.config.scheduled if each.definition.key == key), None)

    def _definition_detail(self, key: str) -> Plain:
        definitions = self.workspace.definitions
        if key not in definitions:
            raise UnknownName("audience or trait", key, definitions)
        of, scheduled = definitions[key], self._scheduled(key)
        to = [sync.destination for sync in scheduled.to] if scheduled else []
        return {
            "kind": _kind(of),
            "name": of.name,
            "facts": [["key", of.key], ["sent to", ", ".join(to) or "nowhere yet"]],
            "words": of.english(),
            "text": str(of.expression),
            "snippet": f"ws.preview({_quoted(of.key)})",
        }

    def _sync_detail(self, name: str) -> Plain:
        found = {_sync_name(line): line for line in self._syncs()}
        if name not in found:
            raise UnknownName("sync", name, found)
        line = found[name]
        numbers = [[name, f"{line[name]:,}"] for name in ("acknowledged", "unknown", "rejected")]
        run = f"{line['last_run']}, {html.shown(line['last_at'])}" if line["last_run"] else "never"
        further = {"last push": line["pushed_at"], "due": line["due"], "paused": line["paused"] or None}
        return {
            "kind": "sync",
            "name": f"{line['key']} → {line['destination']}",
            "facts": [
                ["call", " ".join(filter(None, (line["call"], line["place"])))],
                *numbers,
                ["last run", run],
                *([said, html.shown(value)] for said, value in further.items() if value is not None),
            ],
            "words": f"Waits for you: {line['waits']}." if line["waits"] else "",
            "snippet": f"plan = ws.plan({_quoted(line['key'])}, to={_quoted(line['destination'])})",
        }


# ------------------------------------------------------------------------------------------------------------ the lists


def _events(events: list[Event]) -> list[Plain]:
    most = max((each.lines for each in events), default=1)
    return [
        {
            "name": each.name,
            "bar": each.lines / most,
            "right": f"{each.lines:,}",
            "also": [one.name for one in each.cached],
        }
        for each in events[:MOST]
    ]


def _traits(traits: list[Trait]) -> list[Plain]:
    return [
        {
            "name": each.name,
            "note": each.type or "computed",
            **({} if each.share is None else {"bar": each.share, "right": f"{each.share:.0%}"}),
        }
        for each in traits[:MOST]
    ]


def _definition(of: Definition) -> Plain:
    return {"name": of.key, "note": _kind(of), "also": [of.name]}


def _kind(of: Definition) -> str:
    return of.kind.replace("_", " ")


def _sync(line: Plain) -> Plain:
    return {
        "name": _sync_name(line),
        "note": "waits for you" if line["waits"] else "",
        "right": f"{line['acknowledged']:,}",
    }


def _sync_name(line: Plain) -> str:
    place = f" {line['place']}" if line["place"] else ""
    return f"{line['key']} → {line['destination']} ({line['call']}{place})"


# ---------------------------------------------------------------------------------------------------------- one of them


def _event_detail(event: Event, of: str) -> Plain:
    chosen = _property(event, of) if of else None
    trend = event.cached_trend
    return {
        "kind": "event",
        "name": event.name,
        "facts": [["lines", f"{event.lines:,}"], ["first", html.shown(event.first)], ["last", html.shown(event.last)]],
        "trend": None if trend is None else [[f"{day:%Y-%m-%d}", lines] for day, lines in trend.rows()],
        "properties": [[one.name, one.type, one.filled, one.share] for one in event.cached[:MOST]]
        if event.looked_at
        else None,
        "chosen": of,
        "values": None if chosen is None or chosen.cached is None else _values(chosen.cached),
        "snippet": _event_snippet(event, chosen),
    }


def _trait_detail(trait: Trait, section: str) -> Plain:
    filled = [["filled", f"{trait.filled:,} ({trait.share:.0%})"]] if trait.share is not None else []
    return {
        "kind": "trait" if section == "traits" else "account trait",
        "name": trait.name,
        "facts": [["type", trait.type or "computed"], *filled],
        "text": trait.meaning,
        "values": None if trait.cached is None else _values(trait.cached),
        "snippet": _compared(f"{'trait' if section == 'traits' else 'account_trait'}({_quoted(trait.name)})", trait),
    }


def _values(values: Values) -> Plain:
    return {
        "lines": [[visible(html.shown(value)), count, share] for value, count, share in values.shown().rows()],
        "different": values.different,
        "spread": [[name, html.number(number)] for name, number in values.shown_spread.items()],
    }


def _property(event: Event, name: str, *, known: bool = True) -> Property | None:
    """A property of an event whose properties are known; with its values, unless ``known``."""
    found = next((each for each in event.cached if each.name == name), None)
    return found if known or (found is not None and found.cached is not None) else None


# ------------------------------------------------------------------------------------------------------------- snippets


def _event_snippet(event: Event, chosen: Property | None) -> str:
    where = "" if chosen is None else f".where({_compared(f'prop({_quoted(chosen.name)})', chosen)})"
    return f"event({_quoted(event.name)}){where}.within(days=30).count() >= 1"


def _compared(read: str, of: Property | Trait) -> str:
    """A condition that somebody may want: the usual value, more than the median, or that there is one."""
    found = of.cached
    if of.type in TIMES:
        return f"{read}.within_last(days=30)"
    if found is None or not found.frame.height:
        return f"{read}.exists()"
    median = found.shown_spread.get("median")
    if median is not None and math.isfinite(median):
        return f"{read} > {int(median) if median.is_integer() else median}"
    value = found.frame["value"][0]
    if isinstance(value, bool):
        return f"{read} == {value}"
    usual = found.shown()["value"][0]
    plain = isinstance(value, str) and HIDDEN not in str(usual) and found.frame["count"][0] > 1
    return f"{read} == {_quoted(value)}" if plain else f"{read}.exists()"


def _quoted(text: str) -> str:
    """A text as Python writes it, in the quotes that are usual here; characters that hide or turn text written out."""
    return json.dumps(text, ensure_ascii=visible(text) != text)
