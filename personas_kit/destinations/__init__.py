"""PURE: how one change looks for each vendor, and what its answers mean. A module with a ``destination`` is one.

Adding a destination is one module here and one fixture in ``tests/fixtures/destinations``; nothing else lists it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping

from personas_kit.destinations.base import Call, Computation, Connection, Destination, Request
from personas_kit.destinations.outcomes import Answer, Outcome
from personas_kit.errors import UnknownName

__all__ = ["DESTINATIONS", "Answer", "Call", "Computation", "Connection", "Destination", "Outcome", "Request", "find"]


def _found() -> Iterator[Destination]:
    for module in pkgutil.iter_modules(__path__):
        declared = getattr(importlib.import_module(f"{__name__}.{module.name}"), "destination", None)
        if isinstance(declared, Destination):
            yield declared


#: Every destination by its slug.
DESTINATIONS: Mapping[str, Destination] = {
    declared.slug: declared for declared in sorted(_found(), key=lambda d: d.slug)
}


def find(slug: str) -> Destination:
    """The destination with this slug.

    Raises:
        UnknownName: there is none; with the nearest.
    """
    if slug not in DESTINATIONS:
        raise UnknownName("type of destination", slug, DESTINATIONS)
    return DESTINATIONS[slug]
