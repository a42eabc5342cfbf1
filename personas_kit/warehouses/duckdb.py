"""DuckDB: the embedded default, so that the first command works with no account anywhere.

Three ways to it: a database file, files of Parquet or CSV, or the handle that a notebook has open already.

What is odd: one process may write a database file, and while it has the file open nobody else may even read it;
within that process a reading handle beside a writing one is refused as well. So a file is opened for reading only,
for the length of one query, or of a few that belong together, and who holds it otherwise is said in the error. Where a
file is opened while another handle of the process is just closing it, the process loses its lock on the file: so this
is done by one at a time.
(https://duckdb.org/docs/stable/connect/concurrency, read 2026-11-23; behaviour checked with 2.0.0.)
"""

from __future__ import annotations

import glob
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby, takewhile
from pathlib import Path
from typing import TypeVar

import duckdb
import polars as pl
from polars.exceptions import PolarsError

from personas_kit.compiler.source import Column, ColumnType, Schema, Table
from personas_kit.errors import ConfigError, WarehouseError, nearest
from personas_kit.warehouses.base import Estimate, Parameters
from personas_kit.warehouses.duckdb_keeper import DuckDBKeeper
from personas_kit.warehouses.frames import by_name, first_line, tidy, without_values
from personas_kit.warehouses.held_open import kept, let_go
from personas_kit.warehouses.interrupts import interruptible
from personas_kit.warehouses.keeping import PATIENCE, Keeper

#: DuckDB's names of types, without their arguments. A struct answers to JSON paths as JSON does; a UUID and an enum
#: compare with text. (https://duckdb.org/docs/stable/sql/data_types/overview, read 2026-11-23)
TYPES: Mapping[str, ColumnType] = {
    "VARCHAR": "text",
    "UUID": "text",
    "ENUM": "text",
    "TINYINT": "integer",
    "SMALLINT": "integer",
    "INTEGER": "integer",
    "BIGINT": "integer",
    "HUGEINT": "integer",
    "UTINYINT": "integer",
    "USMALLINT": "integer",
    "UINTEGER": "integer",
    "UBIGINT": "integer",
    "UHUGEINT": "integer",
    "FLOAT": "float",
    "DOUBLE": "float",
    "DECIMAL": "decimal",
    "BOOLEAN": "boolean",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_S": "timestamp",
    "TIMESTAMP_MS": "timestamp",
    "TIMESTAMP_NS": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp_tz",
    "DATE": "date",
    "JSON": "json",
    "STRUCT": "json",
}

#: How a file of each kind is read. A CSV is read twice, the first time to type its columns by all of its lines:
#: by a sample, a late ``n/a`` among numbers would fail the query.
READERS: Mapping[str, str] = {
    ".parquet": "read_parquet({}, union_by_name = true)",
    ".csv": "read_csv({}, union_by_name = true, sample_size = -1)",
    ".csv.gz": "read_csv({}, union_by_name = true, sample_size = -1)",
}

_COLUMNS = """
SELECT database_name, schema_name, table_name, column_name, data_type,
       database_name = current_database() AS here, schema_name = current_schema() AS default_schema
FROM duckdb_columns() WHERE NOT internal
ORDER BY database_name, schema_name, table_name, column_index
"""

#: Lines of a part of an answer.
BATCH = 1_000_000

#: Seconds to wait for a transaction of somebody else's before reading: it takes a moment, a notebook's handle lasts.
MOMENT = 3.0
#: Seconds between two attempts to open a file.
PAUSE = 0.02
#: One transaction of this process at a time; and one that opens or closes a file.
_ALONE = threading.RLock()
_DOOR = threading.Lock()

#: What to do about an error, by its kind.
HINTS: Mapping[type[duckdb.Error], str] = {
    duckdb.CatalogException: "a table that was dropped or renamed has to be changed under [source], too: personas "
    "check",
    duckdb.BinderException: "a column was renamed or dropped: personas check says which of [source] or of the "
    "definitions names it",
    duckdb.OutOfMemoryException: "ask for less, or give DuckDB more: SET memory_limit on your own connection",
    duckdb.IOException: "check that the file is whole and can be read: personas check",
}
#: Errors about one value of the data, whose messages quote it.
UNREADABLE = (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException)

#: A handle of this process has the file open otherwise, or is just closing it.
HELD_HERE = (duckdb.ConnectionException, duckdb.ResourceInUseException)

T = TypeVar("T")

_LOCKED = "Could not set lock on file"
"""Said while another process has the file open; by whom, unless that lets go of it in this moment (then: PID 0)."""
_HOLDER = re.compile(r"(?:held in|already open in)\s+(?P<program>\S.*?) \(PID (?P<pid>\d+)\)", re.DOTALL)


class DuckDB:
    """A DuckDB database file, files that DuckDB reads, or a connection that the user lends.

    Args:
        path: a database file. Opened for reading only, per query, and closed again.
        files: tables by name, each a file or a glob of ``.parquet``, ``.csv`` or ``.csv.gz``; seen through views of a
            database in memory, which is made anew per query, so that files that arrive later are seen.
        connection: the user's own handle. Queries run on cursors of it: they see the tables and views of its databases
            as committed, but not its temporary tables and registered frames (``CREATE TABLE ... AS`` makes them seen).
            It is never closed here.
        base: the folder that ``path`` and ``files`` are relative to.
        timeout: seconds that one query may take.

    Raises:
        ConfigError: not exactly one of ``path``, ``files`` and ``connection``.
    """

    dialect = "duckdb"

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        files: Mapping[str, str] | None = None,
        connection: duckdb.DuckDBPyConnection | None = None,
        base: str | Path = "",
        timeout: float | None = None,
    ) -> None:
        if sum(given is not None for given in (path, files or None, connection)) != 1:
            raise ConfigError("DuckDB needs exactly one of: path, files, connection")
        self._path = None if path is None else Path(base, path)
        self._files = dict(files or {})
        self._connection = connection
        self._base = Path(base)
        self._timeout = timeout
        self._kept: set[str] = set()

    def describe(self) -> str:
        """``duckdb · warehouse.duckdb``, ``duckdb · users, events`` or ``duckdb · your connection``."""
        if self._path is not None:
            return f"duckdb · {self._path.name}"
        return f"duckdb · {', '.join(self._files)}" if self._files else "duckdb · your connection"

    def schema(self) -> Schema:
        """All tables and views, those of other schemas and attached databases too.

        A table that its bare name finds has that name alone; others carry schema and database as far as needed.

        Raises:
            WarehouseError: missing, locked, or not a database.
        """
        with self.reading() as handle:
            found = [line for line in handle.sql(_COLUMNS).fetchall() if line[1].lower() not in self._kept]
        lines_by_table = groupby(found, key=lambda line: line[:3])
        return by_name((path, _table(list(lines))) for path, lines in lines_by_table)

    def query(self, statement: str, params: Parameters, *, tag: str = "") -> pl.DataFrame:  # noqa: ARG002 - DuckDB has no tags
        """Run one SELECT; see ``Warehouse.query``.

        Args:
            statement: with ``$name`` where ``params`` is a mapping, with ``?`` where it is a tuple.
            params: every value, and no others.
            tag: of no effect.

        Raises:
            WarehouseError: missing, locked, or refused.
        """
        with kept(self, self.reading) as handle, self.explained():
            return tidy(self._fetched(handle, statement, params))

    def batches(self, statement: str, params: Parameters, *, tag: str = "") -> Iterator[pl.DataFrame]:  # noqa: ARG002 - as above
        """The answer in parts of at most a million lines; see ``Warehouse.batches``. The file is open meanwhile."""
        with self.reading() as handle, self.explained():
            yield from self._parts(handle, statement, params)

    def estimate(self, statement: str, params: Parameters) -> Estimate | None:  # noqa: ARG002 - as the protocol says
        """None: what is read from one's own disk costs nothing."""
        return None

    def write(self, table: str, frame: pl.DataFrame) -> None:
        """Make a table of the frame; see ``Warehouse.write``. There are no tables beside ``files``.

        Raises:
            WarehouseError: somebody else has the file open, or it refuses.
        """
        name = ".".join('"' + part.replace('"', '""') + '"' for part in table.split("."))
        with self.writing() as handle, self.explained():
            handle.register("_personas_frame", frame)
            handle.execute(f"CREATE OR REPLACE TABLE {name} AS FROM _personas_frame")
            handle.unregister("_personas_frame")

    def keeper(self, schema: str, *, idle: float) -> Keeper:  # noqa: ARG002 - a process that stops keeps its lock
        """A schema of the file; see ``Warehouse.keeper``. There is none beside ``files``.

        Whoever stops within a transaction keeps the file locked until it goes on or ends.
        """
        self._check_written()
        self._kept.add(schema.lower())
        return DuckDBKeeper(self, schema.lower())

    def close(self) -> None:
        """Nothing is held between queries, and a lent connection is its owner's to close."""

    def _fetched(self, handle: duckdb.DuckDBPyConnection, statement: str, params: Parameters) -> pl.DataFrame:
        """The whole answer. What DuckDB keeps of it is let go of here, before the handle is closed."""
        frame: pl.DataFrame = self._patiently(self._answer(handle, statement, params).pl, handle)
        return frame

    def _parts(self, handle: duckdb.DuckDBPyConnection, statement: str, params: Parameters) -> Iterator[pl.DataFrame]:
        """The answer in parts; as above."""
        answer = self._answer(handle, statement, params)
        reader = self._patiently(lambda: answer.to_arrow_reader(BATCH), handle)
        parts = iter(reader)
        yield tidy(pl.DataFrame(reader.schema.empty_table()))
        while (part := self._patiently(lambda: next(parts, None), handle)) is not None:
            yield tidy(pl.DataFrame(part))

    def _answer(self, handle: duckdb.DuckDBPyConnection, statement: str, params: Parameters) -> duckdb.DuckDBPyRelation:
        _only_reads(handle, statement)
        bound: object = dict(params) if isinstance(params, Mapping) else list(params)
        return handle.sql(statement, params=bound or None)

    def _patiently(self, work: Callable[[], T], handle: duckdb.DuckDBPyConnection) -> T:
        return interruptible(work, cancel=handle.interrupt, where=self.describe(), timeout=self._timeout)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """DuckDB's errors as the kit's."""
        try:
            yield
        except TimeoutError as late:
            raise self._error(str(late), hint="raise `timeout` under [warehouse], or ask for less") from late
        except UNREADABLE as error:
            said = without_values(first_line(error))
            hint = "a value of the data cannot be read so: mend it, or read it otherwise in a view"
            raise self._error(f"DuckDB refused the query: {said}", hint=hint) from None
        except duckdb.Error as error:
            hint = next((hint for kind, hint in HINTS.items() if isinstance(error, kind)), "")
            raise self._error(f"DuckDB refused the query: {first_line(error)}", hint=hint) from error
        except PolarsError as error:
            what = "the answer has a column of a type that cannot be fetched, such as INTERVAL"
            raise self._error(what, hint="leave it out, or cast it in a view") from error

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A handle for one query, its time zone set to UTC. A setting in ``connect`` would clash with other readers."""
        handle = self._opened() if self._connection is None else self._cursor(self._connection)
        try:
            handle.execute("SET TimeZone = 'UTC'")
            handle.execute("SET enable_progress_bar = false")  # a notebook would keep a widget of it
            # A lent connection could write, and a SELECT can call what does.
            handle.execute("BEGIN TRANSACTION READ ONLY")
            yield handle
        finally:
            with _DOOR:
                handle.close()

    def _cursor(self, lent: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
        try:
            return lent.cursor()
        except duckdb.ConnectionException as error:
            hint = "connect again and call pk.open(connection=con)"
            raise self._error("the lent connection is closed", hint=hint) from error

    @contextmanager
    def writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A handle that may write, for the length of a transaction; whoever else has the file open is waited for."""
        self._check_written()
        let_go(self)
        with _ALONE:
            handle = self._writer()
            try:
                yield handle
            finally:
                with _DOOR:
                    handle.close()

    def _writer(self) -> duckdb.DuckDBPyConnection:
        if self._connection is not None:
            return self._cursor(self._connection)
        path = Path(self._path or "")
        self._present(path)
        return self._waited(path, lambda: duckdb.connect(path), PATIENCE)

    def _check_written(self) -> None:
        if self._files:
            raise self._error("tables are read from files here, and nothing is written", hint="use path instead")

    def _opened(self) -> duckdb.DuckDBPyConnection:
        handle = duckdb.connect(":memory:") if self._path is None else self._reading(self._path)
        try:
            # Without this, a name that is no table would be looked for among Python variables.
            handle.execute("SET python_enable_replacements = false")
            for name, pattern in self._files.items():
                self._add_view(handle, name, pattern)
            if self._files:  # no other file is read; a setting of a database file would be one of all its readers
                folders = ", ".join("'" + folder.replace("'", "''") + "'" for folder in self._folders())
                handle.execute(f"SET allowed_directories = [{folders}]")
                handle.execute("SET enable_external_access = false")
        except BaseException:
            handle.close()
            raise
        return handle

    def _present(self, path: Path) -> None:
        if not path.is_file():
            beside = nearest(path.name, (file.name for file in path.parent.glob("*.*db")))
            hint = f"did you mean {beside[0]!r}?" if beside else "check the path; personas demo writes one to try"
            raise self._error(f"there is no file {str(path)!r}", hint=hint)

    def _reading(self, path: Path) -> duckdb.DuckDBPyConnection:
        self._present(path)
        return self._waited(path, lambda: duckdb.connect(path, read_only=True), MOMENT)

    def _waited(
        self, path: Path, opened: Callable[[], duckdb.DuckDBPyConnection], patience: float
    ) -> duckdb.DuckDBPyConnection:
        """The file open; whoever has it open otherwise, here or in another process, is waited for so many seconds."""
        until = time.monotonic() + patience
        while True:
            try:
                with _DOOR:
                    return opened()
            except duckdb.Error as error:
                held = isinstance(error, HELD_HERE) or _LOCKED in str(error) or _HOLDER.search(str(error))
                if not held or time.monotonic() > until:
                    raise self._unopened(path, error) from error
            time.sleep(PAUSE)

    def _unopened(self, path: Path, error: duckdb.Error) -> WarehouseError:
        if isinstance(error, HELD_HERE):
            return self._error(
                f"{path.name} is open for writing in this very process (this kernel)",
                hint="share that handle: pk.open(connection=con); or close it: con.close()",
            )
        if holder := _HOLDER.search(str(error)):
            program = Path(holder["program"]).name
            return self._error(
                f"{path.name} is locked by process {holder['pid']} ({program}), which has it open for writing",
                hint="close it there (con.close(), or stop that kernel), or work there: pk.open(connection=con)",
            )
        if _LOCKED in str(error):  # who held it has just let go of it, again and again
            return self._error(f"{path.name} is locked by another process, which has it open", hint="try again")
        return self._error(f"{path.name} cannot be opened: {first_line(error)}")

    def _add_view(self, handle: duckdb.DuckDBPyConnection, name: str, pattern: str) -> None:
        reader = next((READERS[ending] for ending in READERS if pattern.lower().endswith(ending)), None)
        if reader is None:
            known = ", ".join(READERS)
            raise self._error(f"files: {name} = {pattern!r} is of no known kind", hint=f"known are {known}")
        full = pattern if Path(pattern).is_absolute() else str(Path(glob.escape(str(self._base)), pattern))
        rows = reader.format("'" + full.replace("'", "''") + "'")
        try:
            handle.sql(f"SELECT * FROM {rows}").create_view(name)  # noqa: S608 - a view takes no parameters; quoted above
        except duckdb.Error as error:
            raise self._error(f"files: {name} = {pattern!r} cannot be read: {first_line(error)}") from error

    def _folders(self) -> set[str]:
        """Where the files lie: the folders that hold no placeholder, as they are called and as patterns call them."""
        above = [Path(pattern).parts[:-1] for pattern in self._files.values()]
        plain = [[*takewhile(lambda part: not glob.has_magic(part), parts)] for parts in above]
        bases = (str(self._base), glob.escape(str(self._base)))
        return {str(Path(base, *parts).absolute()) for base in bases for parts in plain}

    def _error(self, what: str, *, hint: str = "") -> WarehouseError:
        return WarehouseError(what, where=self.describe(), hint=hint)


def _only_reads(handle: duckdb.DuckDBPyConnection, statement: str) -> None:
    """One SELECT and nothing else: a lent connection could write."""
    kinds = [parsed.type for parsed in handle.extract_statements(statement)]
    if kinds != [duckdb.StatementType.SELECT]:
        raise duckdb.ProgrammingError("a query is exactly one SELECT")


def _table(lines: list[tuple[str, str, str, str, str, bool, bool]]) -> Table:
    database, schema, name, _, _, here, default_schema = lines[0]
    if here and default_schema:
        parts: tuple[str, ...] = (name,)
    elif here and schema != database:
        parts = (schema, name)
    else:  # where a schema is called as its database, two parts are ambiguous to DuckDB
        parts = (database, schema, name)
    return Table(parts, tuple(Column(line[3], column_type(line[4]), line[4]) for line in lines))


def column_type(declared: str) -> ColumnType:
    """The kit's type for one of DuckDB's: ``VARCHAR[]`` is a list, ``DECIMAL(10,2)`` a decimal."""
    if declared.endswith("]"):
        return "list"
    return TYPES.get(declared.partition("(")[0], "other")
