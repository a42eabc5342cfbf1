"""PURE: every destination by name, also those without a module: what it takes, how a user is known, and the way to it.

The rows stand in ``catalogue.csv``, a line for each destination and kind. Two destinations are there twice, as a target
of track calls and as a list. The calls of an event row are those that Segment sends to it.

What is odd: a name that Segment still lists need not be alive, so ``status`` says what is known. The keys of
RudderStack are matched letter by letter, and its audience destinations take its own list calls only. ``confirmed`` is
False where a fact of the row was found in no document of the vendor and in no implementation.

Source: the catalogue of https://github.com/segmentio/segment-docs for the keys and calls of Segment, and the display
names of https://github.com/rudderlabs/rudder-integrations-config for the keys of RudderStack (read 2026-11-26); for
what each takes, https://www.twilio.com/docs/segment/connections/destinations/catalog/ (read 2026-11-27).
"""

import csv
import io
import pkgutil
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from personas_kit.destinations.fields import CALLS
from personas_kit.errors import UnknownName

NATIVE, GATEWAY, GONE = "native", "gateway", "not any more"
_SCHEMA = pl.Schema(
    {
        **dict.fromkeys(
            ("slug", "name", "today", "status", "calls", "kind", "way", "needs", "fields_first"), pl.String
        ),
        "minimum_interval": pl.Int64,
        **dict.fromkeys(("limits", "segment", "rudderstack"), pl.String),
        "confirmed": pl.Boolean,
        **dict.fromkeys(("why", "instead"), pl.String),
    }
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One destination of the catalogue.

    Attributes:
        today: its name today, where it was renamed.
        status: live, renamed, retired or unknown.
        kind: event or list.
        calls: of identify, track, group and list.
        needs: how a user is known there.
        fields_first: yes, no or unknown: a field has to exist before a value is sent.
        minimum_interval: seconds between two pushes of a list.
        segment: its keys in the ``integrations`` of a message to Segment, the one to use first.
        rudderstack: the same for RudderStack; empty if it has no such destination that a server reaches.
        module: the slug of the module that pushes to it, where there is one.
        why: why it cannot be reached any more; ``instead``: what to use, a slug or words.
        confirmed: the facts were found with the vendor or in an implementation.
    """

    slug: str
    name: str
    today: str
    status: str
    kind: str
    calls: tuple[str, ...]
    needs: str
    fields_first: str
    minimum_interval: int
    limits: str
    segment: tuple[str, ...]
    rudderstack: str
    module: str
    why: str
    instead: str
    confirmed: bool

    def way(self, native: Collection[str]) -> str:
        """``native`` if one of these modules pushes to it, else ``gateway`` or ``not any more``."""
        if self.module in native:
            return NATIVE
        return GONE if self.status == "retired" else GATEWAY

    def keys(self, gateway: str) -> tuple[str, ...]:
        """Its keys in the ``integrations`` of a message to ``segment`` or ``rudderstack``, the one to use first."""
        return {"segment": self.segment, "rudderstack": tuple(filter(None, [self.rudderstack]))}[gateway]

    @property
    def required_ids(self) -> tuple[str, ...]:
        """The identifiers without which nobody is known there: none where the user's id, or another one, is enough."""
        if "user id" in self.needs or "external id" in self.needs:
            return ()
        first, several = self.needs.split(" ")[0].strip(","), " and " in self.needs
        return tuple(kind for kind in ("email", "phone") if kind == first or (several and kind in self.needs))

    @property
    def names(self) -> tuple[str, ...]:
        """The one that Segment gave it, and that of today if it is another."""
        return tuple(filter(None, (self.name, self.today)))

    @property
    def gateways(self) -> tuple[str, ...]:
        """The gateways that bring it a call; none where it takes none of a server."""
        known = (("Segment", self.segment), ("RudderStack", self.rudderstack))
        return tuple(name for name, key in known if key and self.calls)


def _entry(row: dict[str, str]) -> Entry:
    native, confirmed = row.pop("native"), row.pop("confirmed")
    return Entry(
        calls=tuple(row.pop("calls").split()),
        segment=tuple(filter(None, row.pop("segment").split("|"))),
        minimum_interval=int(row.pop("minimum_interval")),
        module=native or row["slug"],
        confirmed=confirmed == "yes",
        **row,
    )


def _read() -> Iterator[Entry]:
    text = pkgutil.get_data("personas_kit.destinations", "catalogue.csv") or b""
    yield from map(_entry, csv.DictReader(io.StringIO(text.decode())))


#: Every row, by slug and kind.
ENTRIES: tuple[Entry, ...] = tuple(_read())
#: Every destination by its slug; the list where there is a list and an event destination, for it comes second.
CATALOGUE: Mapping[str, Entry] = {entry.slug: entry for entry in ENTRIES}


def _plain(name: str) -> str:
    """A name as Segment writes it into an address: ``Optimizely Full Stack`` is ``optimizely-full-stack``."""
    return "-".join(re.findall(r"[a-z0-9]+", name.casefold()))


_KEYS = {_plain(key): entry.slug for entry in ENTRIES for key in (*entry.segment, entry.today) if key}
_NAMES = {_plain(name): entry.slug for entry in ENTRIES for name in (entry.slug, entry.module, entry.name)}
_SLUGS: Mapping[str, str] = {**_KEYS, **_NAMES}


def find_entry(name: str) -> Entry:
    """The destination by its slug, the slug of its module, its name, its name today, or a key of Segment.

    Neither case counts nor what stands between the words. Of a list and an event destination, the list is meant.

    Raises:
        UnknownName: there is none; with the nearest.
    """
    slug = _SLUGS.get(_plain(name))
    if slug is None:
        raise UnknownName("destination", name, {*CATALOGUE, *(found for each in ENTRIES for found in each.names)})
    return CATALOGUE[slug]


def entry_of_key(key: str, gateway: str) -> Entry | None:
    """The event destination with this very key at a gateway; None if the catalogue knows none."""
    return next((entry for entry in ENTRIES if entry.kind == "event" and key in entry.keys(gateway)), None)


def entry_of_module(slug: str) -> Entry | None:
    """The destination that the module of this slug pushes to; None if the catalogue knows none."""
    return next((entry for entry in ENTRIES if entry.module == slug), None)


Native = Mapping[str, Collection[str]]
"""The modules that there are, by slug, with the calls that each takes."""


def frame(native: Native) -> pl.DataFrame:
    """The catalogue as a table."""
    return pl.DataFrame([_line(entry, native) for entry in ENTRIES], schema=_SCHEMA)


def _line(entry: Entry, native: Native) -> dict[str, object]:
    made = {"calls": _calls(entry, native), "way": entry.way(native), "segment": "|".join(entry.segment)}
    return {name: made[name] if name in made else getattr(entry, name) for name in _SCHEMA}


# --------------------------------------------------------------------------------------------------------------- page

_PAGE = """# Destinations

The {rows} destinations that the kit knows by name, and the way to each. {twice} of them stand here twice, for events
and as a list; {lists} take lists; {retired} exist no more. This page is made from
`personas_kit/destinations/catalogue.csv`: `pytest tests/destinations/test_catalogue.py --update-golden` writes it anew.

- **native**: a module of the kit pushes to the vendor itself. There are {native} of these; beside the catalogue
  there are {beside}.
- **Segment, RudderStack**: a gateway brings it there. It has to be set up there for calls of a server ("cloud mode"),
  and the audience destinations of RudderStack take lists from RudderStack only, not the calls of the kit.
- *Calls* are what the kit's module takes, or else what Segment sends there; `list` adds and removes members of a list.
  Without `identify` no computed trait gets there, and an audience only as track calls.
- *Field first*: a field has to exist there before a value is sent.
- *Not confirmed*: a fact of the line was found in no document of the vendor and in no implementation. Try it first.

## Live and renamed

{live}

## Unknown

Segment lists or listed these, and no sign was found that they are alive or gone.

{unknown}

## Not any more

{gone}
"""


def _calls(entry: Entry, native: Native) -> str:
    """What it takes: by the module, where there is one."""
    taken = native.get(entry.module, entry.calls)
    return " ".join(call for call in CALLS if call in taken)


def markdown(native: Native) -> str:
    """``docs/destinations.md``."""
    gone = [entry for entry in ENTRIES if entry.way(native) == GONE]
    unknown = [entry for entry in ENTRIES if entry.status == "unknown"]
    live = [entry for entry in ENTRIES if entry not in gone and entry not in unknown]
    head = ("name", "calls", "way", "a user is known by", "field first", "notes")
    return _PAGE.format(
        rows=len(ENTRIES),
        lists=sum("list" in _calls(entry, native) for entry in ENTRIES),
        twice=len(ENTRIES) - len(CATALOGUE),
        retired=len(gone),
        beside=", ".join(f"`{slug}`" for slug in sorted(native.keys() - {entry.module for entry in ENTRIES})),
        native=sum(entry.way(native) == NATIVE for entry in ENTRIES),
        live=_table(head, [_row(entry, native) for entry in live]),
        unknown=_table(head, [_row(entry, native) for entry in unknown]),
        gone=_table(
            ("name", "why", "instead"),
            [(_title(entry), f"{entry.why}{_doubt(entry)}", _instead(entry)) for entry in gone],
        ),
    )


def _table(head: Collection[str], rows: Collection[Collection[str]]) -> str:
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join(f"| {' | '.join(cells)} |".replace("|  |", "| |") for cells in lines)


def _title(entry: Entry) -> str:
    return f"{entry.name}{f', today {entry.today}' if entry.today else ''} (`{entry.slug}`)"


def _row(entry: Entry, native: Native) -> tuple[str, ...]:
    way = f"native: `{entry.module}`" if entry.way(native) == NATIVE else ", ".join(entry.gateways) or "none"
    return _title(entry), _calls(entry, native), way, entry.needs, entry.fields_first, _notes(entry)


def _notes(entry: Entry) -> str:
    said = (
        entry.limits,
        f"at most every {entry.minimum_interval // 3_600} h" if entry.minimum_interval else "",
        f"instead: {_instead(entry)}" if entry.instead else "",
        "" if entry.confirmed else "not confirmed",
    )
    return "; ".join(filter(None, said))


def _doubt(entry: Entry) -> str:
    return "" if entry.confirmed else " Not confirmed."


def _instead(entry: Entry) -> str:
    return f"`{entry.instead}`" if entry.instead in CATALOGUE else entry.instead
