"""Finds destinations by their slug, and imports a module only when it is asked for.

A destination of the kit is a module of this package. One of somebody else's package is named by an entry point of the
group ``personas_kit.destinations``: its name is the slug, and it points at the ``Destination``.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import pkgutil
import re
from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING

from personas_kit.errors import DestinationError

if TYPE_CHECKING:
    from personas_kit.destinations.base import Destination

GROUP = "personas_kit.destinations"
SHARED = frozenset({
    *("addresses", "auth", "aws", "base", "batching", "catalogue", "connection", "encode", "exchange", "fields"),
    *("gateway", "marketo", "normalise", "outcomes", "registry", "settings", "showing"),
})  # fmt: skip
"""The modules that are no destinations, but what these are made of."""


def module_of(slug: str) -> str:
    """The name of the module that has the destination of this slug."""
    return re.sub(r"[^a-z0-9]+", "_", slug)


class Registry(MutableMapping[str, "Destination"]):
    """Every destination by its slug."""

    def __init__(self, package: str, path: list[str]) -> None:
        self._package = package
        self._modules = {module.name for module in pkgutil.iter_modules(path)} - SHARED
        self._loaded: dict[str, Destination] = {}

    def __getitem__(self, slug: str) -> Destination:
        """The destination; its module is imported the first time."""
        if slug not in self._loaded:
            found = self._own(module_of(slug)) if isinstance(slug, str) else None
            found = found if found is not None and found.slug == slug else _of_others(slug)
            if found is None:
                raise KeyError(slug)
            self._loaded[slug] = found
        return self._loaded[slug]

    def __setitem__(self, slug: str, destination: Destination) -> None:
        """Add one, or put it in the place of another."""
        self._loaded[slug] = destination

    def __delitem__(self, slug: str) -> None:
        """Take one that was added out again."""
        del self._loaded[slug]

    def __iter__(self) -> Iterator[str]:
        """All slugs; every module is imported for it."""
        own = {found.slug for name in self._modules if (found := self._own(name)) is not None}
        return iter(sorted(own | {each.name for each in _entry_points()} | self._loaded.keys()))

    def __len__(self) -> int:
        """How many there are."""
        return sum(1 for _ in self)

    def _own(self, module: str) -> Destination | None:
        if module not in self._modules:
            return None
        found: Destination = importlib.import_module(f"{self._package}.{module}").destination
        return found


def _entry_points() -> importlib.metadata.EntryPoints:
    return importlib.metadata.entry_points(group=GROUP)


def _of_others(slug: str) -> Destination | None:
    """The destination of somebody else's package.

    Raises:
        DestinationError: it cannot be loaded, or is none.
    """
    for point in _entry_points():
        if point.name != slug:
            continue
        where = f"entry point {slug!r} = {point.value}"
        try:
            found = point.load()
        except Exception as problem:
            raise DestinationError(f"it cannot be imported: {type(problem).__name__}", where=where) from problem
        if getattr(found, "slug", None) != slug:
            raise DestinationError(f"it is no destination with the slug {slug!r}", where=where)
        destination: Destination = found
        return destination
    return None
