"""A sync: one definition, one destination account (and list), one call. Each has its own acknowledged state."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from personas_kit.destinations.base import Call


@dataclass(frozen=True, slots=True)
class Sync:
    """What is pushed where, and how.

    Attributes:
        key: the definition's key.
        destination: the configured name of the destination.
        call: ``identify``, ``track``, ``group`` or ``list``.
        place: the list it goes to and the integrations it is routed to; empty for the destination as it is.
    """

    key: str
    destination: str
    call: Call
    place: str = ""

    @property
    def id(self) -> str:
        """A name that is safe for files and stable across processes."""
        parts = (self.key, self.destination, self.call, self.place)
        readable = "-".join(re.sub(r"[^A-Za-z0-9_.]+", "_", part)[:40] for part in parts if part)
        return f"{readable}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:8]}"

    def __str__(self) -> str:
        """For people: ``buyers -> analytics (identify)``."""
        place = f", {self.place}" if self.place else ""
        return f"{self.key} -> {self.destination} ({self.call}{place})"
