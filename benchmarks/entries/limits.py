"""Pushes to destinations that refuse what exceeds a rate: how much of it is reached, and how often they refuse.

A receiver in a process of its own takes so many requests in any second, however that is laid, and no more at once than
a quarter of them. The share is counted where requests arrive, over whole seconds after the first.
"""

import contextlib
import datetime as dt
import tempfile
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import personas_kit as pk
from benchmarks import receiver
from benchmarks.entries.push import single
from benchmarks.entry import OURS, Answer, Benchmark, Goal
from benchmarks.workspaces import OWN, WAREHOUSE, installed, make, size
from personas_kit.destinations.base import Rate
from personas_kit.workspace import Workspace

AS_OF = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
LANES, AT_ONCE = 4, 4
SECONDS = 8
"""How long each push takes, all its syncs together, if nothing of the rate is lost."""
FAST, SLOW = 100, 40
_WORKSPACE = """
[warehouse]
path = "{folder}/{warehouse}"

[source]
users = {{ table = "users", id = "user_id" }}
"""
_DESTINATION = """
[destinations.at_{rate}]
type = "limited_{rate}"
url  = "{url}"
write_key = {{ file = "key.txt" }}
"""
_AUDIENCE = """
[[audience]]
name  = "{name}"
where = "trait('n') < {members}"
to    = [{{ destination = "at_{rate}", send = ["identify"], ids = {{ email = "email" }} }}]
"""

for each in (FAST, SLOW):
    OWN[f"limited_{each}"] = single(f"limited_{each}", LANES, Rate(each, 1))


def prepare(folder: Path, scale: float) -> None:
    """The users: as many as the largest audience takes."""
    make(folder, max(3, int(FAST * SECONDS * scale)))


def pushed(syncs: Mapping[int, int], folder: Path) -> Answer:
    """Push several audiences, of which so many go to the destination of each rate, in one run."""
    everybody = size(folder)
    members = {rate: everybody * rate // FAST // count or 1 for rate, count in syncs.items()}
    with contextlib.ExitStack() as stack:
        urls = {rate: stack.enter_context(receiver.receiver(rate=rate, at_once=rate // AT_ONCE)) for rate in syncs}
        workspace = stack.enter_context(_opened(folder, urls, members, syncs))
        started = time.monotonic()
        run = workspace.run(approve="guards", override=["first_sync"], as_of=AS_OF)
        took = time.monotonic() - started
        seen = {rate: receiver.counts(url) for rate, url in urls.items()}
    lost = [100 * (1 - each["steady"] / rate) for rate, each in seen.items() if each.get("steady")]
    return Answer(
        all(line.report is not None and line.report.complete for line in run.lines),
        {
            "refused": sum(each["refused"] for each in seen.values()),
            "lost": max(lost, default=0.0),
            "longer": took - max(members[rate] * count / rate for rate, count in syncs.items()),
        },
    )


@contextlib.contextmanager
def _opened(
    folder: Path, urls: Mapping[int, str], members: Mapping[int, int], syncs: Mapping[int, int]
) -> Iterator[Workspace]:
    with tempfile.TemporaryDirectory(prefix="personas-benchmark-state-") as name:
        place = Path(name)
        config = _WORKSPACE.format(folder=folder, warehouse=WAREHOUSE)
        for rate, url in urls.items():
            config += _DESTINATION.format(rate=rate, url=url)
            for number in range(syncs[rate]):
                config += _AUDIENCE.format(name=f"Number {number} of {rate}", members=members[rate], rate=rate)
        (place / "personas.toml").write_text(config, encoding="utf-8")
        (place / "key.txt").write_text("made-up", encoding="utf-8")
        with installed(*(f"limited_{rate}" for rate in urls)):
            yield pk.open(place)


def limited(title: str, text: str, syncs: Mapping[int, int]) -> Benchmark:
    """Nothing is refused, and nearly nothing of the rates is lost."""
    return Benchmark(
        title=title,
        unit="requests",
        size=FAST * SECONDS,
        prepare=prepare,
        rounds=1,
        ways={OURS: partial(pushed, syncs)},
        goals=(
            Goal(text=f"{text}, % of the rate that is lost", of="lost", at_most=2),
            Goal(text=f"{text}, requests refused with 429", of="refused", at_most=0),
        ),
    )


benchmarks = {
    "one": limited("800 requests of one sync, to a receiver that takes 100 a second", "a rate of 100/s", {FAST: 1}),
    "several": limited("three syncs of one account that takes 100 a second", "three syncs of one account", {FAST: 3}),
    "accounts": limited(
        "two accounts, of 100 and of 40 a second, side by side", "two accounts side by side", {FAST: 1, SLOW: 1}
    ),
}
