"""``personas demo``: the whole job on a generated company, in the order in which a person does it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.syntax import Syntax
from rich.text import Text

from personas_kit.activation.plan import Plan
from personas_kit.cli.codes import DONE, ERROR
from personas_kit.cli.terminal import progress_bar, show_payloads, show_plan, show_preview, show_report
from personas_kit.company import DemoWorkspace, open_demo
from personas_kit.company.config import LIST_ID
from personas_kit.config import FILE
from personas_kit.errors import PersonasError

AUDIENCE = "order_completed_last_30days"


def take_tour(folder: Path, seed: int, console: Console) -> int:
    """Generate, define, preview, plan and push; let a day pass; push only the changes; compare both sides.

    Returns:
        The exit code: 0 if the receiver ended with exactly what the warehouse has.
    """
    if (folder / FILE).exists():
        raise PersonasError(
            "there is a demo in this folder already",
            where=str(folder),
            hint="remove it, or give another: personas demo --folder NAME",
        )
    console.print(Rule("personas_kit: the main job, offline"))
    workspace = open_demo(folder, seed=seed)
    try:
        return _tell(workspace, folder, console)
    finally:
        workspace.close()


def _tell(workspace: DemoWorkspace, folder: Path, console: Console) -> int:
    _step(console, "1", "A warehouse in DuckDB, and a receiver on this machine that stands in for the destinations")
    console.print(f"  {folder / 'warehouse.duckdb'} · receiver at {workspace.sandbox.url}")
    _step(console, "2", f"Four definitions, in {folder / FILE}; each is a line of the query language")
    for definition in workspace.definitions.values():
        kind = definition.kind.replace("_", " ")
        console.print(
            Text.assemble(f"  {kind} ", (definition.name, "bold"), ": ", (str(definition.expression), "italic cyan"))
        )
    _step(console, "3", "What is in them? A preview sends nothing")
    for key in workspace.definitions:
        show_preview(workspace.preview(key), console)
    console.print(Text("The SQL behind the first one:", "bold"))
    console.print(Padding(Syntax(str(workspace.sql(AUDIENCE)), "sql", background_color="default"), (0, 2)))
    _step(console, "4", "Plan and push: the first time everyone goes")
    plans = [workspace.plan(key) for key in workspace.definitions]
    show_payloads(plans[0], 1, console)
    _push(plans, console)
    _step(console, "5", "A day passes. Plan and push again: only the changes go")
    workspace.clock.move(days=1)
    _push([workspace.plan(key) for key in workspace.definitions], console)
    _step(console, "6", "Both sides compared")
    equal = _compare(workspace, console)
    _step(console, "7", "Where everything lies, and what to do next")
    _next(folder, workspace.sandbox.port, console)
    return DONE if equal else ERROR


def _push(plans: list[Plan], console: Console) -> None:
    for plan in plans:
        show_plan(plan, console)
        with progress_bar(plan.changes.height) as tell:
            report = plan.push(progress=tell)
        show_report(report, console)


def _compare(workspace: DemoWorkspace, console: Console) -> bool:
    """Whether the receiver has exactly what the warehouse says."""
    buyers = {str(member) for member in workspace.members(AUDIENCE)["user_id"]}
    received = {user for user, traits in workspace.sandbox.users().items() if traits.get(AUDIENCE) is True}
    active = {str(member) for member in workspace.members("active_accounts")["account_id"]}
    got = {account for account, traits in workspace.sandbox.accounts().items() if traits.get("active_accounts") is True}
    listed = workspace.sandbox.lists()[LIST_ID]
    state = next(state for sync, state in workspace.store.syncs() if sync.call == "list")
    wanted_list = {tuple(sorted(json.loads(member).items())) for member in state.acknowledged["member"]}
    rows = (
        ("users with the audience's trait", len(buyers), len(received), buyers == received),
        ("accounts with the account audience's trait", len(active), len(got), active == got),
        ("addresses on the list", len(wanted_list), len(listed), wanted_list == listed),
    )
    for what, wanted, there, same in rows:
        mark = Text("✓ ", "green") if same else Text("✗ ", "red")
        console.print(mark + Text(f"{what}: {wanted:,} wanted, {there:,} received"))
    return all(same for *_, same in rows)


def _next(folder: Path, port: int, console: Console) -> None:
    lines = (
        (FILE, "the workspace: definitions, destinations, what lies where"),
        ("warehouse.duckdb", "the company; open it with any DuckDB"),
        (".personas", "what each destination acknowledged"),
        ("received.sqlite", "what the receiver got"),
    )
    for name, what in lines:
        console.print(Text.assemble("  ", (str(folder / name), "bold"), f"  {what}"))
    console.print("\nGo on by hand (the demo's present is 2026-11-02):")
    console.print(f"  cd {shlex.quote(str(folder))}")
    console.print(
        f"  personas sandbox --port {port} --file received.sqlite     # in a second terminal; it shows a page, too"
    )
    console.print(f"  personas push {AUDIENCE} --as-of 2026-11-03 --yes")
    console.print("\nOr `personas copy notebooks` for the same in Jupyter, and `personas init` for your own warehouse.")


def _step(console: Console, number: str, words: str) -> None:
    console.print()
    console.print(Text.assemble((f"{number} ", "bold magenta"), (words, "bold")))
