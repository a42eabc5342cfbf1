"""From the lines of a batch to the requests of a destination: the kit beside plain Python that makes the same bytes.

Each of the others builds an object for every change, encodes it, and cuts by count and by bytes as the kit does; the
time is known to them as text, which is generous. What builds the objects is written out from a shape, as a person would
write it for this one destination. What is compared is the figure ``encoding s``: seconds of the processor from a frame
in memory to bodies in memory, in a process that has done nothing before. orjson and msgspec are measured where they are
installed (``pip install orjson msgspec``): nothing else needs them.
"""

import datetime as dt
import hashlib
import importlib
import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, urlencode

import polars as pl

from benchmarks.entry import OURS, Answer, Benchmark, Goal, Way
from benchmarks.secret import MadeUp
from personas_kit.destinations import Call, Computation, Connection, find

CHANGES = 100_000
AS_OF = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
COMPUTATIONS: Mapping[Call, Computation] = {
    "identify": Computation("ltv", "trait", "Lifetime value"),
    "track": Computation("buyers", "audience", "Buyers"),
}
COLUMNS = ("user_id", "message_id", "value", "id_email", "id_phone")

Build = Callable[..., object]
Encode = Callable[[object], bytes]


class Python(str):
    """A piece of a program in a shape: what is different for each line."""

    __slots__ = ()


USER, MESSAGE, VALUE, EMAIL, PHONE = (Python(name) for name in COLUMNS)
TEXT = Python("str(value)")
TRAITS = {"ltv": VALUE, "email": EMAIL, "phone": PHONE}
WHO = {"email": EMAIL, "phone": PHONE}
ENTERED = {"audience_key": "buyers", "buyers": True}
TIME = "2026-11-01T12:00:00Z"


def _computed(kind: str, key: str) -> dict[str, str]:
    number = f"{kind[:3]}_{hashlib.sha256(key.encode()).hexdigest()[:27]}"
    return {"computation_class": kind, "computation_id": number, "computation_key": key}


IDENTIFY = {
    "messageId": MESSAGE,
    "userId": USER,
    "timestamp": TIME,
    "type": "identify",
    "traits": TRAITS,
    "context": {"personas": _computed("trait", "ltv")},
}


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A call of a destination.

    Attributes:
        settings: of the destination; the one for the secret is ``key``.
        change: one change.
        around: what stands before and after the changes of a request.
        form: the field of a form that they go into.
        url: of a request that carries one change.
    """

    slug: str
    key: str
    change: Mapping[str, object]
    call: Call = "identify"
    settings: Mapping[str, str] = field(default_factory=dict)
    around: tuple[bytes, bytes] = (b"[", b"]")
    form: str = ""
    url: str = ""

    @property
    def connection(self) -> Connection:
        """The destination with its settings."""
        return find(self.slug).configure(self.slug, {**self.settings, **({self.key: MadeUp()} if self.key else {})})


SHAPES = {
    "segment-identify": Shape(slug="segment", key="write_key", change=IDENTIFY, around=(b'{"batch":[', b"]}")),
    "segment-track": Shape(
        slug="segment",
        key="write_key",
        call="track",
        change={
            "messageId": MESSAGE,
            "userId": USER,
            "timestamp": TIME,
            "event": "Audience Entered",
            "type": "track",
            "properties": ENTERED,
            "context": {"personas": _computed("audience", "buyers"), "traits": WHO},
        },
        around=(b'{"batch":[', b"]}"),
    ),
    "amplitude-identify": Shape(
        slug="amplitude",
        key="api_key",
        change={"user_id": USER, "user_properties": TRAITS},
        form="identification",
    ),
    "amplitude-track": Shape(
        slug="amplitude",
        key="api_key",
        call="track",
        change={
            "user_id": USER,
            "event_type": "Audience Entered",
            "time": int(AS_OF.timestamp() * 1_000),
            "insert_id": MESSAGE,
            "event_properties": ENTERED,
            "user_properties": WHO,
        },
        around=(b'{"events":[', b'],"options":{"min_id_length":1}}'),
    ),
    "braze-identify": Shape(
        slug="braze",
        key="api_key",
        settings={"endpoint": "rest.iad-01.braze.com"},
        change={"external_id": USER, **TRAITS},
        around=(b'{"attributes":[', b"]}"),
    ),
    "hubspot-identify": Shape(
        slug="hubspot",
        key="token",
        change={
            "id": EMAIL,
            "objectWriteTraceId": MESSAGE,
            "idProperty": "email",
            "properties": {"ltv": TEXT, **WHO},
        },
        around=(b'{"inputs":[', b"]}"),
    ),
    "onesignal-identify": Shape(
        slug="onesignal",
        key="api_key",
        settings={"app_id": "a"},
        change={"properties": {"tags": {"ltv": TEXT}}},
        around=(b"", b""),
        url="https://api.onesignal.com/apps/a/users/by/external_id/{}",
    ),
    "amazon-kinesis-identify": Shape(
        slug="amazon-kinesis",
        key="",
        settings={"stream": "s", "aws_region": "eu-west-1"},
        change={"PartitionKey": USER, "Data": [IDENTIFY]},
        around=(b'{"StreamName":"s","Records":[', b"]}"),
    ),
}


def prepare(shape: Shape, folder: Path, scale: float) -> None:
    """A batch as a push has it, and the same columns as a script would read them."""
    ids = pl.int_range(int(CHANGES * scale), eager=True)
    texts = ids.cast(pl.String)
    value = ids % 4_000 / 4 if shape.call == "identify" else pl.select(pl.repeat(value=True, n=ids.len())).to_series()
    lines = pl.DataFrame(
        {
            "user_id": "user_" + texts,
            "message_id": "personas_" + ids.hash().cast(pl.String) + ids.hash(7).cast(pl.String),
            "value": value,
            "id_email": "someone." + texts + "@example.com",
            "id_phone": "+4179" + texts.str.zfill(7),
        }
    )
    lines.write_ipc(folder / "lines.arrow")
    lines.with_columns(
        pl.lit(None, pl.String).alias("account_id"),
        pl.lit("enter" if shape.call == "track" else "set").alias("change"),
        pl.col("value").cast(pl.String),
        pl.lit(AS_OF, pl.Datetime("us", "UTC")).alias("timestamp"),
        *([pl.lit(None, pl.String).alias("user_id")] if shape.connection.identifiers(shape.call) else []),
    ).write_ipc(folder / "batch.arrow")


def ours(shape: Shape, folder: Path) -> Answer:
    """The kit's own way, as a push takes it."""
    batch = pl.read_ipc(folder / "batch.arrow")
    start = time.process_time()
    requests = shape.connection.requests(shape.call, batch, COMPUTATIONS[shape.call])
    return _answer([(request.url if shape.url else "", request.content) for request in requests], start)


def with_json(shape: Shape, folder: Path) -> Answer:
    """``json.dumps``."""
    encode = partial(json.dumps, ensure_ascii=False, separators=(",", ":"))
    return _others(shape, folder, lambda value: encode(value).encode(), _builder(shape.change))


def with_orjson(shape: Shape, folder: Path) -> Answer:
    """``orjson.dumps``."""
    return _others(shape, folder, importlib.import_module("orjson").dumps, _builder(shape.change))


def with_msgspec(shape: Shape, folder: Path) -> Answer:
    """Classes of msgspec, and one encoder."""
    msgspec = importlib.import_module("msgspec")
    return _others(shape, folder, msgspec.json.Encoder().encode, _builder(shape.change, msgspec.defstruct))


def _others(shape: Shape, folder: Path, encode: Encode, build: Build) -> Answer:
    columns = pl.read_ipc(folder / "lines.arrow")
    start = time.process_time()
    lines = zip(*(columns[name].to_list() for name in COLUMNS), strict=True)
    encoded = (encode(build(*line, encode)) for line in lines)
    if shape.url:
        return _answer(
            [
                (shape.url.format(quote(user, safe="")), content)
                for user, content in zip(columns["user_id"].to_list(), encoded, strict=True)
            ],
            start,
        )
    return _answer([("", body) for body in _bodies(shape, encoded)], start)


def _builder(change: Mapping[str, object], make: Callable[..., type] | None = None) -> Build:
    """What makes the object of a line: of dicts, or of classes. What all lines have in common is made once."""
    names: dict[str, object] = {"b64encode": b64encode}

    def known(thing: object) -> str:
        name = f"known_{len(names)}"
        names[name] = thing
        return name

    def written(part: object) -> str:
        match part:
            case Python():
                return part
            case [message]:
                return f"b64encode(encode({written(message)})).decode()"
            case dict() if _varies(part) and make:
                return f"{known(make('Part', list(part)))}({', '.join(map(written, part.values()))})"
            case dict() if _varies(part):
                return f"{{{', '.join(f'{name!r}: {written(value)}' for name, value in part.items())}}}"
            case _:
                return known(part)

    source = f"lambda {', '.join(COLUMNS)}, encode: {written(change)}"
    build: Build = eval(source, names)  # noqa: S307  (written from the shapes above)
    return build


def _varies(part: object) -> bool:
    return isinstance(part, Python | list) or (isinstance(part, dict) and any(map(_varies, part.values())))


def _bodies(shape: Shape, encoded: Iterable[bytes]) -> Iterator[bytes]:
    limits, (before, after) = shape.connection.limits(shape.call), shape.around
    batch: list[bytes] = []
    size = empty = len(before) + len(after) - 1
    for line in encoded:
        more = len(line) + 1
        if len(batch) == limits.items or size + more > limits.bytes:
            yield _body(shape, before + b",".join(batch) + after)
            batch, size = [], empty
        batch.append(line)
        size += more
    yield _body(shape, before + b",".join(batch) + after)


def _body(shape: Shape, content: bytes) -> bytes:
    if not shape.form:
        return content
    return urlencode({shape.form: content, "options": '{"min_id_length":1}'}).encode()


def _answer(requests: list[tuple[str, bytes]], start: float) -> Answer:
    """How many, how many bytes, and the first, the middle and the last: enough to tell, and quick to find out."""
    seconds = time.process_time() - start
    some = repr([requests[0], requests[len(requests) // 2], requests[-1]])
    digest = hashlib.sha256(some.encode()).hexdigest()
    return Answer([len(requests), sum(len(content) for _, content in requests), digest], {"encoding s": seconds})


WAYS: Mapping[str, tuple[str, Callable[[Shape, Path], object]]] = {
    OURS: ("polars", ours),
    "json.dumps": ("json", with_json),
    "orjson": ("orjson", with_orjson),
    "msgspec": ("msgspec", with_msgspec),
}


def _ways(shape: Shape) -> Mapping[str, Way]:
    return {name: partial(way, shape) for name, (package, way) in WAYS.items() if find_spec(package)}


REFERENCE = "segment-identify"
"""An identify call with three traits and a message id, in bodies of up to 500 KB. The other shapes have no goal."""
GOALS = (
    Goal(text="encoding, against msgspec", peer="msgspec", at_least=2, of="encoding s"),
    Goal(text="encoding, against json.dumps", peer="json.dumps", at_least=15, of="encoding s"),
)

benchmarks = {
    name: Benchmark(
        title=f"{shape.slug}: requests for 100,000 changes ({shape.call})",
        unit="changes",
        size=CHANGES,
        prepare=partial(prepare, shape),
        ways=_ways(shape),
        missing={way: f"pip install {way}" for way, (package, _) in WAYS.items() if not find_spec(package)},
        goals=GOALS if name == REFERENCE else (),
        rounds=5,
    )
    for name, shape in SHAPES.items()
}
