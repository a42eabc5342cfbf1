"""``personas init``: from a warehouse that nobody has described to a ``personas.toml`` that works."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.table import Table as Grid
from rich.text import Text

from personas_kit.cli.codes import DONE, ERROR
from personas_kit.cli.terminal import output, people
from personas_kit.clock import SystemClock
from personas_kit.compiler import Schema, Table
from personas_kit.compiler.bind import find_table
from personas_kit.config import FILE, WarehouseSettings, checked_warehouse
from personas_kit.errors import ConfigError, WarehouseError
from personas_kit.evidence import STALE, newest
from personas_kit.onboarding.layout import Layout
from personas_kit.onboarding.proposal import Proposal, propose
from personas_kit.onboarding.recognise import recognise
from personas_kit.onboarding.writing import first_audience, first_file
from personas_kit.opening import warehouse_of
from personas_kit.warehouses.duckdb import READERS

PARTS = ("users", "accounts", "memberships", "identities", "events")
#: How many of a warehouse's tables an error lists.
LISTED = 20
Options = Mapping[str, Any]


@click.command()
@click.option("--duckdb", type=click.Path(path_type=Path), metavar="FILE", help="A DuckDB database.")
@click.option("--files", type=click.Path(path_type=Path), metavar="FOLDER", help="Parquet or CSV files, a table each.")
@click.option("--snowflake", metavar="NAME", help="A connection of connections.toml.")
@click.option("--postgres", metavar="SERVICE", help="A service of pg_service.conf.")
@click.option("--postgres-url", metavar="VARIABLE", help="The environment variable that holds PostgreSQL's address.")
@click.option("--role", help="Snowflake's role, instead of the connection's.")
@click.option("--warehouse", help="Snowflake's virtual warehouse, likewise.")
@click.option("--database", help="Snowflake's or PostgreSQL's database, likewise.")
@click.option("--schema", help="The schema to look at, if several could be meant.")
@click.option("--users", metavar="TABLE", help="The table of users, where its name does not tell.")
@click.option("--accounts", metavar="TABLE", help="The table of accounts.")
@click.option("--memberships", metavar="TABLE", help="The table that says which user belongs to which account.")
@click.option("--identities", metavar="TABLE", help="The table that says which anonymous id is whose.")
@click.option("--events", metavar="TABLE", help="The table of events.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Where the file goes. [default: here]",
)
@click.option("--yes", is_flag=True, help="Ask nothing: take what is found.")
def init(folder: Path, yes: bool, **options: Any) -> int:  # noqa: ANN401 - every option by its name
    """Look at a warehouse and write a first personas.toml, with the evidence for every line. Nothing is changed there.

    It knows the tables of Segment and of RudderStack, and finds its way by the names and types of other ones.
    """
    file = folder / FILE
    if file.exists():
        raise ConfigError(
            "there is a file already, and it is left as it is",
            where=str(file),
            hint="personas check looks at it; --folder writes another elsewhere",
        )
    ask = sys.stdin.isatty() and not yes
    said = _warehouse(options, folder, ask=ask)
    settings = checked_warehouse(WarehouseSettings.model_validate(said))
    warehouse = warehouse_of(settings, folder)
    try:
        people.print(Text(f"looking at {warehouse.describe()} ...", "dim"))
        schema = warehouse.schema()
        layout = _layout(schema, options, ask=ask)
        proposal = propose(warehouse, schema, layout, SystemClock().now())
    finally:
        warehouse.close()
    _show(proposal, warehouse.describe())
    if ask and not click.confirm(f"Write {file}?", default=True, err=True):
        return DONE
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(first_file(said, proposal), encoding="utf-8")
    _next(file, folder, proposal)
    return ERROR if proposal.problem else DONE


# -------------------------------------------------------------------------------------------------------- the warehouse


def _warehouse(options: Options, folder: Path, *, ask: bool) -> dict[str, object]:
    """What ``[warehouse]`` will say."""
    kinds = [name for name in ("duckdb", "files", "snowflake", "postgres", "postgres_url") if options[name]]
    if len(kinds) > 1:
        raise click.UsageError("one warehouse at a time: " + ", ".join(f"--{kind.replace('_', '-')}" for kind in kinds))
    if not kinds:
        return _guessed(folder) or (_asked(folder) if ask else _unsaid())
    kind, value = kinds[0], options[kinds[0]]
    more = {name: options[name] for name in ("role", "warehouse", "database") if options[name]}
    match kind:
        case "duckdb":
            return {"type": "duckdb", "path": _relative(Path(value), folder)}
        case "files":
            return {"type": "duckdb", "files": _tables_of(Path(value), folder)}
        case "snowflake":
            return {"type": "snowflake", "connection": value, **more}
        case "postgres":
            return {"type": "postgres", "connection": value, **more}
        case _:
            return {"type": "postgres", "url": {"env": value}, **more}


def _guessed(folder: Path) -> dict[str, object] | None:
    """The only DuckDB file of the folder."""
    found = [*folder.glob("*.duckdb")]
    return {"type": "duckdb", "path": found[0].name} if len(found) == 1 else None


def _unsaid() -> dict[str, object]:
    raise click.UsageError(
        "name the warehouse: --duckdb FILE, --files FOLDER, --snowflake NAME, --postgres SERVICE or --postgres-url "
        "VARIABLE. Without one, personas demo shows the whole job on a generated company"
    )


def _asked(folder: Path) -> dict[str, object]:
    kinds = click.Choice(["duckdb", "files", "snowflake", "postgres"])
    kind = click.prompt("Which kind of warehouse?", type=kinds, default="duckdb", err=True)
    words = {
        "duckdb": "Its file",
        "files": "The folder of Parquet or CSV files",
        "snowflake": "The connection's name in connections.toml",
        "postgres": "The service's name in pg_service.conf",
    }
    value = click.prompt(words[kind], err=True)
    unsaid = dict.fromkeys(
        ("duckdb", "files", "snowflake", "postgres", "postgres_url", "role", "warehouse", "database")
    )
    return _warehouse({**unsaid, kind: value}, folder, ask=False)


def _relative(path: Path, folder: Path) -> str:
    """As it is to stand in the file: relative to it where it is below."""
    full = path.expanduser().resolve()
    within = full.is_relative_to(folder.resolve())
    return (full.relative_to(folder.resolve()) if within else full).as_posix()


def _tables_of(place: Path, folder: Path) -> dict[str, str]:
    """A table for each file of the folder, and for each folder of files in it."""
    if not place.is_dir():
        raise ConfigError(f"there is no folder {str(place)!r}", hint="--files wants a folder of Parquet or CSV files")
    found: dict[str, str] = {}
    for each in sorted(place.iterdir()):
        ending = next((ending for ending in READERS if each.name.lower().endswith(ending)), None)
        if ending and each.is_file():
            found[each.name[: -len(ending)]] = _relative(each, folder)
        elif each.is_dir():
            inside = next((ending for ending in READERS if any(each.glob(f"*{ending}"))), None)
            if inside:
                found[each.name] = f"{_relative(each, folder)}/*{inside}"
    if not found:
        raise ConfigError(f"{str(place)!r} holds no file of a known kind", hint=f"known are {', '.join(READERS)}")
    return found


# ----------------------------------------------------------------------------------------------------------- the layout


def _layout(schema: Schema, options: Options, *, ask: bool) -> Layout:
    """The layout that is meant: the most complete one, unless a person says otherwise."""
    if not schema:
        raise WarehouseError("there is no table that can be read", hint="check the database, the schema and the grants")
    named = {part: find_table(schema, options[part], f"--{part}") for part in PARTS if options[part]}
    layouts = _in_schema(recognise(schema, named), options["schema"])
    if not layouts and ask:
        people.print(Text("no table looks like users or events", "yellow"))
        named["users"] = named.get("users") or _asked_table(schema, "users")
        layouts = recognise(schema, named)
    if not layouts:
        tables = sorted({table.name for table in schema.values()})
        more = f" and {len(tables) - LISTED:,} more" if len(tables) > LISTED else ""
        raise ConfigError(
            f"no table looks like users or events, of {', '.join(tables[:LISTED])}{more}",
            hint="name them: --users TABLE --events TABLE",
        )
    if len(layouts) > 1 and ask:
        return _chosen(layouts)
    return layouts[0]


def _in_schema(layouts: Sequence[Layout], schema: str | None) -> list[Layout]:
    if not schema:
        return list(layouts)
    wanted = schema.casefold()
    found = [layout for layout in layouts if wanted in {part.casefold() for part in layout.place}]
    if not found and layouts:
        places = ", ".join(sorted({".".join(layout.place) for layout in layouts}))
        raise ConfigError(f"nothing is recognised in a schema {schema!r}", hint=f"it is in {places or 'the only one'}")
    return found


def _asked_table(schema: Schema, part: str) -> Table:
    name = click.prompt(f"Which table holds the {part}?", err=True)
    return find_table(schema, name, part)


def _chosen(layouts: Sequence[Layout]) -> Layout:
    for at, layout in enumerate(layouts, 1):
        people.print(f"  {at}  {layout.name} layout in {'.'.join(layout.place) or 'the only schema'}")
    at = click.prompt("Which one?", type=click.IntRange(1, len(layouts)), default=1, err=True)
    return layouts[at - 1]


# ----------------------------------------------------------------------------------------------------- what was found


def _show(proposal: Proposal, where: str) -> None:
    """One screen: what is what, the evidence, and what is wrong."""
    layout = proposal.layout
    place = f", schema {'.'.join(layout.place)}" if layout.place else ""
    output.print(Text.assemble((f"{layout.name} layout", "bold"), f" in {where}{place}"))
    output.print(evidence_grid(proposal.evidence))
    for note in layout.notes:
        output.print(Text(f"  to do: {note}", "yellow"))
    if proposal.problem:
        output.print(Text(f"  wrong: {proposal.problem}", "bold red"))


def evidence_grid(evidence: Sequence[Any]) -> Grid:
    """The evidence of each part, with its problems below it."""
    grid = Grid.grid(padding=(0, 2))
    for each in evidence:
        mark = ("✗", "red") if each.fatal else ("!", "yellow") if each.problems else ("✓", "green")
        grid.add_row(Text(*mark), Text(each.part, "bold"), Text(each.place), Text(each.found))
        for problem in each.problems:
            grid.add_row("", "", "", Text(problem, "red" if each.fatal else "yellow"))
    return grid


def _next(file: Path, folder: Path, proposal: Proposal) -> None:
    """What to type now."""
    people.print(f"{file} is written.")
    if proposal.problem:
        people.print("Mend what is wrong, then run: personas check")
        return
    at = "" if folder == Path() else f" -c {shlex.quote(str(folder))}"
    if not proposal.event:
        people.print(f"Next: personas{at} check")
        return
    people.print(f"Next: personas{at} preview {first_audience(proposal.event).key}{_when(proposal)}")


def _when(proposal: Proposal) -> str:
    """An instant at which there is something to see, where the newest event is old."""
    last = next((newest(each.counts) for each in proposal.evidence if each.part == "events"), None)
    return f" --as-of {last:%Y-%m-%d}" if last and SystemClock().now() - last > STALE else ""
