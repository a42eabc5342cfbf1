"""From the addresses of a list's members to what stands in requests: made uniform, and hashed.

The kit's way is the public one, ``connection.member``, which also puts the hash into the JSON that a member is known
by; the loop does as much and no more: the rule, ``hashlib``, and the same text. What is compared is the figure
``hashing s``: seconds of the processor from a column of texts to a column of members.
"""

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import polars as pl

from benchmarks.entry import OURS, Answer, Benchmark, Goal
from benchmarks.secret import MadeUp
from personas_kit.destinations import find

PEOPLE = 1_000_000


def prepare(kind: str, folder: Path, scale: float) -> None:
    """A text for each, as people leave them in forms: capitals and spaces, or a written phone number."""
    ids = pl.int_range(int(PEOPLE * scale), eager=True).cast(pl.String)
    if kind == "email":
        texts = " Someone." + ids + "@Example.COM"
    else:
        padded = ids.str.zfill(7)
        texts = "+41 (79) " + padded.str.head(3) + " " + padded.str.tail(4)
    texts.alias(f"id_{kind}").to_frame().write_ipc(folder / "people.arrow")


def ours(kind: str, folder: Path) -> Answer:
    """The kit's own way, as a plan takes it."""
    connection = find("facebook-custom-audiences").configure(
        "meta", {"access_token": MadeUp(), "audience_id": "1", "ad_account_id": "1"}
    )
    people = pl.read_ipc(folder / "people.arrow")
    start = time.process_time()
    members = people.select(member=connection.member("list", [kind]))["member"]
    seconds = time.process_time() - start
    return _answer(members, seconds)


def loop(kind: str, folder: Path) -> Answer:
    """``hashlib`` for each, as a script would."""
    people = pl.read_ipc(folder / "people.arrow")
    start = time.process_time()
    members = pl.Series(list(_members(kind, people[f"id_{kind}"].to_list())))
    seconds = time.process_time() - start
    return _answer(members, seconds)


def _members(kind: str, texts: list[str]) -> Iterator[str]:
    uniform, name = RULES[kind], NAMES[kind]
    for text in texts:
        digest = hashlib.sha256(uniform(text.strip()).encode()).hexdigest()
        yield f'{{"{name}":"{digest}"}}'


def _digits(text: str) -> str:
    return NO_DIGIT.sub("", text).lstrip("0")


NO_DIGIT = re.compile("[^0-9]+")
NAMES = {"email": "EMAIL", "phone": "PHONE"}
RULES: Mapping[str, Callable[[str], str]] = {"email": str.lower, "phone": _digits}


def _answer(members: pl.Series, seconds: float) -> Answer:
    some = repr([members.len(), members[0], members[-1]])
    return Answer(hashlib.sha256(some.encode()).hexdigest(), {"hashing s": seconds})


benchmarks = {
    kind: Benchmark(
        title=f"{kind}s made uniform and hashed, 1,000,000",
        unit="addresses",
        size=PEOPLE,
        prepare=partial(prepare, kind),
        ways={OURS: partial(ours, kind), "hashlib": partial(loop, kind)},
        goals=(Goal(text=f"hashing {kind}s, against a loop", peer="hashlib", at_least=3, of="hashing s"),),
    )
    for kind in RULES
}
