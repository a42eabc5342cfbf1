"""What the kit asks of a warehouse: its schema, and frames for statements. Five methods, no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import polars as pl

from personas_kit.compiler.source import Schema

#: A bound value: what an instant, an id or a constant is sent to the driver as.
Parameters = Mapping[str, object] | tuple[object, ...]


class Warehouse(Protocol):
    """A place that runs SQL. Adapters hold no open handle between calls unless the user lent one."""

    dialect: str
    """The name of the compiler's dialect: ``duckdb``, ``snowflake``."""

    def describe(self) -> str:
        """A short name for people, such as ``duckdb · warehouse.duckdb``; no secret, no address."""
        ...

    def schema(self) -> Schema:
        """The tables that can be read, with the real names and types of their columns."""
        ...

    def query(self, statement: str, params: Parameters, *, tag: str = "") -> pl.DataFrame:
        """Run one SELECT with bound values. Times come back as UTC; ``tag`` labels the query where that exists.

        Raises:
            WarehouseError: locked, missing, refused; with what to do.
        """
        ...

    def close(self) -> None:
        """Let go of everything. Further calls open anew."""
        ...
