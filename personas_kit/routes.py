"""The ways to a destination: natively, where it is configured, or through a gateway that is.

The name of a sync stays the same whichever way it goes, so that its state does: when the way changes, a guard says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from personas_kit.destinations import DESTINATIONS, Connection, find
from personas_kit.destinations.base import Call, Through
from personas_kit.destinations.catalogue import CATALOGUE, Entry, entry_of_key, find_entry
from personas_kit.errors import ConfigError, DestinationError, PersonasError, UnknownName

ANY_LIST = "0"
"""Stands for the list that a sync will name, where only the other settings are looked at."""


@dataclass(frozen=True, slots=True)
class DestinationSettings:
    """``[destinations.<name>]``: its type and values; secrets are references.

    Attributes:
        url: overrides the destination's own host; not shown, since those of webhooks hold a secret now and then.
        timeout: seconds for one request.
        allow_private: its host may lie inside a private network.
    """

    name: str
    type: str
    values: Mapping[str, object]
    url: str | None = field(default=None, repr=False)
    timeout: float = 30.0
    allow_private: bool = False

    def connect(self, place: str | None, where: str, through: Through | None = None) -> Connection:
        """The connection, to the list ``place`` if it holds several."""
        destination = find(self.type)
        values = dict(self.values)
        if place is not None:
            if destination.list_setting is None:
                raise ConfigError(
                    f"{self.name} ({self.type}) has no lists to choose from", where=where, hint="leave list= out"
                )
            values[destination.list_setting] = place
        try:
            return destination.configure(
                self.name, values, url=self.url, timeout=self.timeout, allow_private=self.allow_private, through=through
            )
        except PersonasError as problem:
            raise problem.at(where) from None


@dataclass(frozen=True, slots=True)
class Route:
    """How a sync reaches its destination.

    Attributes:
        settings: what is configured: the destination itself, or a gateway.
        through: what lies behind the gateway; None if it is none, or routes by its own rules.
    """

    settings: DestinationSettings
    through: Through | None = None

    @property
    def integrations(self) -> tuple[str, ...]:
        """For the gateway: the keys of what lies behind it."""
        return self.through.integrations if self.through is not None else ()

    def connect(self, place: str | None, where: str) -> Connection:
        """The connection, to the list ``place`` if it holds several."""
        return self.settings.connect(place, where, self.through)


def route_to(name: str, configured: Mapping[str, DestinationSettings], integrations: Sequence[str] = ()) -> Route:
    """The way to a destination.

    Args:
        name: that of a configured one; or of any in the catalogue, which then goes through the configured gateway.
        configured: by name.
        integrations: what lies behind a gateway, by its own keys.

    Raises:
        DestinationError: it is there no more, or cannot be reached by what is configured.
        UnknownName: there is none of that name.
    """
    if name in configured:
        return _direct(configured[name], tuple(integrations))
    entry = _entry(name, configured)
    if entry.status == "retired" and entry.module not in DESTINATIONS:
        raise _retired(entry)
    gateways = {each.name: each for each in configured.values() if find(each.type).gateway}
    known = {each: entry.keys(find(settings.type).gateway) for each, settings in gateways.items()}
    if entry.kind == "list":  # gateways take calls about users and accounts, and no lists
        known = {}
    keys = {each: some[0] for each, some in known.items() if some}
    if not keys:
        raise _unreachable(entry, gateways)
    if len(keys) > 1:
        one = next(iter(keys))
        raise DestinationError(
            f"{entry.name} is not configured, and {len(keys)} gateways reach it",
            hint=f'say which: {{ destination = "{one}", integrations = ["{keys[one]}"] }}; or {", ".join([*keys][1:])}',
        )
    ((gateway, key),) = keys.items()
    return Route(gateways[gateway], _through((key,), entry.name, [entry]))


def _direct(settings: DestinationSettings, integrations: tuple[str, ...]) -> Route:
    """To what is configured; behind a gateway, only by calls that everything named there takes."""
    gateway = find(settings.type).gateway
    if not integrations:
        return Route(settings)
    if not gateway:
        raise DestinationError(
            f"{settings.name} is no gateway", where=settings.name, hint="leave integrations out; they are for gateways"
        )
    known = [entry for key in integrations if (entry := entry_of_key(key, gateway)) is not None]
    for entry in known:
        if entry.status == "retired":
            raise _retired(entry)
    return Route(settings, _through(integrations, ", ".join(integrations), known))


def _through(integrations: tuple[str, ...], name: str, known: Sequence[Entry]) -> Through:
    first = any(entry.fields_first == "yes" for entry in known)
    return Through(integrations, name, _calls(known), _ids(known), fields_first=first)


def _calls(entries: Sequence[Entry]) -> frozenset[Call]:
    """What all of them take."""
    every = frozenset[Call]({"identify", "track", "group"})
    for entry in entries:
        every &= frozenset(entry.calls)
    return every


def _ids(entries: Sequence[Entry]) -> tuple[str, ...]:
    """What they need to know of a user beside the id; nothing where the id is enough: less is known, and less goes."""
    return tuple(kind for kind in ("email", "phone") if any(kind in entry.required_ids for entry in entries))


def _entry(name: str, configured: Mapping[str, DestinationSettings]) -> Entry:
    try:
        return find_entry(name)
    except UnknownName:
        unknown = UnknownName("configured destination", name, {*configured, *CATALOGUE})
        unknown.hint = unknown.hint or f"configured: {', '.join(sorted(configured)) or 'none'}"
        raise unknown from None


def _retired(entry: Entry) -> DestinationError:
    """That nothing reaches a destination any more, and what to use instead."""
    instead = f"use {entry.instead}" if entry.instead else "there is no successor"
    return DestinationError(f"{entry.name} cannot be reached any more: {entry.why}", hint=instead)


def _unreachable(entry: Entry, gateways: Mapping[str, DestinationSettings]) -> DestinationError:
    native = f"personas destinations {entry.slug} shows a block to paste" if entry.module in DESTINATIONS else ""
    by_gateway = entry.gateways if entry.kind == "event" else ()
    others = f"a gateway that reaches it: {' or '.join(by_gateway)}" if by_gateway else ""
    what = f"{entry.name} is not configured"
    if gateways:
        what += f", and {', '.join(gateways)} does not reach it"
    return DestinationError(what, hint="; or ".join(part for part in (native, others) if part))
