"""``personas.toml``: where the warehouse is, what lies where in it, the destinations, the definitions and their syncs.

Everything is checked when the file is opened, and every error names the file, the key and what to write. Secrets are
references (``{ env = "..." }``), never values. Nothing is connected here.
"""

from personas_kit.config.checking import checked_warehouse
from personas_kit.config.config import Config, Scheduled
from personas_kit.config.loading import files_of, find_file, load
from personas_kit.config.notify import Notify
from personas_kit.config.paths import FILE, expanded, read_sql
from personas_kit.config.tables import READ_UP_TO, StateSettings, SyncSettings, WarehouseSettings
from personas_kit.config.units import Duration, duration, size

__all__ = [
    "FILE",
    "READ_UP_TO",
    "Config",
    "Duration",
    "Notify",
    "Scheduled",
    "StateSettings",
    "SyncSettings",
    "WarehouseSettings",
    "checked_warehouse",
    "duration",
    "expanded",
    "files_of",
    "find_file",
    "load",
    "read_sql",
    "size",
]
