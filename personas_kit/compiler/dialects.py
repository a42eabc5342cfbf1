"""What DuckDB, Snowflake, PostgreSQL and BigQuery spell differently. One class each; the rest is sqlglot's generator.

DuckDB's and PostgreSQL's side is executed by the tests; Snowflake's is checked against an emulator, see
https://docs.snowflake.com/en/sql-reference/functions-all for the functions themselves. BigQuery's is written and
parsed, and executed nowhere: https://cloud.google.com/bigquery/docs/reference/standard-sql/functions-all
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import ClassVar

from sqlglot import exp

from personas_kit.compiler.source import ColumnType
from personas_kit.errors import UnknownName

#: Words that cannot be a bare column name in at least one of the dialects.
_RESERVED = frozenset(
    """
    account all alter and any anti array as asc asof at between both by case cast check collate column connect
    connection constraint create cross current current_date current_time current_timestamp current_user
    database default deferrable delete desc describe distinct do drop else end except exists false fetch
    following for foreign from full glob grant group gscluster having if ilike in increment initially inner
    insert intersect into is isnull issue join lambda lateral leading left like limit localtime localtimestamp
    map minus natural not notnull null of offset on only or order organization outer overlaps pivot placing
    positional primary qualify references regexp returning revoke right rlike row rows sample schema select
    semi set similar some start struct summarize symmetric table tablesample then to trailing trigger true
    try_cast union unique unpivot update using values variadic verbose view when whenever where window with
    assert_rows_modified contains cube define enum escape exclude extract groups hash if ignore lookup merge new no
    nulls over partition proto range recursive respect rollup unnest within
    graph_table grouping interval preceding treat unbounded
    analyse analyze asymmetric authorization binary collation concurrently current_catalog current_role current_schema
    freeze session_user system_user user
    """.split()  # noqa: SIM905  - one word a line would be a page
)
_DATATYPES: Mapping[ColumnType, str] = MappingProxyType(
    {"integer": "BIGINT", "float": "DOUBLE", "text": "TEXT", "boolean": "BOOLEAN", "date": "DATE"}
)
#: A text that says its offset from UTC, after the day.
_OFFSET = "[T ].+(Z|[+-][0-9]{2}(:?[0-9]{2})?)"
_ZONED = f".+{_OFFSET}"
#: Texts that Snowflake is asked to read as times: the others that it would read are numbers, and dates in other orders.
_SF_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_SF_ZONED = f"{_SF_DAY}{_OFFSET}"
_SF_TIME = f"{_SF_DAY}([T ].+)?"
#: Texts that PostgreSQL casts without failing: numbers that are in range, days that exist (leap years counted), times.
_PG_NUMBER = (
    r"^\s*[+-]?([0-9]{1,255}(\.[0-9]{0,255})?|\.[0-9]{1,255}"
    r"|[0-9]{1,15}(\.[0-9]{0,15})?[eE][+-]?([0-9]{1,2}|[12][0-8][0-9])|\.[0-9]{1,15}[eE][+-]?([0-9]{1,2}|[12][0-8][0-9]))\s*$"
)
_PG_LEAP = "([0-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[13579][26]|0[48])00)"
_PG_DAY = (
    "((000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})-"
    "((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
    f"|{_PG_LEAP}-02-29)"
)
_PG_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?"
_PG_OFFSET = "(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)"
#: Up to the fraction of a second.
_TO_CHAR = 'YYYY-MM-DD"T"HH24:MI:SS.'
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HOUR, _DAY = 3_600, 86_400


class Dialect:
    """How one warehouse spells what sqlglot does not know."""

    name: ClassVar[str]
    named: ClassVar[bool]
    """Values are bound by name; else in the order of their marks."""
    quoted: ClassVar[str] = r""""(?:[^"]|"")*"|'(?:[^']|'')*'"""
    """A name or a text in quotes, as a pattern."""
    _bare: ClassVar[re.Pattern[str]]

    def identifier(self, name: str, *, foreign: bool = False) -> exp.Identifier:
        """The warehouse's own name, quoted unless it means the same without.

        A ``foreign`` name comes from a warehouse of another kind, which may have folded it differently: a plain one is
        left for this warehouse to fold.
        """
        plain = bool((_PLAIN if foreign else self._bare).fullmatch(name))
        return exp.to_identifier(name, quoted=not plain or name.casefold() in _RESERVED)

    def type(self, kind: ColumnType) -> exp.DataType:
        """The type to cast a literal to."""
        if kind == "timestamp":
            return self.naive
        if kind == "timestamp_tz":
            return exp.DataType(this=exp.DataType.Type.TIMESTAMPTZ)
        return exp.DataType.build(_DATATYPES[kind])

    @property
    def naive(self) -> exp.DataType:
        """A timestamp without a zone, whatever the session says."""
        raise NotImplementedError

    def bound(self, value: object, kind: ColumnType, name: str) -> tuple[exp.Expr, object]:
        """The placeholder and what the driver is given for it."""
        raise NotImplementedError

    def mark(self, position: int) -> str:  # noqa: ARG002 - for those that count
        """Where the value at a position goes, counted from 1, if values are not bound by name."""
        return "?"

    def op(self, name: str, arguments: list[exp.Expr], options: tuple[str, ...]) -> exp.Expr:
        """One of the kit's functions, over arguments that are rendered already."""
        if name == "later":
            return self.later(arguments[0], int(options[0]), options[1])  # type: ignore[arg-type]
        build: Callable[..., exp.Expr] = getattr(self, f"_{name}")
        return build(*arguments, *options)

    def literal(self, value: object, kind: ColumnType) -> exp.Expr:
        """A constant that can be pasted."""
        match value:
            case bool():
                return exp.true() if value else exp.false()
            case float() if kind == "float":
                return exp.Cast(this=exp.Literal.string(repr(value)), to=self.type("float"))
            case int() | float() | Decimal():
                number = exp.Literal.number(format(abs(Decimal(str(value))), "f"))
                return exp.Neg(this=number) if value < 0 else number
            case dt.datetime():
                return exp.Cast(this=exp.Literal.string(value.isoformat(sep=" ")), to=self.type(kind))
            case dt.date():
                return exp.Cast(this=exp.Literal.string(value.isoformat()), to=self.type("date"))
            case _:
                return exp.Literal.string(str(value))

    def shifted(self, base: exp.Expr, seconds: int, *, exact: bool) -> exp.Expr:
        """``base`` plus seconds, in days where a day is 24 hours for sure (``exact`` is for types with a zone)."""
        return self._later(base, *_span(seconds, exact=exact)) if seconds else base

    def _later(self, base: exp.Expr, amount: int, unit: str) -> exp.Expr:
        span = exp.Interval(this=exp.Literal.string(str(abs(amount))), unit=exp.var(unit))
        return exp.Sub(this=base, expression=span) if amount < 0 else exp.Add(this=base, expression=span)

    def _sortable(self, text: exp.Expr) -> exp.Expr:
        """By code points, unless somebody has set another collation for the column."""
        return text

    def _json_entries(self, documents: exp.Expr, *names: str) -> exp.Expr:
        """The named columns, and ``property`` and ``type`` of every entry of the ``document`` of each line."""
        source = exp.Subquery(this=documents, alias=exp.TableAlias(this=exp.to_identifier("d")))
        entries, kind = self._entries(exp.column("document", table="d"))
        called = exp.TableAlias(this=exp.to_identifier("j"))
        made = exp.select(exp.alias_(exp.column("key", table="j"), "property"), exp.alias_(kind, "type")).from_(source)
        made = made.select(*(exp.column(name, table="d") for name in names))
        return made.join(exp.Lateral(this=entries, alias=called), join_type="CROSS")

    def _entries(self, document: exp.Expr) -> tuple[exp.Expr, exp.Expr]:
        """A function that gives the ``key`` of each entry, and what says the type of one, both of a table ``j``."""
        raise NotImplementedError

    def _contains(self, text: exp.Expr, part: exp.Expr) -> exp.Expr:
        return exp.Anonymous(this="CONTAINS", expressions=[text, part])

    def later(self, base: exp.Expr, seconds: int, kind: ColumnType) -> exp.Expr:
        """A column of some type of time, so many seconds later."""
        if kind == "date":
            base = exp.Cast(this=base, to=self.naive)
        return self.shifted(base, seconds, exact=kind == "timestamp_tz")

    def _md5(self, text: exp.Expr) -> exp.Expr:
        """32 hexadecimal digits in lower case."""
        return exp.Anonymous(this="MD5", expressions=[text])

    def _sha256(self, text: exp.Expr) -> exp.Expr:
        """64 hexadecimal digits in lower case, of the UTF-8 of a text."""
        return exp.Anonymous(this="SHA256", expressions=[text])

    def _time_text(self, naive: exp.Expr) -> exp.Expr:
        """``2026-01-31T08:00:00.123456000``: a time without a zone, always with nanoseconds."""
        return exp.Anonymous(this="STRFTIME", expressions=[naive, exp.Literal.string("%Y-%m-%dT%H:%M:%S.%n")])

    def _exact(self, text: exp.Expr) -> exp.Expr:
        """What is equal only where two texts are the same, whatever collation somebody has set for a column."""
        return exp.Anonymous(this="ENCODE", expressions=[exp.Cast(this=text, to=self.type("text"))])

    def _elements(self, lists: exp.Expr, *names: str) -> exp.Expr:
        """The named columns and ``value`` for each element of the list ``listed`` of each line."""
        source = exp.Subquery(this=lists, alias=exp.TableAlias(this=exp.to_identifier("l")))
        texts = exp.Cast(this=exp.column("listed", table="l"), to=exp.DataType.build("TEXT[]"))
        each = exp.Anonymous(this="UNNEST", expressions=[texts])
        return exp.select(*(exp.column(name, table="l") for name in names), exp.alias_(each, "value")).from_(source)


class DuckDB(Dialect):
    """DuckDB: ``$p1`` with a mapping."""

    name = "duckdb"
    named = True
    _bare = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

    @property
    def naive(self) -> exp.DataType:
        """``TIMESTAMP`` has no zone."""
        return exp.DataType(this=exp.DataType.Type.TIMESTAMP)

    def bound(self, value: object, kind: ColumnType, name: str) -> tuple[exp.Expr, object]:  # noqa: ARG002
        """Types come with the Python values."""
        return exp.Parameter(this=exp.var(name)), value

    def _starts_with(self, text: exp.Expr, part: exp.Expr) -> exp.Expr:
        return exp.Anonymous(this="STARTS_WITH", expressions=[text, part])

    def _ends_with(self, text: exp.Expr, part: exp.Expr) -> exp.Expr:
        return exp.Anonymous(this="ENDS_WITH", expressions=[text, part])

    def _pointer(self, path: tuple[str, ...]) -> exp.Expr:
        """A JSON pointer: unlike a path, every name can be said in it."""
        return exp.Literal.string("".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path))

    def _json_text(self, document: exp.Expr, *path: str) -> exp.Expr:
        return exp.Anonymous(this="JSON_EXTRACT_STRING", expressions=[document, self._pointer(path)])

    def _entries(self, document: exp.Expr) -> tuple[exp.Expr, exp.Expr]:
        return exp.Anonymous(this="JSON_EACH", expressions=[document]), exp.column("type", table="j")

    def _number(self, text: exp.Expr) -> exp.Expr:
        return exp.TryCast(this=text, to=self.type("float"))

    def _instant(self, text: exp.Expr, zone: str) -> exp.Expr:
        """An offset is converted to UTC (TRY_CAST to TIMESTAMP drops it), none is UTC, a day is its midnight there."""
        plain = exp.TryCast(this=text.copy(), to=self.naive)
        zoned = exp.Anonymous(this="REGEXP_FULL_MATCH", expressions=[text.copy(), exp.Literal.string(_ZONED)])
        inside = exp.TryCast(this=text.copy(), to=self.type("timestamp_tz"))
        utc = exp.Anonymous(this="TIMEZONE", expressions=[exp.Literal.string("UTC"), inside])
        either = exp.Case(ifs=[exp.If(this=zoned, true=utc)], default=plain)
        aware = exp.Anonymous(this="TIMEZONE", expressions=[exp.Literal.string(zone), plain.copy()])
        midnight = exp.Anonymous(this="TIMEZONE", expressions=[exp.Literal.string("UTC"), aware])
        return either if zone == "UTC" else _by_length(text, midnight, either)

    def _sorted_list(self, value: exp.Expr) -> exp.Expr:
        return exp.Anonymous(
            this="LIST", expressions=[exp.Order(this=value.copy(), expressions=[exp.Ordered(this=value)])]
        )

    def _integer_sum(self, value: exp.Expr) -> exp.Expr:
        """A sum of integers is a HUGEINT, which few readers of results know."""
        return exp.Cast(this=exp.Sum(this=value), to=self.type("integer"))

    def _local_date(self, naive: exp.Expr, zone: str) -> exp.Expr:
        return exp.Cast(this=self._at(self._at(naive, "UTC"), zone), to=self.type("date"))

    def _utc(self, aware: exp.Expr) -> exp.Expr:
        return self._at(aware, "UTC")

    def _midnight(self, day: exp.Expr, zone: str) -> exp.Expr:
        naive = exp.Cast(this=day, to=self.naive)
        return naive if zone == "UTC" else self._at(self._at(naive, zone), "UTC")

    def _at(self, time: exp.Expr, zone: str) -> exp.Expr:
        """Of a naive time in the zone the instant, of an instant the time there."""
        return exp.Anonymous(this="TIMEZONE", expressions=[exp.Literal.string(zone), time])

    def _list_contains(self, listed: exp.Expr, text: exp.Expr) -> exp.Expr:
        texts = exp.Cast(this=listed, to=exp.DataType.build("TEXT[]"))
        return exp.Anonymous(this="LIST_CONTAINS", expressions=[texts, text])

    def _json_list(self, document: exp.Expr, *path: str) -> exp.Expr:
        """Of what is no list, nothing."""
        found = exp.Anonymous(this="JSON_EXTRACT", expressions=[document, self._pointer(path)])
        kind = exp.EQ(this=exp.Anonymous(this="JSON_TYPE", expressions=[found]), expression=exp.Literal.string("ARRAY"))
        texts = exp.TryCast(this=found.copy(), to=exp.DataType.build("TEXT[]"))
        return exp.Case(ifs=[exp.If(this=kind, true=texts)])


class Snowflake(Dialect):
    """Snowflake: ``?`` from left to right. Unquoted names are upper case there."""

    name = "snowflake"
    named = False
    quoted = r""""(?:[^"]|"")*"|'(?:[^'\\]|''|\\.)*'"""
    _bare = re.compile(r"[A-Z_][A-Z0-9_$]*")

    @property
    def naive(self) -> exp.DataType:
        """``TIMESTAMP`` alone means what the account's TIMESTAMP_TYPE_MAPPING says."""
        return exp.DataType(this=exp.DataType.Type.TIMESTAMPNTZ)

    def bound(self, value: object, kind: ColumnType, name: str) -> tuple[exp.Expr, object]:
        """Times go as text and are cast: the driver's own mapping of them depends on the session."""
        mark = exp.Placeholder(this=name)
        if isinstance(value, dt.datetime):
            return exp.Cast(this=mark, to=self.type(kind)), value.isoformat(sep=" ")
        if isinstance(value, dt.date):
            return exp.Cast(this=mark, to=self.type("date")), value.isoformat()
        return mark, value

    def _later(self, base: exp.Expr, amount: int, unit: str) -> exp.Expr:
        number = exp.Literal.number(abs(amount))
        moved = exp.Neg(this=number) if amount < 0 else number
        return exp.Anonymous(this="DATEADD", expressions=[exp.var(unit), moved, base])

    def _sha256(self, text: exp.Expr) -> exp.Expr:
        return exp.Anonymous(this="SHA2", expressions=[text, exp.Literal.number(256)])

    def _time_text(self, naive: exp.Expr) -> exp.Expr:
        return exp.Anonymous(this="TO_CHAR", expressions=[naive, exp.Literal.string(f"{_TO_CHAR}FF9")])

    def _exact(self, text: exp.Expr) -> exp.Expr:
        utf8 = exp.Literal.string("UTF-8")
        return exp.Anonymous(this="TO_BINARY", expressions=[exp.Cast(this=text, to=self.type("text")), utf8])

    def _starts_with(self, text: exp.Expr, part: exp.Expr) -> exp.Expr:
        return exp.Anonymous(this="STARTSWITH", expressions=[text, part])

    def _ends_with(self, text: exp.Expr, part: exp.Expr) -> exp.Expr:
        return exp.Anonymous(this="ENDSWITH", expressions=[text, part])

    def _json_text(self, document: exp.Expr, *path: str) -> exp.Expr:
        for part in path:
            document = exp.Anonymous(this="GET", expressions=[document, exp.Literal.string(part)])
        return exp.Anonymous(this="TO_VARCHAR", expressions=[document])

    def _entries(self, document: exp.Expr) -> tuple[exp.Expr, exp.Expr]:
        flattened = exp.Anonymous(this="FLATTEN", expressions=[exp.Kwarg(this=exp.var("INPUT"), expression=document)])
        return flattened, exp.Anonymous(this="TYPEOF", expressions=[exp.column("value", table="j")])

    def _number(self, text: exp.Expr) -> exp.Expr:
        return exp.Anonymous(this="TRY_TO_DOUBLE", expressions=[text])

    def _instant(self, text: exp.Expr, zone: str) -> exp.Expr:
        """With an offset it is converted to UTC, without one it is UTC: a bare TRY_TO_TIMESTAMP drops the offset.

        A text of digits it would take for so many seconds or milliseconds since 1970.
        (https://docs.snowflake.com/en/sql-reference/functions/to_timestamp, "Usage notes", read 2026-11-27)
        """
        aware = exp.Anonymous(this="TRY_TO_TIMESTAMP_TZ", expressions=[text.copy()])
        plain = exp.Anonymous(this="TRY_TO_TIMESTAMP_NTZ", expressions=[text.copy()])
        read = {_SF_ZONED: self._utc(aware), _SF_TIME: plain}
        if zone != "UTC":
            read = {_SF_DAY: self._moved(plain.copy(), zone, "UTC"), **read}
        return exp.Case(ifs=[exp.If(this=self._matches(text, pattern), true=time) for pattern, time in read.items()])

    def _matches(self, text: exp.Expr, pattern: str) -> exp.Expr:
        """From its first to its last letter, as REGEXP_LIKE always does there."""
        return exp.Anonymous(this="REGEXP_LIKE", expressions=[text.copy(), exp.Literal.string(pattern)])

    def _sorted_list(self, value: exp.Expr) -> exp.Expr:
        listed = exp.Anonymous(this="ARRAY_AGG", expressions=[value.copy()])
        return exp.WithinGroup(this=listed, expression=exp.Order(expressions=[exp.Ordered(this=value)]))

    def _integer_sum(self, value: exp.Expr) -> exp.Expr:
        return exp.Sum(this=value)

    def _local_date(self, naive: exp.Expr, zone: str) -> exp.Expr:
        return exp.Cast(this=self._moved(naive, "UTC", zone), to=self.type("date"))

    def _utc(self, aware: exp.Expr) -> exp.Expr:
        utc = exp.Anonymous(this="CONVERT_TIMEZONE", expressions=[exp.Literal.string("UTC"), aware])
        return exp.Cast(this=utc, to=self.naive)

    def _midnight(self, day: exp.Expr, zone: str) -> exp.Expr:
        naive = exp.Cast(this=day, to=self.naive)
        return naive if zone == "UTC" else self._moved(naive, zone, "UTC")

    def _moved(self, naive: exp.Expr, one: str, other: str) -> exp.Expr:
        zones = [exp.Literal.string(one), exp.Literal.string(other)]
        return exp.Anonymous(this="CONVERT_TIMEZONE", expressions=[*zones, naive])

    def _list_contains(self, listed: exp.Expr, text: exp.Expr) -> exp.Expr:
        """A column that says the type of its elements is compared with that type, any other with a VARIANT.

        (https://docs.snowflake.com/en/sql-reference/functions/array_contains, read 2026-11-27)
        """
        element = exp.Anonymous(this="TO_VARIANT", expressions=[text])
        untyped = exp.Cast(this=listed, to=exp.DataType.build("ARRAY"))
        return exp.Anonymous(this="ARRAY_CONTAINS", expressions=[element, untyped])

    def _json_list(self, document: exp.Expr, *path: str) -> exp.Expr:
        for part in path:
            document = exp.Anonymous(this="GET", expressions=[document, exp.Literal.string(part)])
        return exp.Anonymous(this="AS_ARRAY", expressions=[document])

    def _elements(self, lists: exp.Expr, *names: str) -> exp.Expr:
        source = exp.Subquery(this=lists, alias=exp.TableAlias(this=exp.to_identifier("l")))
        given = exp.Kwarg(this=exp.var("INPUT"), expression=exp.column("listed", table="l"))
        each = exp.Anonymous(this="TO_VARCHAR", expressions=[exp.column("value", table="f")])
        made = exp.select(*(exp.column(name, table="l") for name in names), exp.alias_(each, "value")).from_(source)
        flattened = exp.Anonymous(this="FLATTEN", expressions=[given])
        called = exp.TableAlias(this=exp.to_identifier("f"))
        return made.join(exp.Lateral(this=flattened, alias=called), join_type="CROSS")


class PostgreSQL(Dialect):
    """PostgreSQL: ``$1`` from left to right. Unquoted names are lower case there.

    What is odd: it has no TRY_CAST, and a text that is no number or no date fails the whole query. So a text is cast
    only if a pattern says that it can be. (https://www.postgresql.org/docs/current/functions-matching.html and
    https://www.postgresql.org/docs/current/sql-expressions.html#SYNTAX-EXPRESS-EVAL, read 2026-11-23)
    """

    name = "postgres"
    named = False
    _bare = re.compile(r"[a-z_][a-z0-9_$]*")

    @property
    def naive(self) -> exp.DataType:
        """``TIMESTAMP`` has no zone."""
        return exp.DataType(this=exp.DataType.Type.TIMESTAMP)

    def mark(self, position: int) -> str:
        """``$1``, as the server itself counts."""
        return f"${position}"

    def bound(self, value: object, kind: ColumnType, name: str) -> tuple[exp.Expr, object]:  # noqa: ARG002
        """Types come with the Python values; a text has none, so that it compares with a UUID or an enum, too."""
        return exp.var(f":{name}"), value

    def _sortable(self, text: exp.Expr) -> exp.Expr:
        """The database has the collation of some language; an enum has an order of its own, and a UUID no collation."""
        return exp.Collate(this=self._cast(text, self.type("text")), expression=exp.to_identifier("C", quoted=True))

    def _exact(self, text: exp.Expr) -> exp.Expr:
        return self._sortable(text)

    def _time_text(self, naive: exp.Expr) -> exp.Expr:
        return exp.Anonymous(this="TO_CHAR", expressions=[naive, exp.Literal.string(f'{_TO_CHAR}US"000"')])

    def _sha256(self, text: exp.Expr) -> exp.Expr:
        utf8 = exp.Anonymous(this="CONVERT_TO", expressions=[text, exp.Literal.string("UTF8")])
        digest = exp.Anonymous(this="SHA256", expressions=[utf8])
        return exp.Anonymous(this="ENCODE", expressions=[digest, exp.Literal.string("hex")])

    def _contains(self, text: exp.Expr, part: exp.Expr) -> exp.Expr:
        found = exp.Anonymous(this="STRPOS", expressions=[text, part])
        return exp.GT(this=found, expression=exp.Literal.number(0))

    def _starts_with(self, text: exp.Expr, part: exp.Expr) -> exp.Expr:
        return exp.Anonymous(this="STARTS_WITH", expressions=[text, part])

    def _ends_with(self, text: exp.Expr, part: exp.Expr) -> exp.Expr:
        length = exp.Anonymous(this="LENGTH", expressions=[part])
        return exp.EQ(this=exp.Anonymous(this="RIGHT", expressions=[text, length]), expression=part.copy())

    def _json_text(self, document: exp.Expr, *path: str) -> exp.Expr:
        names = exp.Array(expressions=[exp.Literal.string(part) for part in path])
        return exp.paren(exp.JSONBExtractScalar(this=document, expression=names))

    def _entries(self, document: exp.Expr) -> tuple[exp.Expr, exp.Expr]:
        """Only an object has entries: of anything else there are none, where JSONB_EACH would fail."""
        binary = exp.Cast(this=document, to=exp.DataType.build("JSONB"))
        kind = exp.Anonymous(this="JSONB_TYPEOF", expressions=[binary.copy()])
        is_object = exp.EQ(this=kind, expression=exp.Literal.string("object"))
        entries = exp.Case(ifs=[exp.If(this=is_object, true=binary)])
        value = exp.column("value", table="j")
        return exp.Anonymous(this="JSONB_EACH", expressions=[entries]), exp.Anonymous(
            this="JSONB_TYPEOF", expressions=[value]
        )

    def _number(self, text: exp.Expr) -> exp.Expr:
        return self._cast_if(text, _PG_NUMBER, self.type("float"))

    def _instant(self, text: exp.Expr, zone: str) -> exp.Expr:
        """With an offset it is converted to UTC, without one it is UTC, a day is its midnight there."""
        aware = self._at(self._cast(text, self.type("timestamp_tz")), "UTC")
        zoned = exp.If(this=self._matches(text, f"^{_PG_DAY}[T ]{_PG_TIME} ?{_PG_OFFSET}$"), true=aware)
        plain = exp.If(this=self._matches(text, f"^{_PG_DAY}[T ]{_PG_TIME}$"), true=self._cast(text, self.naive))
        midnight = self._cast(text, self.naive)
        day = exp.If(
            this=self._matches(text, f"^{_PG_DAY}$"),
            true=midnight if zone == "UTC" else self._at(self._at(midnight, zone), "UTC"),
        )
        return exp.Case(ifs=[day, zoned, plain])

    def _sorted_list(self, value: exp.Expr) -> exp.Expr:
        order = exp.Order(this=value.copy(), expressions=[exp.Ordered(this=value)])
        return exp.Anonymous(this="ARRAY_AGG", expressions=[order])

    def _integer_sum(self, value: exp.Expr) -> exp.Expr:
        """A sum of integers is a NUMERIC."""
        return self._cast(exp.Sum(this=value), self.type("integer"))

    def _local_date(self, naive: exp.Expr, zone: str) -> exp.Expr:
        return self._cast(self._at(self._at(exp.paren(naive), "UTC"), zone), self.type("date"))

    def _utc(self, aware: exp.Expr) -> exp.Expr:
        return self._at(aware, "UTC")

    def _midnight(self, day: exp.Expr, zone: str) -> exp.Expr:
        naive = self._cast(day, self.naive)
        return naive if zone == "UTC" else self._at(self._at(naive, zone), "UTC")

    def _list_contains(self, listed: exp.Expr, text: exp.Expr) -> exp.Expr:
        texts = exp.Cast(this=listed, to=exp.DataType.build("TEXT[]"))
        return exp.EQ(this=text, expression=exp.Anonymous(this="ANY", expressions=[texts]))

    def _json_list(self, document: exp.Expr, *path: str) -> exp.Expr:
        """Of what is no list, nothing."""
        names = exp.Array(expressions=[exp.Literal.string(part) for part in path])
        binary = exp.Cast(this=document, to=exp.DataType.build("JSONB"))
        found = exp.paren(exp.JSONBExtract(this=binary, expression=names))
        kind = exp.Anonymous(this="JSONB_TYPEOF", expressions=[found])
        is_list = exp.EQ(this=kind, expression=exp.Literal.string("array"))
        only = exp.Case(ifs=[exp.If(this=is_list.copy(), true=found.copy())])
        each = exp.select(exp.Anonymous(this="JSONB_ARRAY_ELEMENTS_TEXT", expressions=[only]))
        texts = exp.Anonymous(this="ARRAY", expressions=[each])
        return exp.Case(ifs=[exp.If(this=is_list, true=texts)])

    def _at(self, time: exp.Expr, zone: str) -> exp.Expr:
        return exp.AtTimeZone(this=time, zone=exp.Literal.string(zone))

    def _cast(self, value: exp.Expr, to: exp.DataType) -> exp.Expr:
        return exp.Cast(this=value.copy(), to=to)

    def _matches(self, text: exp.Expr, pattern: str) -> exp.Expr:
        return exp.RegexpLike(this=text.copy(), expression=exp.Literal.string(pattern))

    def _cast_if(self, text: exp.Expr, pattern: str, to: exp.DataType) -> exp.Expr:
        return exp.Case(ifs=[exp.If(this=self._matches(text, pattern), true=self._cast(text, to))])


class BigQuery(Dialect):
    """BigQuery: ``@p1`` with a mapping. Written and parsed, and executed nowhere by the tests.

    What is odd: ``TIMESTAMP`` is an instant and ``DATETIME`` has no zone; time is moved by functions; JSON is read by a
    path in a literal, and a property that is an object or a list has no text (elsewhere its JSON is its text). A part
    of a statement that several others read is computed for each of them.
    (https://cloud.google.com/bigquery/docs/reference/standard-sql/functions-all, read 2026-11-23)
    """

    name = "bigquery"
    named = True
    _bare = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

    @property
    def naive(self) -> exp.DataType:
        """``DATETIME`` has no zone."""
        return exp.DataType(this=exp.DataType.Type.DATETIME)

    def bound(self, value: object, kind: ColumnType, name: str) -> tuple[exp.Expr, object]:  # noqa: ARG002
        """Types come with the Python values."""
        return exp.Parameter(this=exp.var(name)), value

    def shifted(self, base: exp.Expr, seconds: int, *, exact: bool) -> exp.Expr:
        """Days do not add to an instant, hours and seconds do."""
        if not seconds:
            return base
        amount, unit = _span(seconds, exact=exact)
        span = exp.Interval(this=exp.Literal.number(abs(amount)), unit=exp.var(unit))
        function = f"{'TIMESTAMP' if exact else 'DATETIME'}_{'ADD' if seconds > 0 else 'SUB'}"
        return exp.Anonymous(this=function, expressions=[base, span])

    def _contains(self, text: exp.Expr, part: exp.Expr) -> exp.Expr:
        found = exp.Anonymous(this="STRPOS", expressions=[text, part])
        return exp.GT(this=found, expression=exp.Literal.number(0))

    def _starts_with(self, text: exp.Expr, part: exp.Expr) -> exp.Expr:
        return exp.Anonymous(this="STARTS_WITH", expressions=[text, part])

    def _ends_with(self, text: exp.Expr, part: exp.Expr) -> exp.Expr:
        return exp.Anonymous(this="ENDS_WITH", expressions=[text, part])

    def _md5(self, text: exp.Expr) -> exp.Expr:
        digest = exp.Anonymous(this="MD5", expressions=[text])
        return exp.Anonymous(this="TO_HEX", expressions=[digest])

    def _sha256(self, text: exp.Expr) -> exp.Expr:
        return exp.Anonymous(this="TO_HEX", expressions=[super()._sha256(text)])

    def _time_text(self, naive: exp.Expr) -> exp.Expr:
        text = exp.Anonymous(this="FORMAT_DATETIME", expressions=[exp.Literal.string("%Y-%m-%dT%H:%M:%E6S"), naive])
        return exp.DPipe(this=text, expression=exp.Literal.string("000"))

    def _exact(self, text: exp.Expr) -> exp.Expr:
        return exp.Cast(
            this=exp.Cast(this=text, to=self.type("text")), to=exp.DataType.build("BYTES", dialect="bigquery")
        )

    def _path(self, path: tuple[str, ...]) -> exp.Expr:
        quoted = (part.replace("\\", "\\\\").replace('"', '\\"') for part in path)
        return exp.Literal.string("$" + "".join(f'."{part}"' for part in quoted))

    def _json_text(self, document: exp.Expr, *path: str) -> exp.Expr:
        return exp.Anonymous(this="JSON_VALUE", expressions=[document, self._path(path)])

    def _json_entries(self, documents: exp.Expr, *names: str) -> exp.Expr:
        """``JSON_KEYS`` lists the outermost keys, by which the values are found."""
        source = exp.Subquery(this=documents, alias=exp.TableAlias(this=exp.to_identifier("d")))
        document, key = exp.column("document", table="d"), exp.column("property")
        value = exp.Bracket(this=document.copy(), expressions=[key.copy()])
        kind = exp.Anonymous(this="JSON_TYPE", expressions=[value])
        keys = exp.Anonymous(this="JSON_KEYS", expressions=[document, exp.Literal.number(1)])
        made = exp.select(key, exp.alias_(kind, "type"), *(exp.column(name, table="d") for name in names)).from_(source)
        called = exp.TableAlias(columns=[exp.to_identifier("property")])
        return made.join(exp.Unnest(expressions=[keys], alias=called), join_type="CROSS")

    def _json_list(self, document: exp.Expr, *path: str) -> exp.Expr:
        return exp.Anonymous(this="JSON_VALUE_ARRAY", expressions=[document, self._path(path)])

    def _list_contains(self, listed: exp.Expr, text: exp.Expr) -> exp.Expr:
        return exp.In(this=text, unnest=exp.Unnest(expressions=[listed]))

    def _elements(self, lists: exp.Expr, *names: str) -> exp.Expr:
        source = exp.Subquery(this=lists, alias=exp.TableAlias(this=exp.to_identifier("l")))
        made = exp.select(*(exp.column(name, table="l") for name in names), exp.column("value")).from_(source)
        called = exp.TableAlias(columns=[exp.to_identifier("value")])  # of BigQuery's UNNEST it is the column
        return made.join(exp.Unnest(expressions=[exp.column("listed", table="l")], alias=called), join_type="CROSS")

    def _number(self, text: exp.Expr) -> exp.Expr:
        return exp.TryCast(this=text, to=self.type("float"))

    def _instant(self, text: exp.Expr, zone: str) -> exp.Expr:
        """With an offset it is converted to UTC, without one it is UTC, a day is its midnight there.

        What has no offset is read as a ``DATETIME``: as a ``TIMESTAMP`` it would be of the zone that the project has
        set as its default. (https://cloud.google.com/bigquery/docs/default-configuration, read 2026-11-27)
        """
        plain = exp.TryCast(this=text.copy(), to=self.naive)
        zoned = self._utc(exp.TryCast(this=text.copy(), to=self.type("timestamp_tz")))
        either = exp.Coalesce(this=plain, expressions=[zoned])
        day = exp.TryCast(this=text.copy(), to=self.type("date"))
        return either if zone == "UTC" else _by_length(text, self._midnight(day, zone), either)

    def _sorted_list(self, value: exp.Expr) -> exp.Expr:
        """No aggregate may say ``NULLS LAST`` of an ascending order; there are no NULLs in what is listed.

        (BigQuery's answer in https://github.com/tobymao/sqlglot/pull/4172, read 2026-11-27)
        """
        ordered = exp.Ordered(this=value, nulls_first=True)
        return exp.Anonymous(this="ARRAY_AGG", expressions=[exp.Order(this=value.copy(), expressions=[ordered])])

    def _integer_sum(self, value: exp.Expr) -> exp.Expr:
        return exp.Sum(this=value)

    def _utc(self, aware: exp.Expr) -> exp.Expr:
        return exp.Anonymous(this="DATETIME", expressions=[aware, exp.Literal.string("UTC")])

    def _midnight(self, day: exp.Expr, zone: str) -> exp.Expr:
        naive = exp.Cast(this=day, to=self.naive)
        aware = exp.Anonymous(this="TIMESTAMP", expressions=[naive, exp.Literal.string(zone)])
        return naive if zone == "UTC" else self._utc(aware)

    def _local_date(self, naive: exp.Expr, zone: str) -> exp.Expr:
        aware = exp.Anonymous(this="TIMESTAMP", expressions=[naive, exp.Literal.string("UTC")])
        return exp.Anonymous(this="DATE", expressions=[aware, exp.Literal.string(zone)])


def _span(seconds: int, *, exact: bool) -> tuple[int, str]:
    """Seconds as the largest unit that is whole; days only where one has 24 hours for sure."""
    size, unit = (_DAY, "DAY") if not exact else (_HOUR, "HOUR")
    if seconds % size:
        size, unit = (_HOUR, "HOUR") if seconds % _HOUR == 0 else (1, "SECOND")
    return seconds // size, unit


def _by_length(text: exp.Expr, day: exp.Expr, instant: exp.Expr) -> exp.Expr:
    """``day`` for texts as long as a date, else ``instant``."""
    length = exp.EQ(this=exp.Length(this=text.copy()), expression=exp.Literal.number(len("2026-01-31")))
    return exp.Case(ifs=[exp.If(this=length, true=day)], default=instant)


#: Dialects by name.
DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {"duckdb": DuckDB(), "snowflake": Snowflake(), "postgres": PostgreSQL(), "bigquery": BigQuery()}
)


def find(name: str) -> Dialect:
    """The dialect of that name, or UnknownName."""
    if name not in DIALECTS:
        raise UnknownName("SQL dialect", name, DIALECTS)
    return DIALECTS[name]
