"""State in a schema of the warehouse, for teams: several people, machines and schedules share what was acknowledged.

The tables are those of every store (``schema.sql``), and two more (``warehouse.sql``). Transactions are the
warehouse's; ``warehouses/keeping.py`` is all that a warehouse has to offer.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import secrets
import time
from collections.abc import Iterator

import polars as pl

from personas_kit.activation.store import lease
from personas_kit.activation.store.lease import LeaseLocks
from personas_kit.activation.store.schema import VERSION, statements
from personas_kit.activation.store.store import Store
from personas_kit.activation.store.tables import Tables
from personas_kit.activation.store.warehouse_frames import WarehouseFrames
from personas_kit.clock import Clock, SystemClock
from personas_kit.errors import StateError, WarehouseError
from personas_kit.warehouses.base import Warehouse
from personas_kit.warehouses.keeping import Keeper, Session

FORMAT_HOLDS = 60.0
"""Seconds for which the format of the tables is taken to be what it was: a sixth of all statements asked for it."""
IDLE, LEAST_IDLE = 10, 1.0
"""A transaction that stands still for this part of a lease's life, and so many seconds, is ended by the warehouse."""
GRANTS = {"postgres": "sql/postgres/state.sql", "snowflake": "sql/snowflake/state.sql"}
"""What the role needs, by the dialect of the warehouse; ``personas copy sql`` puts these files into a folder."""
_REFUSED = re.compile(r"permission denied|privilege|not authorized|must be owner", re.IGNORECASE)


class WarehouseStore(Store):
    """State in a schema of a warehouse; the schema and its tables are made when something is first written.

    Args:
        warehouse: that holds it.
        schema: its name.
        clock: of this machine.
        lives: how long a sync stays held by a runner that is not heard of.
        owner: how this runner is called to others; by default user and machine.

    Raises:
        WarehouseError: nothing can be kept in this warehouse.
    """

    batch_lines = 20_000
    """A transaction takes longer here than on a disk of one's own: about one a second."""

    def __init__(
        self,
        warehouse: Warehouse,
        schema: str,
        clock: Clock | None = None,
        *,
        lives: dt.timedelta = lease.LIVES,
        owner: str | None = None,
    ) -> None:
        clock = clock or SystemClock()
        keeper = warehouse.keeper(schema, idle=max((lives / IDLE).total_seconds(), LEAST_IDLE))
        journal = WarehouseJournal(keeper, warehouse.dialect)
        locks = LeaseLocks(journal, clock, lives, owner or lease.runner())
        self.beside = warehouse.dialect != "duckdb"  # its file is open for reading, or for writing
        super().__init__(journal, WarehouseFrames(keeper, warehouse.dialect, journal, locks, clock), locks, clock)
        self._keeper = keeper

    def place(self, table: str) -> tuple[str, ...]:
        """See ``Store.place``."""
        return self._keeper.place(table)


class WarehouseJournal:
    """The tables in a schema; see ``tables.Journal``.

    Args:
        keeper: the schema.
        dialect: of the warehouse.
    """

    def __init__(self, keeper: Keeper, dialect: str) -> None:
        self._keeper = keeper
        self._dialect = dialect
        self._made = False
        self._looked: float | None = None

    def present(self) -> bool:
        """Whether the tables are there, all of them."""
        if not self._made:
            with self._explained():
                self._made = "meta" in self._keeper.tables() and self._version_alone() is not None
        return self._made

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        """To look. Call it where something is present.

        Raises:
            StateError: it cannot be read, or a newer version wrote it.
        """
        with self._explained(), self._keeper.looking() as tables:
            self._look(tables)
            yield tables

    @contextlib.contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction.

        Raises:
            StateError: it cannot be written, or a newer version wrote it.
        """
        with self._explained():
            if not self.present():
                self._make()
            with self._keeper.changing() as tables:
                self._look(tables)
                yield tables

    def check(self) -> str:
        """Where the state is, in words; whether it can be written is tried, with a table that is dropped again.

        Raises:
            StateError: it cannot.
        """
        if not self.present():
            return f"{self._keeper.describe()}: nothing yet, the first push makes it"
        trial = f"plans_check_{secrets.token_hex(4)}"
        with self._explained():
            self._keeper.put(trial, pl.DataFrame({"member": ["nobody"]}))
        with self.writing() as tables:
            tables.run("update meta set value = value where name = 'version'")
            tables.drop(trial)
        return f"{self._keeper.describe()}, which can be written"

    def _make(self) -> None:
        """Make what is missing. The version comes last: where it is, everything is."""
        meta, *others = [*statements(), *statements("warehouse.sql")]
        own = {re.sub(r"create table (\w+).*", r"\1", made, flags=re.DOTALL) for made in (meta, *others)}
        if strangers := {name for name in self._keeper.tables() if not name.startswith(("members_", "plans_"))} - own:
            raise StateError(
                f"there are tables of somebody else, such as {min(strangers)}",
                where=self._keeper.describe(),
                hint='give the state a schema of its own: [state] schema = "personas"',
            )
        self._keeper.make(made.replace("create table", "create table if not exists") for made in (*others, meta))
        with self._keeper.changing() as tables:
            if _version(tables) is None:
                tables.run("insert into meta values ('version', ?)", (str(VERSION),))
        self._made = True

    def _version_alone(self) -> int | None:
        with self._keeper.looking() as tables:
            return _version(tables)

    def _look(self, tables: Tables) -> None:
        """Whether the format is ours, once a minute: whoever changes it has to see to it that nobody is at work."""
        if self._looked is not None and time.monotonic() - self._looked < FORMAT_HOLDS:
            return
        version = _version(tables)
        if version == VERSION:
            self._looked = time.monotonic()
            return
        newer = version is not None and version > VERSION
        raise StateError(
            f"{'a newer' if newer else 'another'} version of the kit wrote this state (format {version}, this one "
            f"reads {VERSION})",
            where=self._keeper.describe(),
            hint="update personas-kit" if newer else "use the version of the kit that wrote it",
        )

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """What the warehouse says, as an error of the state."""
        try:
            yield
        except WarehouseError as problem:
            grants = GRANTS.get(self._dialect) if _REFUSED.search(problem.what) else None
            raise StateError(
                f"the state cannot be used: {problem.what}",
                where=self._keeper.describe(),
                hint=f"{grants} has what the role needs: personas copy sql" if grants else problem.hint,
            ) from None


def _version(tables: Tables) -> int | None:
    """The format of the tables; two processes that made them at once may both have noted it."""
    found = tables.rows("select value from meta where name = 'version'")
    return max((int(row["value"]) for row in found), default=None)
