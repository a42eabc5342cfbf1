"""PURE: how one change looks for each vendor, and what its answers mean. A module with a ``destination`` is one.

Adding a destination is one module here and one fixture in ``tests/fixtures/destinations``; nothing else lists it.
"""

from __future__ import annotations

from personas_kit.destinations.base import Call, Computation, Connection, Destination, Request
from personas_kit.destinations.outcomes import Answer, Outcome
from personas_kit.destinations.registry import Registry
from personas_kit.destinations.showing import callable_module
from personas_kit.errors import UnknownName

__all__ = ["DESTINATIONS", "Answer", "Call", "Computation", "Connection", "Destination", "Outcome", "Request", "find"]

#: Every destination by its slug.
DESTINATIONS = Registry(__name__, list(__path__))


callable_module(__name__)


def find(slug: str) -> Destination:
    """The destination with this slug.

    Raises:
        UnknownName: there is none; with the nearest.
    """
    try:
        return DESTINATIONS[slug]
    except KeyError:
        raise UnknownName("type of destination", slug, [*DESTINATIONS]) from None
