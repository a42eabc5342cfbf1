"""What can be chosen in the builder: events, their properties, traits, audiences, and the values that are common.

Nothing is asked before a person gets to where it is offered; what was looked up is kept, by the catalogue. All of it is
bounded, and values are masked where a name or their looks say that they are personal: the notebook keeps what is shown.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

import polars as pl

from personas_kit.catalogue import Catalogue, Event, Trait, Values
from personas_kit.definitions import Definition
from personas_kit.definitions.streams import Reduced
from personas_kit.errors import UnknownName
from personas_kit.masking import HIDDEN
from personas_kit.notebook.builder.menus import type_of
from personas_kit.notebook.looking import Look, Lookups
from personas_kit.workspace import Workspace

MOST_NAMES = 200
MOST_VALUES = 50
LONGEST = 200
"""Characters of a value that is offered: a longer one is no choice, it is a text."""
#: How a computed trait is compared that is not a value of an event or a trait itself.
_NUMBERS = frozenset({"count", "sum", "avg", "unique_count", "share"})

Listed = list[dict[str, object]]


class Offers:
    """Looks up what can be chosen, each thing once, beside the kernel's own thread.

    ``shown`` is plain data: ``events``, ``traits``, ``accounts`` and ``audiences`` are lists; ``properties`` has a list
    by event, ``values`` one by what they are of (``about_name``); ``looking`` names what is being looked up.

    What would read much is not looked up, and is among the ``problems``, until a person wants it ``anyway``.

    Args:
        workspace: whose they are.
        show: called whenever there is more, from any thread.
    """

    def __init__(self, workspace: Workspace, show: Callable[[], None]) -> None:
        self._known = workspace
        self._lists: dict[str, Listed] = {}
        self._properties: dict[str, Listed] = {}
        self._values: dict[str, Listed] = {}
        self._lookups = Lookups(show)
        self._changing = threading.Lock()

    @property
    def shown(self) -> dict[str, object]:
        """Everything that is known by now."""
        looking = self._lookups.shown
        with self._changing:
            return {
                **{name: self._lists.get(name, []) for name in ("events", "traits", "accounts")},
                "audiences": _audiences(self._known.definitions),
                "properties": dict(self._properties),
                "values": dict(self._values),
                "looking": looking["asked"],
                "problems": looking["problems"],
            }

    def begin(self) -> None:
        """Look up the names of events and traits."""
        known = self._known
        looks: dict[str, Look] = {
            "events": lambda: self._list("events", _events(known.events)),
            "traits": lambda: self._list("traits", _traits(known.traits, known.definitions)),
        }
        if known.source.accounts is not None:
            looks["accounts"] = lambda: self._list("accounts", _traits(known.accounts, known.definitions))
        self._lookups.ask(looks)

    def properties_of(self, event: str) -> None:
        """Look up the properties of an event, unless they are known, or there is no such event."""
        if event and event not in self._properties:
            self._lookups.ask({f"properties {event}": lambda: self._found_properties(event)})

    def values_of(self, about: Mapping[str, str]) -> None:
        """Look up the values that a trait (``{"trait": ..., "of": ...}``) or a property of an event is of, likewise."""
        name = about_name(about)
        if name and name not in self._values:
            self._lookups.ask({f"values {name}": lambda: self._found_values(name, about)})

    def anyway(self, name: str) -> None:
        """Look up what was left out, whatever it reads; ``name`` is that of its problem."""
        self._lookups.anyway(name)

    def kind_of_trait(self, name: str, of: str) -> str:
        """How a trait is compared: ``string``, ``number``, ``boolean``, ``date``, ``list``; empty if nobody knows."""
        return _kind(self._lists.get("accounts" if of == "account" else "traits", []), name)

    def kind_of_property(self, event: str, name: str) -> str:
        """How a property is compared; as above."""
        return _kind(self._properties.get(event, []), name)

    def wait(self) -> None:
        """Until everything that was asked for is there."""
        self._lookups.wait()

    def stop(self) -> None:
        """Look up nothing more, and end what is running."""
        self._lookups.stop()

    # --- inside ------------------------------------------------------------------------------------------------------

    def _list(self, name: str, found: Listed) -> None:
        with self._changing:
            self._lists[name] = found

    def _found_properties(self, event: str) -> None:
        found = self._known.events[event].properties.head(MOST_NAMES).to_dicts() if event in self._known.events else []
        listed: Listed = [
            {
                "name": one["property"],
                "type": one["type"],
                "kind": _kind_of(one["type"]),
                "share": round(one["share"], 4),
            }
            for one in found
        ]
        with self._changing:
            self._properties[event] = listed

    def _found_values(self, name: str, about: Mapping[str, str]) -> None:
        try:
            found = _values(self._common(about).shown())
        except UnknownName:  # the rule itself says so, once it is counted
            found = []
        with self._changing:
            self._values[name] = found

    def _common(self, about: Mapping[str, str]) -> Values:
        if "trait" in about:
            traits = self._known.accounts if about.get("of") == "account" else self._known.traits
            return traits[about["trait"]].common
        return self._known.events[about["event"]][about["property"]].common


def about_name(about: Mapping[str, str]) -> str:
    """What values are of, as one text; empty where it is not said whole."""
    if about.get("trait"):
        return f"{about.get('of', 'subject')} trait {about['trait']}"
    if about.get("event") and about.get("property"):
        return f"{about['event']} property {about['property']}"
    return ""


def _kind_of(type_: str) -> str:
    """Of a document the values of one name may differ in type: then they are compared as texts."""
    return "string" if " or " in type_ else type_of(type_)


def _kind_of_trait(one: Trait, definitions: Mapping[str, Definition]) -> str:
    if one.type or one.name not in definitions:
        return _kind_of(one.type)
    meant = definitions[one.name].expression
    return "number" if isinstance(meant, Reduced) and meant.reducer in _NUMBERS else ""


def _kind(listed: Listed, name: str) -> str:
    return next((str(one["kind"]) for one in listed if one["name"] == name), "")


def _events(events: Catalogue[Event]) -> Listed:
    return [{"name": one.name, "lines": one.lines} for one in [*events.values()][:MOST_NAMES]]


def _traits(traits: Catalogue[Trait], definitions: Mapping[str, Definition]) -> Listed:
    return [
        {
            "name": one.name,
            "type": one.type or "computed",
            "kind": _kind_of_trait(one, definitions),
            "share": None if one.share is None else round(one.share, 4),
            "meaning": one.meaning[:LONGEST],
        }
        for one in [*traits.values()][:MOST_NAMES]
    ]


def _audiences(definitions: Mapping[str, Definition]) -> Listed:
    audiences = [one for one in definitions.values() if one.is_audience]
    return [{"name": one.key, "called": one.name, "subject": one.subject} for one in audiences[:MOST_NAMES]]


def _values(found: pl.DataFrame) -> Listed:
    """The values as they are typed; what is masked cannot be chosen, and what is long is none to choose."""
    listed: Listed = []
    for value, count in found.select("value", "count").head(MOST_VALUES).iter_rows():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if HIDDEN not in text and len(text) <= LONGEST:
            listed.append({"name": text, "lines": int(count)})
    return listed
