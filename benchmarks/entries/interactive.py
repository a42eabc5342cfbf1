"""What a person waits for: the package, its help, a preview of a company or of many users, the count after a change.

Imports and help are processes of their own, as they are for a person, a few of them at a time; what is compared with
them is what they cannot do without (``import polars``, ``import click``). A preview and a count stand beside the same
question asked of DuckDB by hand: the file opened, the statement run, the file closed. Of many users it is measured when
a preview says how many members there are, which is long before it is done.
"""

import os
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb

import personas_kit as pk
from benchmarks import workspaces
from benchmarks.entry import OURS, Answer, Benchmark, Goal, Way
from personas_kit.display import stage

STARTS = 5
USERS = 1_000_000
KEY = "order_completed_last_30days"
CHANGED = pk.Audience("Changed", pk.event("Order Completed").within(days=29).count() >= 1)


def starts(*arguments: str, times: int = STARTS) -> Way:
    """Python with these arguments, a few times. All is compiled already, as it is after the first time."""

    def run(folder: Path) -> int:
        command = [sys.executable, *arguments]
        given = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        given["PYTHONPYCACHEPREFIX"] = str(folder)
        for _ in range(times):
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=given)  # noqa: S603  (the same Python)
        return 0

    return run


def compiled(folder: Path, scale: float) -> None:  # noqa: ARG001  (there is no input)
    """The bytecode of all that is started."""
    starts("-c", "import click, polars, personas_kit.cli.entry; personas_kit.open", times=1)(folder)


def company(folder: Path, scale: float) -> None:  # noqa: ARG001  (the company is the same at every scale)
    """The demo's warehouse, and the statements that are asked of it by hand."""
    with closing(pk.demo(folder)) as workspace:
        (folder / "members.sql").write_text(workspace.sql(KEY))
        (folder / "changed.sql").write_text(workspace.sql(CHANGED))


def preview(folder: Path) -> Answer:
    """The first preview of a process, another one of the same, and how many are in it."""
    with closing(pk.demo(folder)) as workspace:
        began = time.perf_counter()
        workspace.preview(KEY)
        first = time.perf_counter() - began
        found = workspace.preview(KEY)
        return Answer(found.size, {"first s": first, "again s": time.perf_counter() - began - first})


def count(folder: Path) -> Answer:
    """The builder's count of an audience, and that after a change: with the pause in which a person may go on."""
    from personas_kit.notebook.builder.counting import WHOLE, Counter  # noqa: PLC0415  (only here)

    with closing(pk.demo(folder)) as workspace:
        shown: list[dict[str, object]] = []
        counter = Counter(workspace._reader, lambda state: shown.append(dict(state)))  # noqa: SLF001  (as the widget)
        counter.ask({WHOLE: workspace.definitions[KEY]}, "user")
        counter.wait()
        began = time.perf_counter()
        counter.ask({WHOLE: CHANGED}, "user")
        counter.wait()
        seconds = time.perf_counter() - began
    sizes = shown[-1]["sizes"]
    return Answer(sizes[WHOLE] if isinstance(sizes, dict) else sizes, {"again s": seconds})


def many(folder: Path, scale: float) -> None:
    """Users with UUIDs, of whom half are members."""
    workspaces.make(folder, int(USERS * scale) // 2, "uuid()::varchar", moved=1.0)


def preview_of_many(folder: Path) -> Answer:
    """A preview, and after how long it says how many members there are: before it asks whatever else it has to ask."""
    with workspaces.opened(folder, "http://127.0.0.1:8080") as workspace:
        ask, said = workspace.warehouse.query, list[float]()

        def noting(*given: Any, tag: str = "") -> Any:  # noqa: ANN401  (as it is asked)
            if stage():
                said.append(time.perf_counter())
            return ask(*given, tag=tag)

        workspace.warehouse.query = noting  # type: ignore[method-assign]  # to note the moment
        began = time.perf_counter()
        found = workspace.preview("vips")
        return Answer(found.size, {"size s": said[0] - began, "whole s": time.perf_counter() - began})


def members_by_hand(statement: str) -> Way:
    """How many members there are, by a statement whose answer is a frame."""

    def run(folder: Path) -> Answer:
        began = time.perf_counter()
        with duckdb.connect(str(folder / workspaces.WAREHOUSE), read_only=True) as handle:
            found = handle.sql(statement).pl()
        size = found.item() if found.shape == (1, 1) else found.height
        return Answer(size, {"size s": time.perf_counter() - began})

    return run


def by_hand(name: str) -> Way:
    """The statement, twice: each time the file is opened and closed."""

    def run(folder: Path) -> Answer:
        taken, size = [], 0
        for _ in range(2):
            began = time.perf_counter()
            with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as handle:
                size = len(handle.sql((folder / name).read_text()).fetchall())
            taken.append(time.perf_counter() - began)
        return Answer(size, dict(zip(("first s", "again s"), taken, strict=True)))

    return run


def _of_company(title: str, ours: Way, statement: str, goals: tuple[Goal, ...]) -> Benchmark:
    ways = {OURS: ours, "by hand in duckdb": by_hand(statement)}
    return Benchmark(title=title, unit="questions", size=1, prepare=company, ways=ways, goals=goals)


benchmarks = {
    "import": Benchmark(
        title="starting Python with the package",
        unit="starts",
        size=STARTS,
        prepare=compiled,
        ways={
            OURS: starts("-c", "import personas_kit"),
            "a definition": starts("-c", "from personas_kit import event; event('Bought').count() >= 1"),
            "a workspace": starts("-c", "import personas_kit as pk; pk.open", times=1),
            "import polars": starts("-c", "import polars"),
            "nothing": starts("-c", "pass"),
        },
        shares={"a workspace": 1 / STARTS},
        goals=(
            Goal(text="import personas_kit, 5 starts", peer="import polars", at_least=4, of="cpu"),
            Goal(
                text="import and a definition, 5 starts", peer="import polars", at_least=2, of="cpu", way="a definition"
            ),
            Goal(
                text="import and all that a workspace needs, 5 starts",
                peer="import polars",
                of="cpu",
                way="a workspace",
            ),
        ),
    ),
    "help": Benchmark(
        title="personas --help",
        unit="starts",
        size=STARTS,
        prepare=compiled,
        ways={
            OURS: starts("-m", "personas_kit.cli", "--help"),
            "import click": starts("-c", "import click"),
            "import polars": starts("-c", "import polars"),
        },
        goals=(Goal(text="personas --help, 5 starts", peer="import click", at_most=3, of="cpu"),),
    ),
    "preview": _of_company(
        "a preview of the demo's company, with its members, changes, breakdown, past and overlap",
        preview,
        "members.sql",
        (
            Goal(text="preview of the demo: the first", of="first s", at_most=2),
            Goal(text="preview of the demo: another", of="again s", at_most=1),
            Goal(
                text="preview of the demo, against its query alone", peer="by hand in duckdb", at_most=8, of="again s"
            ),
        ),
    ),
    "many": Benchmark(
        title="a preview of 1 M users, half of them members, until it says how many they are",
        unit="users",
        size=USERS,
        prepare=many,
        ways={
            OURS: preview_of_many,
            "count by hand": members_by_hand("select count(distinct user_id) from users where vip"),
            "members by hand": members_by_hand("select distinct user_id, vip, email from users where vip"),
        },
        goals=(
            Goal(text="preview of 1 M users: until the size is said", of="size s", at_most=2),
            Goal(text="... against reading the members", peer="members by hand", at_most=4, of="size s"),
            Goal(text="... against counting them", peer="count by hand", of="size s"),
            Goal(text="preview of 1 M users: all of it", of="whole s"),
        ),
    ),
    "count": _of_company(
        "the builder's count of the demo's company after a change, with its pause of 0.35 s",
        count,
        "changed.sql",
        (Goal(text="builder's count after a change", of="again s", at_most=1),),
    ),
}
