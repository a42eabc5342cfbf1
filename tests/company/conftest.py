from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from personas_kit.company.generate import generate


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("demo") / "warehouse.duckdb")


@pytest.fixture
def connection(warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(warehouse, read_only=True) as opened:
        yield opened
