"""How much came over from the warehouse to make a plan. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moved:
    """What came over to make a plan, and what did not have to.

    Attributes:
        bytes: of members and of what is acknowledged, as they lie in memory.
        stayed: about so many did not come; 0 where everything was read.
        why: why everything was read, where it was too much to be.
    """

    bytes: int
    stayed: int = 0
    why: str = ""
