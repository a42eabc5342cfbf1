"""How a sync stands, as values: counts, without its members."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from personas_kit.activation.sync import Sync


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A plan that was begun and is not finished.

    Attributes:
        lines: its changes; ``sent`` of them have left.
        stopped: somebody stopped it in good order; else it is being pushed, or its process died.
    """

    made_at: dt.datetime
    lines: int
    sent: int
    stopped: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known about a sync, in numbers.

    Attributes:
        acknowledged: members.
        unknown: members whose last change has no known outcome, those that were only accepted included.
        accepted: of these, members whose change the destination has accepted, and will still say something about.
        accepted_since: when the oldest of that was accepted.
        rejected: members that it refused.
        members: wanted at the last finished plan.
        last_as_of, last_push: of the last finished plan, and when that was; None if there has been none.
        figures: what the source looked like then, as JSON text.
        under_way: a plan that is not finished.
    """

    sync: Sync
    acknowledged: int = 0
    unknown: int = 0
    accepted: int = 0
    accepted_since: dt.datetime | None = None
    rejected: int = 0
    members: int = 0
    last_as_of: dt.datetime | None = None
    last_push: dt.datetime | None = None
    paused: bool = False
    figures: str = ""
    under_way: UnderWay | None = None
