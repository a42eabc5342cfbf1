"""Adds the history up: what every line says it did, and what all of them together lead to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Line = Mapping[str, Any]
OUTCOMES = ("acknowledged", "rejected", "unknown", "accepted", "unsent")


def unexplained(line: Line) -> Iterator[str]:
    """What is wrong about a line alone: each change has one outcome, and what was stopped has a reason."""
    changes = line["enters"] + line["exits"] + line["sets"]
    outcomes = sum(line[name] for name in OUTCOMES)
    if line["state"] in {"done", "partial", "interrupted"} and changes != outcomes:
        yield f"{outcomes} outcomes of {changes} changes: {line}"
    if line["state"] not in {"done", "planned"} and not (line["why"] or line["rejected"] or line["unknown"]):
        yield f"{line['state']}, and no reason is given: {line}"


@dataclass
class Replayed:
    """The size of an audience at a place, by the lines of its history alone.

    Attributes:
        deaths: the instants of runs that left no line.
        size: how many are there; None where that cannot be told: after a death, or where something was not
            acknowledged, until a line that ends well.
    """

    deaths: Collection[dt.datetime]
    size: int | None = 0
    before: dt.datetime | None = None

    def add(self, line: Line) -> Iterator[str]:
        """The next line; says if it does not lead to the size that it names."""
        died = any(self.before is not None and self.before <= died <= line["as_of"] for died in self.deaths)
        self.before = line["as_of"]
        if died:
            self.size = None
        changes = line["enters"] + line["exits"]
        if line["state"] in {"blocked", "planned", "failed"} and line["unsent"] + line["acknowledged"] < 1:
            return
        if line["acknowledged"] != changes:
            self.size = None
            return
        if self.size is not None:
            self.size += line["enters"] - line["exits"]
        if line["state"] != "done" or line["held"] or (line["exits"] and not line["enters"]):
            return  # where only some leave, that may have been before the others were due
        if self.size not in {None, line["wanted"]}:
            yield f"{self.size} should be there, {line['wanted']} were wanted: {line}"
        self.size = line["wanted"]
