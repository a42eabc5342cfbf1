"""What the kit asks of a warehouse: its schema, frames for statements, and what a statement would cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from personas_kit.compiler.source import Schema
from personas_kit.warehouses.keeping import Keeper

#: A bound value: what an instant, an id or a constant is sent to the driver as.
Parameters = Mapping[str, object] | tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the warehouse expects a statement to read, at most.

    Attributes:
        bytes: in all.
        partitions: that are read, of ``partitions_total``; None where the warehouse has none.
    """

    bytes: int
    partitions: int | None = None
    partitions_total: int | None = None

    def __add__(self, other: Estimate) -> Estimate:
        """Two statements together."""
        return Estimate(
            self.bytes + other.bytes,
            None if self.partitions is None else self.partitions + (other.partitions or 0),
            None if self.partitions_total is None else self.partitions_total + (other.partitions_total or 0),
        )


class Warehouse(Protocol):
    """A place that runs SQL. Whatever goes wrong there is a ``WarehouseError`` that says what to do."""

    dialect: str
    """The name of the compiler's dialect: ``duckdb``, ``snowflake``, ``postgres``."""

    def describe(self) -> str:
        """A short name for people, such as ``duckdb · warehouse.duckdb``; no secret, no address."""
        ...

    def schema(self) -> Schema:
        """The tables that can be read, with the real names and types of their columns."""
        ...

    def query(self, statement: str, params: Parameters, *, tag: str = "") -> pl.DataFrame:
        """Run one SELECT with bound values. Times come back as UTC; ``tag`` labels the query where that exists.

        An interrupt (Ctrl-C, the stop button) ends it in the warehouse too.

        Raises:
            WarehouseError: locked, missing, refused, too slow; with what to do.
        """
        ...

    def batches(self, statement: str, params: Parameters, *, tag: str = "") -> Iterator[pl.DataFrame]:
        """The same answer in parts, so that one larger than memory can be written somewhere.

        Returns:
            Frames of the same columns and types; at least one, which may be empty.

        Raises:
            WarehouseError: as ``query``; also between two parts, when the connection is lost.
        """
        ...

    def estimate(self, statement: str, params: Parameters) -> Estimate | None:
        """What a statement would read, without running it; None where nobody pays by that."""
        ...

    def write(self, table: str, frame: pl.DataFrame) -> None:
        """Make a table that holds this frame and nothing else, in place of one of that name, at once or not at all.

        Args:
            table: up to three parts, joined by dots; each as it is to be called, whatever its case.
            frame: what it holds; its columns keep their names.

        Raises:
            WarehouseError: refused, or this warehouse is open for reading only.
        """
        ...

    def keeper(self, schema: str, *, idle: float) -> Keeper:
        """Where the kit can keep tables of its own; they are no part of ``schema()`` from then on.

        Args:
            schema: its name.
            idle: seconds that a transaction may stand still before the warehouse ends it, where it can.

        Raises:
            WarehouseError: nothing can be kept in this warehouse.
        """
        ...

    def close(self) -> None:
        """Let go of everything. Further calls open anew."""
        ...
