"""The transport alone: requests that are made already, by 16 threads or tasks to nginx, one event each or 500 KB."""

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx

from benchmarks import nginx
from benchmarks.entry import OURS, Benchmark, Goal
from benchmarks.nginx import address_in
from benchmarks.secret import MadeUp
from personas_kit.activation.transport import HttpTransport
from personas_kit.destinations import Request, find

LANES = 16
EVENT = json.dumps({"type": "identify", "messageId": "m" * 40, "userId": "user_1", "traits": {"vips": True}}).encode()
BODIES = {"single": EVENT, "batches": b'{"batch":[' + b",".join([EVENT] * (500_000 // len(EVENT))) + b"]}"}
PATHS = {"single": "/v1/identify", "batches": "/v1/batch"}
JSON = {"content-type": "application/json"}
GOALS = {"single": 5.0, "batches": 2.0}


def prepare(count: int, folder: Path, scale: float) -> None:
    """How many requests each lane sends."""
    (folder / "count").write_text(str(max(1, int(count * scale) // LANES)), encoding="utf-8")


def ours(kind: str, folder: Path) -> bool:
    """The kit's transport, with an auth flow."""
    connection = find("segment").configure("there", {"write_key": MadeUp()}, url=address_in(folder))
    request = Request("POST", address_in(folder) + PATHS[kind], JSON, BODIES[kind])
    transport = HttpTransport(connection)
    try:
        return _by_threads(lambda: transport.send(request).status, folder)
    finally:
        transport.close()


def threads(kind: str, folder: Path) -> bool:
    """``httpx.Client``, shared by as many threads."""
    limits = httpx.Limits(max_connections=LANES, max_keepalive_connections=LANES)
    with httpx.Client(auth=("made-up", ""), trust_env=False, limits=limits) as client:
        url = address_in(folder) + PATHS[kind]
        return _by_threads(lambda: client.post(url, content=BODIES[kind], headers=JSON).status_code, folder)


def tasks(kind: str, folder: Path) -> bool:
    """``httpx.AsyncClient``, with as many requests under way."""
    return asyncio.run(_by_tasks(kind, folder))


async def _by_tasks(kind: str, folder: Path) -> bool:
    async with httpx.AsyncClient(auth=("made-up", ""), trust_env=False) as client:
        url = address_in(folder) + PATHS[kind]

        async def lane() -> bool:
            sent = [await client.post(url, content=BODIES[kind], headers=JSON) for _ in range(_count(folder))]
            return all(answer.is_success for answer in sent)

        return all(await asyncio.gather(*(lane() for _ in range(LANES))))


def _by_threads(send: Callable[[], int], folder: Path) -> bool:
    def lane(_: int) -> bool:
        return all(send() == httpx.codes.OK for _ in range(_count(folder)))

    with ThreadPoolExecutor(LANES) as pool:
        return all(pool.map(lane, range(LANES)))


def _count(folder: Path) -> int:
    return int((folder / "count").read_text(encoding="utf-8"))


benchmarks = {
    kind: Benchmark(
        title=f"{count:,} requests ({kind}) that are made already, to nginx by {LANES} connections",
        unit="requests",
        size=count,
        prepare=partial(prepare, count),
        ways={
            OURS: partial(ours, kind),
            "httpx.Client": partial(threads, kind),
            "httpx.AsyncClient": partial(tasks, kind),
        },
        service=nginx.serving,
        lacks=nginx.lacks(),
        goals=(
            Goal(text=f"the transport alone, {kind}", peer="httpx.Client", of="cpu", at_least=GOALS[kind]),
            Goal(text=f"the transport alone, {kind}", peer="httpx.AsyncClient", of="cpu", at_least=GOALS[kind]),
        ),
    )
    for kind, count in {"single": 1_600, "batches": 320}.items()
}
