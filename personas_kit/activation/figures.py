"""What the source looked like when members were looked up: remembered with each finished push, to compare with."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TableFigures:
    """One table that a definition, or the identifiers of a sync, read.

    Attributes:
        columns: those that are read -> their types.
        lines: how many it has; None where nobody counted.
        events: it holds events.
        newest: the newest event up to then, as far as the last 30 days go; None where there is none, or no events.
        pause: the longest time between two events in these days; None where nobody looked, or they are too few. It
            is not remembered.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    lines: int | None = None
    events: bool = False
    newest: dt.datetime | None = None
    pause: dt.timedelta | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """What was seen of a source for one sync.

    Attributes:
        tables: by name.
        way: the type of the destination that the members go to.
        unseen: why some of it was not looked at; empty if all was.
    """

    tables: Mapping[str, TableFigures] = field(default_factory=dict)
    way: str = ""
    unseen: str = ""

    def to_text(self) -> str:
        """As JSON text."""
        return json.dumps({"way": self.way, "tables": {name: _plain(of) for name, of in self.tables.items()}})


NOTHING = Figures()


def read_figures(text: str) -> Figures:
    """What ``to_text`` wrote; an empty text is nothing."""
    if not text:
        return NOTHING
    data = json.loads(text)
    return Figures({name: _table(of) for name, of in data["tables"].items()}, data["way"])


def _plain(of: TableFigures) -> dict[str, object]:
    return {
        "columns": dict(of.columns),
        "lines": of.lines,
        "events": of.events,
        "newest": of.newest.isoformat() if of.newest else None,
    }


def _table(data: Mapping[str, object]) -> TableFigures:
    columns, lines, newest = data["columns"], data["lines"], data["newest"]
    return TableFigures(
        columns=columns if isinstance(columns, dict) else {},
        lines=lines if isinstance(lines, int) else None,
        events=bool(data["events"]),
        newest=dt.datetime.fromisoformat(newest) if isinstance(newest, str) else None,
    )
