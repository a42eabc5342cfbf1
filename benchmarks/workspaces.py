"""Workspaces to measure: users in a DuckDB file, an audience of some of them, and one destination on this machine."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl

import personas_kit as pk
from personas_kit.destinations import DESTINATIONS
from personas_kit.destinations.base import Destination
from personas_kit.workspace import Workspace

OWN: dict[str, Destination] = {}
"""Destinations that only benchmarks know, by name."""
WAREHOUSE, STATE = "warehouse.duckdb", "state"
_CONFIG = """
[warehouse]
path = "{folder}/warehouse.duckdb"

[state]
path = "{state}"

[source]
users = {{ table = "users", id = "user_id" }}

[destinations.there]
type = "{destination}"
url  = "{url}"
write_key = {{ file = "key.txt" }}

[[audience]]
name  = "Vips"
where = "trait('vip') = true"
to    = [{{ destination = "there", send = ["identify"], ids = {{ email = "email" }} }}]
"""


def make(folder: Path, members: int, user_id: str = "'user_' || n", *, moved: float = 0.0) -> None:
    """The users, of which so many are members, in no order.

    Args:
        folder: where the file is written.
        members: how many are in the audience.
        user_id: SQL of the id, from the number ``n``.
        moved: a part of the members; as many users are no members, who become some by ``move``.
    """
    everybody = members + int(members * moved)
    with duckdb.connect(str(folder / WAREHOUSE)) as warehouse:
        warehouse.execute(
            f"create table users as select {user_id} as user_id, 'someone.' || n || '@example.com' as email, n, "
            f"n < {members} as vip from range({everybody}) t(n) order by hash(n)"
        )


def move(folder: Path, members: int, moved: float) -> None:
    """The first members leave, and as many enter."""
    gone = int(members * moved)
    with duckdb.connect(str(folder / WAREHOUSE)) as warehouse:
        warehouse.execute(f"update users set vip = n >= {gone}")


def members_of(folder: Path, columns: str = "user_id, email", most: int | None = None) -> duckdb.DuckDBPyConnection:
    """The members as anybody would ask for them: an answer that is read with ``fetchall`` and its like."""
    return _reading(folder).execute(_members(columns) + ("" if most is None else f" limit {most}"))


def frame_of(folder: Path, columns: str = "user_id, email") -> pl.DataFrame:
    """The same as a frame."""
    frame: pl.DataFrame = _reading(folder).sql(_members(columns)).pl()
    return frame


def _reading(folder: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(folder / WAREHOUSE), read_only=True)


def _members(columns: str) -> str:
    return f"select {columns} from users where vip"


def size(folder: Path) -> int:
    """How many members there are."""
    [(count,)] = members_of(folder, "count(*)").fetchall()
    return int(count)


@contextlib.contextmanager
def opened(folder: Path, url: str, destination: str = "segment", *, known: bool = False) -> Iterator[Workspace]:
    """The workspace, with a state that is new and gone afterwards; or ``known``, with that of the folder."""
    with tempfile.TemporaryDirectory(prefix="personas-benchmark-state-") as name:
        place = Path(name)
        state = folder / STATE if known else place / STATE
        config = _CONFIG.format(folder=folder, state=state, destination=destination, url=url)
        (place / "personas.toml").write_text(config, encoding="utf-8")
        (place / "key.txt").write_text("made-up", encoding="utf-8")
        with installed(destination):
            yield pk.open(place)


@contextlib.contextmanager
def installed(*slugs: str) -> Iterator[None]:
    """The destinations that only benchmarks know are there meanwhile, of those that are named."""
    added = {slug: OWN[slug] for slug in slugs if slug in OWN}
    DESTINATIONS.update(added)
    try:
        yield
    finally:
        for slug in added:
            del DESTINATIONS[slug]


def adopt(folder: Path, url: str) -> None:
    """Take all members as acknowledged, and send nothing; the state is the folder's."""
    shutil.rmtree(folder / STATE, ignore_errors=True)
    with opened(folder, url, known=True) as workspace:
        workspace.plan("vips", mode="adopt").push(progress=lambda _: None)
