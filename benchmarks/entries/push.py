"""From the members in a warehouse to identify calls that a server on this machine has taken: plan and push.

The kit opens a workspace, plans a first push and sends it, journal included. The others ask the same file for the same
members, build the same messages and send them as their documentation says, without any journal. Segment's and
RudderStack's own libraries take a share of the members, since they take so long; their queue is as long as it has to be
for them to drop nothing, and nobody packs what is sent.
"""

import asyncio
import datetime as dt
import importlib
import json
import math
import time
from collections.abc import Iterator, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx

from benchmarks import nginx, receiver
from benchmarks.entry import OURS, Answer, Benchmark, Goal, Way
from benchmarks.nginx import address_in
from benchmarks.workspaces import OWN, make, members_of, opened, size
from personas_kit.destinations.auth import Basic
from personas_kit.destinations.base import Destination, Limits, Post, Rate, Setting
from personas_kit.destinations.gateway import identify
from personas_kit.destinations.outcomes import Outcomes, json_says

AS_OF = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
MEMBERS, SINGLE, LATE = 500_000, 10_000, 3_200
BATCH = 1_000
CONNECTIONS, LANES, LATENCY = 16, 32, 0.05
SHARE = 0.02
SHARE_OF_HTTPX = 0.1
SENDING = "sending s"
"""A figure: seconds of the sending alone. Where somebody else's pace is kept, planning is no part of the question."""
JSON = {"content-type": "application/json"}
LIBRARIES = {
    "segment SDK": ("segment", "segment-analytics-python"),
    "rudderstack SDK": ("rudderstack", "rudder-sdk-python"),
}


def prepare(count: int, folder: Path, scale: float) -> None:
    """The users, all of whom are members."""
    make(folder, max(20, int(count * scale)))


def single(slug: str, parallel: int, *rates: Rate) -> Destination:
    """A destination that takes one message in a request."""
    return Destination(
        slug=slug,
        name=slug,
        settings=(Setting("write_key", "made up", secret=True, identifies=True),),
        auth=Basic("{write_key}"),
        hosts={},
        posts={"identify": Post("/v1/identify", identify, ("", ""))},
        limits=Limits(items=1, bytes=475_000),
        outcomes=Outcomes(read=json_says("success", value=True)),
        rates=rates,
        parallel=parallel,
    )


for each in (single("one", CONNECTIONS), single("late", LANES)):
    OWN[each.slug] = each


# ------------------------------------------------------------------------------------------------------------- the ways


def ours(destination: str, folder: Path) -> Answer:
    """The kit: whether everyone is acknowledged."""
    with opened(folder, address_in(folder), destination) as workspace:
        plan = workspace.plan("vips", as_of=AS_OF)
        return timed(lambda _: plan.push(progress=lambda _: None).acknowledged == size(folder), folder)


def timed(way: Way, folder: Path) -> Answer:
    """With how long it took as a figure."""
    began = time.perf_counter()
    done = way(folder)
    return Answer(done, {SENDING: time.perf_counter() - began})


def library(name: str, folder: Path) -> bool:
    """A vendor's own library, as its documentation says, for a share of the members."""
    count = int(size(folder) * SHARE)
    failed: list[object] = []
    client: Any = importlib.import_module(f"{name}.analytics.client").Client(
        "made-up",
        host=address_in(folder),
        max_queue_size=count + 1,
        gzip=False,
        on_error=lambda _, items: failed.extend(items),
    )
    for user_id, email in members_of(folder, most=count).fetchall():
        client.identify(
            user_id,
            {"vips": True, "email": email},
            context={"personas": {"computation_class": "audience", "computation_key": "vips"}},
            timestamp=AS_OF,
            message_id=f"personas_{user_id}",
        )
    client.flush()
    client.join()
    return not failed


def batches(encode: Any, folder: Path) -> bool:  # noqa: ANN401  (of json or orjson)
    """A loop, an encoder and one ``httpx.Client``: what a script would do."""
    found = members_of(folder)
    taken = []
    with httpx.Client(auth=("made-up", ""), trust_env=False) as client:
        while some := found.fetchmany(BATCH):
            content = encode({"batch": list(messages(some))})
            taken.append(client.post(f"{address_in(folder)}/v1/batch", content=content, headers=JSON).is_success)
    return all(taken)


def messages(members: list[tuple[Any, ...]]) -> Iterator[dict[str, object]]:
    """A message for each."""
    for user_id, email in members:
        yield {
            "type": "identify",
            "messageId": f"personas_{user_id}",
            "userId": user_id,
            "timestamp": AS_OF.isoformat(),
            "traits": {"vips": True, "email": email},
            "context": {"personas": {"computation_class": "audience", "computation_key": "vips"}},
        }


def singly(folder: Path) -> bool:
    """``httpx.Client``, one request after the other."""
    with httpx.Client(auth=("made-up", ""), trust_env=False) as client:
        url = f"{address_in(folder)}/v1/identify"
        sent = (client.post(url, content=json.dumps(each), headers=JSON) for each in messages(shared(folder)))
        return all(answer.is_success for answer in sent)


def beside(connections: int, folder: Path) -> bool:
    """``httpx.AsyncClient`` with so many requests under way."""
    return asyncio.run(_beside(connections, folder))


async def _beside(connections: int, folder: Path) -> bool:
    left = messages(shared(folder))
    limits = httpx.Limits(max_connections=connections)
    async with httpx.AsyncClient(auth=("made-up", ""), trust_env=False, limits=limits) as client:
        url = f"{address_in(folder)}/v1/identify"

        async def one_after_the_other() -> bool:
            sent = [(await client.post(url, content=json.dumps(each), headers=JSON)).is_success for each in left]
            return all(sent)

        return all(await asyncio.gather(*(one_after_the_other() for _ in range(connections))))


def shared(folder: Path) -> list[tuple[Any, ...]]:
    """The share of the members that stock httpx is given."""
    return members_of(folder, most=math.ceil(size(folder) * SHARE_OF_HTTPX)).fetchall()


def ideal(requests_of_a_second: float, folder: Path) -> None:
    """As long as it cannot but take."""
    time.sleep(size(folder) / requests_of_a_second)


# ----------------------------------------------------------------------------------------------------- what is compared


def _installed() -> dict[str, Way]:
    found: dict[str, Way] = {
        way: partial(library, module) for way, (module, _) in LIBRARIES.items() if find_spec(module)
    }
    if find_spec("orjson"):
        found["orjson + httpx"] = partial(batches, importlib.import_module("orjson").dumps)
    return found


def _missing() -> Mapping[str, str]:
    absent = {way: f"pip install {package}" for way, (module, package) in LIBRARIES.items() if not find_spec(module)}
    return absent if find_spec("orjson") else {**absent, "orjson + httpx": "pip install orjson"}


benchmarks = {
    "batches": Benchmark(
        title="identify calls for 500,000 members of a warehouse, planned and pushed in batches to nginx",
        unit="events",
        size=MEMBERS,
        prepare=partial(prepare, MEMBERS),
        ways={
            OURS: partial(ours, "segment"),
            "json.dumps + httpx": partial(batches, json.dumps),
            **_installed(),
        },
        missing=_missing(),
        shares=dict.fromkeys(LIBRARIES, SHARE),
        service=nginx.serving,
        lacks=nginx.lacks(),
        goals=(
            Goal(text="end to end, 500 k members", peer="segment SDK", at_least=50),
            Goal(text="end to end, 500 k members", peer="rudderstack SDK", at_least=50),
            Goal(text="end to end, 500 k members", peer="json.dumps + httpx", at_least=5),
            Goal(text="end to end, 500 k members", peer="orjson + httpx"),
        ),
    ),
    "single": Benchmark(
        title="identify calls for 10,000 members of a warehouse, one in each request, to nginx by 16 connections",
        unit="requests",
        size=SINGLE,
        prepare=partial(prepare, SINGLE),
        ways={OURS: partial(ours, "one"), "httpx.AsyncClient": partial(beside, CONNECTIONS), "httpx.Client": singly},
        shares={"httpx.AsyncClient": SHARE_OF_HTTPX, "httpx.Client": SHARE_OF_HTTPX},
        service=nginx.serving,
        lacks=nginx.lacks(),
        goals=(
            Goal(text="one event a request, 16 connections", peer="httpx.AsyncClient", at_least=5),
            Goal(text="one event a request, 16 connections", peer="httpx.Client"),
        ),
    ),
    "latency": Benchmark(
        title="3,200 requests of one event each, by 32 connections, to a receiver that answers after 50 ms",
        unit="requests",
        size=LATE,
        prepare=partial(prepare, LATE),
        ways={
            OURS: partial(ours, "late"),
            "the ideal": partial(timed, partial(ideal, LANES / LATENCY)),
            "httpx.AsyncClient": partial(timed, partial(beside, LANES)),
        },
        shares={"httpx.AsyncClient": SHARE_OF_HTTPX},
        service=receiver.serving(latency=LATENCY),
        goals=(
            Goal(text="32 connections at 50 ms, share of the ideal", peer="the ideal", at_least=0.95, of=SENDING),
            Goal(text="32 connections at 50 ms", peer="httpx.AsyncClient", of=SENDING),
        ),
    ),
}
