"""What only a live account can prove of the Snowflake adapter: each check says what it saw, and none stops the others.

``personas check --live`` runs these; ``docs/snowflake.md`` says which part of the kit relies on which. They read
nothing of yours but the names of tables, and write one small table, which they drop again.
"""

from __future__ import annotations

import datetime as dt
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from personas_kit.errors import WarehouseError
from personas_kit.warehouses.snowflake import TAG, Snowflake

MANY = 1_000_000
_ZONED = "'2026-01-02T03:04:05+02:00'"


@dataclass(frozen=True, slots=True)
class LiveCheck:
    """What was looked at, whether it is as the kit expects, what was seen, and how long it took."""

    what: str
    ok: bool
    message: str
    seconds: float


class _Unexpected(Exception):
    """The account answers otherwise than the kit relies on."""


def live_checks(warehouse: Snowflake) -> Iterator[LiveCheck]:
    """Run every check, one after the other."""
    for what, check in CHECKS.items():
        start = time.monotonic()
        try:
            ok, message = True, check(warehouse)
        except (WarehouseError, _Unexpected) as problem:
            ok, message = False, " ".join(str(problem).split())
        yield LiveCheck(what, ok, message, time.monotonic() - start)


def _one(warehouse: Snowflake, statement: str, *params: object) -> dict[str, object]:
    return warehouse.query(statement, params).row(0, named=True)


def _expect(found: object, wanted: object) -> str:
    if found != wanted:
        raise _Unexpected(f"expected {wanted!r}, found {found!r}")
    return f"{found!r}, as expected"


def _session(warehouse: Snowflake) -> str:
    columns = "CURRENT_ROLE() AS role, CURRENT_WAREHOUSE() AS warehouse, CURRENT_DATABASE() AS name"
    found = _one(warehouse, f"SELECT {columns}, CURRENT_VERSION() AS version")
    if missing := [name for name, value in found.items() if value is None]:
        raise _Unexpected(f"the session has no {', no '.join(missing)}: set it for the connection")
    return ", ".join(f"{name} {value}" for name, value in found.items())


def _tag(warehouse: Snowflake) -> str:
    sent = TAG.replace("}", f', "key": "{secrets.token_hex(4)}"}}')
    found = warehouse.query("SELECT CURRENT_SESSION() AS session, LAST_QUERY_ID() AS query", (), tag=sent)
    seen = warehouse.query(
        "SELECT query_tag FROM TABLE(INFORMATION_SCHEMA.QUERY_HISTORY_BY_SESSION(RESULT_LIMIT => 100)) "
        "WHERE query_tag = ?",
        (sent,),
    )
    if not seen.height:
        raise _Unexpected(f"the tag of session {found['session'][0]} is not in its query history")
    return "the query history bears the tag"


def _zone(warehouse: Snowflake) -> str:
    found = _one(warehouse, "SELECT '2026-01-02 03:04:05'::TIMESTAMP_NTZ::TIMESTAMP_LTZ AS at")
    return _expect(found["at"], dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC))


def _times(warehouse: Snowflake) -> str:
    found = _one(
        warehouse,
        "SELECT '2026-01-02 03:04:05.678901'::TIMESTAMP_NTZ AS ntz, "
        f"TO_TIMESTAMP_TZ({_ZONED}) AS tz, '9999-12-31'::TIMESTAMP_NTZ AS far, NULL::TIMESTAMP_NTZ AS missing",
    )
    first = dt.datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=dt.UTC)
    far = dt.datetime(9999, 12, 31, tzinfo=dt.UTC)
    _expect(found, {"ntz": first, "tz": dt.datetime(2026, 1, 2, 1, 4, 5, tzinfo=dt.UTC), "far": far, "missing": None})
    return "three types of timestamps, the far future and a missing one arrive as they are"


def _texts_as_times(warehouse: Snowflake) -> str:
    found = _one(
        warehouse,
        f"SELECT CONVERT_TIMEZONE('UTC', TRY_TO_TIMESTAMP_TZ({_ZONED}))::TIMESTAMP_NTZ AS zoned, "
        "TRY_TO_TIMESTAMP_NTZ('2026-02-31') AS impossible, "
        "REGEXP_LIKE('on 2026-01-31', '[0-9]{4}-[0-9]{2}-[0-9]{2}') AS within, "
        "DATEADD(DAY, -30, '2026-01-31'::TIMESTAMP_NTZ) AS earlier, "
        "CONVERT_TIMEZONE('UTC', 'Europe/Prague', '2026-01-01 23:30:00'::TIMESTAMP_NTZ)::DATE AS local",
    )
    zoned, earlier = dt.datetime(2026, 1, 2, 1, 4, 5, tzinfo=dt.UTC), dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    wanted = {
        "zoned": zoned, "impossible": None, "within": False, "earlier": earlier, "local": dt.date(2026, 1, 2),
    }  # fmt: skip
    _expect(found, wanted)
    return "offsets, impossible days, DATEADD and zones are read as the compiler means them"


def _case(warehouse: Snowflake) -> str:
    try:
        warehouse.query('SELECT "user_id" FROM (SELECT 1 AS USER_ID)', ())
    except WarehouseError:
        return "a quoted lower-case name does not mean an upper-case one"
    raise _Unexpected("a quoted lower-case name means an upper-case one: QUOTED_IDENTIFIERS_IGNORE_CASE is on")


def _documents(warehouse: Snowflake) -> str:
    found = _one(
        warehouse,
        """SELECT TO_VARCHAR(GET(PARSE_JSON('{"plan": "pro", "n": 3, "none": null}'), 'plan')) AS plan, """
        """TO_VARCHAR(GET(PARSE_JSON('{"n": 3}'), 'n')) AS n, """
        """TO_VARCHAR(GET(PARSE_JSON('{"none": null}'), 'none')) AS none""",
    )
    _expect(found, {"plan": "pro", "n": "3", "none": None})
    return "properties of a VARIANT are read by name, a JSON null is missing"


def _lists(warehouse: Snowflake) -> str:
    found = _one(
        warehouse,
        "SELECT ARRAY_AGG(c) WITHIN GROUP (ORDER BY c) AS texts, "
        "ARRAY_CONTAINS(TO_VARIANT('a'), CAST(CAST(ARRAY_CONSTRUCT('a') AS ARRAY(VARCHAR)) AS ARRAY)) AS typed "
        "FROM (SELECT column1 AS c FROM VALUES ('b'), ('a'))",
    )
    return _expect(found, {"texts": ["a", "b"], "typed": True})


def _numbers(warehouse: Snowflake) -> str:
    found = warehouse.query(
        "SELECT 7::NUMBER(38, 0) AS whole, 12.50::NUMBER(10, 2) AS amount, 0.1::FLOAT AS share, COUNT(*) AS lines", ()
    )
    wanted = {"whole": pl.Int64(), "amount": pl.Decimal(10, 2), "share": pl.Float64(), "lines": pl.Int64()}
    _expect(dict(found.schema), wanted)
    return _expect(found.row(0), (7, Decimal("12.50"), 0.1, 1))


def _empty(warehouse: Snowflake) -> str:
    found = warehouse.query("SELECT 1 AS one, 'a' AS letter, 1.5::NUMBER(3, 1) AS amount WHERE FALSE", ())
    return _expect(dict(found.schema), {"one": pl.Int64(), "letter": pl.String(), "amount": pl.Decimal(3, 1)})


def _large(warehouse: Snowflake) -> str:
    numbers = f"SELECT SEQ4() AS n, UUID_STRING() AS id FROM TABLE(GENERATOR(ROWCOUNT => {MANY}))"  # noqa: S608
    heights = [part.height for part in warehouse.batches(numbers, ())]
    _expect(sum(heights), MANY)
    return f"{MANY:,} lines in {len(heights)} parts"


def _explain(warehouse: Snowflake) -> str:
    found = warehouse.estimate("SELECT COUNT(*) FROM INFORMATION_SCHEMA.TABLES WHERE table_name = ?", ("X",))
    return f"EXPLAIN says {found}"


def _cancel(warehouse: Snowflake) -> str:
    start = time.monotonic()
    timer = threading.Timer(3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    try:
        warehouse.query("SELECT SYSTEM$WAIT(60, 'SECONDS') AS waited", ())
    except KeyboardInterrupt:
        took = time.monotonic() - start
        _expect(took < 20, True)  # noqa: FBT003, PLR2004 - much less than the query would take
        return f"an interrupt ended it after {took:.0f} s"
    finally:
        timer.cancel()
    raise _Unexpected("the query went on to its end")


def _write(warehouse: Snowflake) -> str:
    name = f"PERSONAS_KIT_CHECK_{secrets.token_hex(4)}".upper()
    frame = pl.DataFrame(
        {
            "ID": [r"\N", "", None],  # neither of the texts is a missing one
            "N": [1, 2, None],
            "AT": [dt.datetime(2026, 1, 2, tzinfo=dt.UTC), None, None],
            "BYTES": [b"\xff\x00", b"", None],
        },
        schema_overrides={"AT": pl.Datetime("us", "UTC")},
    )
    warehouse.write(name, frame)
    try:
        found = warehouse.query(f'SELECT * FROM "{name}" ORDER BY n NULLS LAST', ())  # noqa: S608 - our own name
    finally:
        warehouse.drop(name)
    return _expect(found.rows(), frame.rows())


#: Every check by its name.
CHECKS: dict[str, Callable[[Snowflake], str]] = {
    "session": _session,
    "tag": _tag,
    "time zone": _zone,
    "timestamps": _times,
    "texts as times": _texts_as_times,
    "names": _case,
    "documents": _documents,
    "lists": _lists,
    "numbers": _numbers,
    "empty answer": _empty,
    "large answer": _large,
    "estimate": _explain,
    "cancel": _cancel,
    "write": _write,
}
