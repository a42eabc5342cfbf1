"""The catalogue for people: as a frame, and one destination with the block that ``personas.toml`` needs for it."""

from __future__ import annotations

import sys
import types

import polars as pl

from personas_kit.destinations.catalogue import ENTRIES, Entry, find_entry, frame
from personas_kit.destinations.registry import Registry
from personas_kit.errors import UnknownName

GATEWAYS = ("segment", "rudderstack")


def listed(registry: Registry, search: str = "") -> pl.DataFrame:
    """Every destination that the kit knows by name; or those that a text is found in.

    Args:
        registry: the modules there are.
        search: a part of the name, the status, the way, or whatever else stands in a line; case does not count.
    """
    known = frame(native(registry))
    named = {entry.module for entry in ENTRIES}
    own = [registry[slug] for slug in registry if slug not in named]
    more = [
        {
            "slug": each.slug, "name": each.name, "status": "live", "way": "native", "confirmed": True,
            "kind": "list" if each.posts.keys() == {"list"} else "event", "calls": " ".join(each.posts),
            "minimum_interval": each.minimum_interval,
        }
        for each in own
    ]  # fmt: skip
    every = pl.concat([known, pl.DataFrame(more, schema=known.schema)]) if more else known
    if not search:
        return every
    text = pl.concat_str(pl.col(pl.String).fill_null(""), separator=" ").str.to_lowercase()
    return every.filter(text.str.contains(search.lower(), literal=True))


def native(registry: Registry) -> dict[str, tuple[str, ...]]:
    """The calls that each module takes, by its slug."""
    return {slug: tuple(each.posts) for slug, each in registry.items()}


def details(registry: Registry, name: str) -> dict[str, object]:
    """What is known of a destination, as plain data.

    Raises:
        UnknownName: there is none of that name; with the nearest.
    """
    entry, module = _found(registry, name)
    own = registry[module].describe() if module else {}
    if entry is None:
        return own
    lines = frame(native(registry)).filter((pl.col("slug") == entry.slug) & (pl.col("kind") == entry.kind))
    line = lines.row(0, named=True)
    return {**line, "settings": own.get("settings", {}), "identifiers": own.get("identifiers", [])}


def described(registry: Registry, name: str) -> str:
    """A destination in words, with what to paste into ``personas.toml``.

    Raises:
        UnknownName: as above.
    """
    entry, module = _found(registry, name)
    if entry is None:
        return registry[module].paste()
    calls = [*registry[module].posts] if module else entry.calls
    lines = [f"# {entry.name}{f', today {entry.today}' if entry.today else ''}: {', '.join(calls) or 'no call'}"]
    lines += [f"# a user is known by: {entry.needs}"] if entry.needs else []
    lines += [f"# limits: {entry.limits}"] if entry.limits else []
    lines += [f"# a list is taken at most every {seconds // 3_600} h"] if (seconds := entry.minimum_interval) else []
    lines += [] if entry.confirmed else ["# not every fact of it was confirmed with the vendor: try it first"]
    if module:
        lines += ["", registry[module].paste()]
    elif entry.status == "retired":
        lines += [f"# it cannot be reached any more: {entry.why}"]
        lines += [f"# instead: {entry.instead}"] if entry.instead else []
    if entry.gateways and entry.kind == "event" and entry.status != "retired":
        lines += ["", *_by_gateway(registry, entry, native=bool(module))]
    return "\n".join(lines)


def _by_gateway(registry: Registry, entry: Entry, *, native: bool) -> list[str]:
    slug = next(each for each in GATEWAYS if entry.keys(each))
    keys = [f'{registry[each].name} ("{entry.keys(each)[0]}")' for each in GATEWAYS if entry.keys(each)]
    lines = [f"# {'or ' if native else ''}through a gateway: {', '.join(keys)}"]
    if native:
        return lines
    lines += registry[slug].paste().splitlines()
    return [*lines, f'# in a definition: to = [{{ destination = "{entry.slug}" }}]']


def _found(registry: Registry, name: str) -> tuple[Entry | None, str]:
    """The row, if there is one, and the slug of the module, if there is one; at least one of both."""
    try:
        entry = find_entry(name)
    except UnknownName:
        if name in registry:
            return None, name
        unknown = UnknownName("destination", name, {*registry, *(each.slug for each in ENTRIES)})
        unknown.hint = unknown.hint or f"personas destinations --search {name} looks for it in whatever is known"
        raise unknown from None
    return entry, entry.module if entry.module in registry else ""


class CallableModule(types.ModuleType):
    """A package that can be called: ``pk.destinations()`` is the frame, and ``pk.destinations.find`` is what it was."""

    def __call__(self, search: str = "") -> pl.DataFrame:
        """Every destination, or those that a text is found in; see ``listed``."""
        return listed(self.DESTINATIONS, search)


def callable_module(name: str) -> None:
    """Let the package of this name be called."""
    sys.modules[name].__class__ = CallableModule
