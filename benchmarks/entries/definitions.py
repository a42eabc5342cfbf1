"""A hundred audiences over the same million events: asked together, one after the other, and the dearest alone."""

from pathlib import Path

from benchmarks.entries import events
from benchmarks.entries.events import AS_OF
from benchmarks.entry import OURS, Benchmark
from personas_kit.definitions import Audience, Definition, parse
from personas_kit.definitions.expressions import Condition
from personas_kit.opening import open_workspace

DEFINITIONS, OF_EVENTS = 100, 0.1
DEAREST = "event('Signed In').within(365 days).unique('amount').count() >= 20"
OTHERS = (
    "event('Order Completed').within({days} days).sum(property('amount')) >= 500",
    "event('Signed In').within({days} days).count() >= 3",
    "event('Feature Used').where(property('amount') > {days}).within(60 days).count() >= 2",
    "event('Order Returned').within({days} days).count() = 0 AND trait('seats') >= 3",
    "event('Order Completed').between({days} days, 200 days).count() >= 2",
)


def prepare(folder: Path, scale: float) -> None:
    """The events, and how many definitions there are of them."""
    count = max(2, int(DEFINITIONS * scale))
    events.prepare(folder, OF_EVENTS * min(1.0, scale * 100))
    (folder / "count").write_text(str(count))


def audiences(folder: Path) -> list[Definition]:
    """The definitions."""
    count = int((folder / "count").read_text())
    texts = [DEAREST, *(OTHERS[at % len(OTHERS)].format(days=1 + at) for at in range(count - 1))]
    conditions = [said for said in map(parse, texts) if isinstance(said, Condition)]
    return [Audience(f"d{at}", said) for at, said in enumerate(conditions)]


def together(folder: Path) -> int:
    """The kit, all of them at once."""
    found = open_workspace(folder).members(audiences(folder), as_of=AS_OF)
    return sum(members.height for members in found.values())


def one_by_one(folder: Path) -> int:
    """The kit, a statement for each."""
    workspace = open_workspace(folder)
    return sum(workspace.members(each, as_of=AS_OF).height for each in audiences(folder))


def dearest(folder: Path) -> None:
    """The dearest of them alone."""
    open_workspace(folder).members(audiences(folder)[0], as_of=AS_OF)


benchmark = Benchmark(
    title="a hundred audiences over 1 M events of 100 k users",
    unit="definitions",
    size=DEFINITIONS,
    prepare=prepare,
    ways={OURS: together, "one after the other": one_by_one, "the dearest alone": dearest},
)
