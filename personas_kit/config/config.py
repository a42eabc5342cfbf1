"""What a file says, once it has been read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from personas_kit.activation.cadence import NO_SCHEDULE, Cadence
from personas_kit.compiler import SourceSettings
from personas_kit.config.notify import Notify
from personas_kit.config.tables import READ_UP_TO, SyncSettings, WarehouseSettings
from personas_kit.definitions import Definition
from personas_kit.routes import DestinationSettings, Route, route_to


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A definition of the file, with how often it is computed, and its syncs."""

    definition: Definition
    cadence: Cadence = NO_SCHEDULE
    to: tuple[SyncSettings, ...] = ()

    def cadence_of(self, sync: SyncSettings) -> Cadence:
        """How often a sync of it is due: its own cadence, if it has one."""
        return sync.cadence or self.cadence


@dataclass(frozen=True, slots=True)
class Config:
    """What ``personas.toml`` says.

    Attributes:
        state: the folder that keeps the state, unless ``state_schema`` does: a schema of the warehouse.
        keep: seconds for which lines of the history are kept; None for always.
        read_up_to: see ``StateSettings``.
        notify: who is told; None for nobody.
    """

    path: Path
    warehouse: WarehouseSettings
    state: Path
    source: SourceSettings
    destinations: Mapping[str, DestinationSettings] = field(default_factory=dict)
    scheduled: tuple[Scheduled, ...] = ()
    keep: int | None = None
    state_schema: str | None = None
    read_up_to: int = READ_UP_TO
    notify: Notify | None = None

    def route(self, sync: SyncSettings) -> Route:
        """How a sync reaches its destination.

        Raises:
            DestinationError: it cannot be reached.
            UnknownName: there is none of that name.
        """
        return route_to(sync.destination, self.destinations, sync.integrations)

    @property
    def folder(self) -> Path:
        """Relative paths start here."""
        return self.path.parent

    def at(self, *keys: object) -> str:
        """A place in the file, for messages."""
        return f"{self.path.name}: {'.'.join(str(key) for key in keys)}"
