"""The code on the pages does what they say: Python runs, commands exist, TOML is configuration.

``--update-golden`` writes the outputs that the pages show anew.
"""

import doctest
import re
import shlex
import shutil
import tomllib
from pathlib import Path

import click
import pytest

import personas_kit as pk
from personas_kit.cli.entry import cli
from personas_kit.company import opening
from personas_kit.company.generate import generate
from personas_kit.config import load
from tests.docs.pages import PAGES, ROOT, Block, blocks
from tests.docs.running import UNRUN, commands, said_by, said_in_terminal

# -------------------------------------------------------------------------------------------------------------- Python

#: Pages whose code other tests run, and which.
ELSEWHERE = {"docs/own_destination.md": "tests/testing/test_own_destination.py"}
#: What the reader of a page has at hand besides the public names, and `ws`, the demo's workspace.
BEFORE = {
    "docs/causes.md": "import polars as pl",
    "docs/pushing.md": "plan = ws.plan('order_completed_last_30days', to='analytics')",
    "docs/schedules.md": "seats = pk.Trait('Seats', event('Signed In').count()); PapermillOperator = dict",
}
RUN = [page for page in PAGES if page not in ELSEWHERE and blocks("python", page=page)]
OUTPUT = doctest.OutputChecker()


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory) -> Path:
    return generate(tmp_path_factory.mktemp("company") / "warehouse.duckdb")


@pytest.fixture
def namespace(warehouse, tmp_path, monkeypatch):
    """What a page begins with, in the demo's folder. `pk.demo()` takes a copy of a company that is there already."""
    monkeypatch.setattr(opening, "generate", lambda path, seed: shutil.copyfile(warehouse, path))
    ws = pk.demo(tmp_path)
    monkeypatch.chdir(tmp_path)
    names = {name: getattr(pk, name) for name in pk.__all__} | {"pk": pk, "ws": ws, "__name__": "page"}
    yield names
    for opened in {id(each): each for each in (ws, names["ws"])}.values():
        opened.close()


@pytest.mark.parametrize("page", RUN)
def test_the_code_of_a_page_runs_and_prints_what_the_page_shows(page, namespace, request):
    exec(BEFORE.get(page, ""), namespace)  # noqa: S102

    found = [block for block in blocks("python", "sh", page=page) if not UNRUN.match(block.text)]
    said = {block: _said(block, namespace) for block in found if block.language == "python" or block.output is not None}

    shown = {block: text for block, text in said.items() if block.output is not None}
    if request.config.getoption("--update-golden"):
        _write(page, shown)
    else:
        assert {block: text for block, text in shown.items() if not _agrees(block, text)} == {}


def _said(block: Block, namespace) -> str:
    return said_by(block, namespace) if block.language == "python" else said_in_terminal(block)


def _agrees(block: Block, text: str) -> bool:
    return OUTPUT.check_output(block.output or "", text, doctest.ELLIPSIS)


def _write(page: str, shown: dict[Block, str]) -> None:
    lines = PAGES[page].splitlines(keepends=True)
    for block, text in reversed(shown.items()):
        if not _agrees(block, text):
            begin, length = block.output_line, len((block.output or "").splitlines())
            lines[begin : begin + length] = text.splitlines(keepends=True)
    (ROOT / page).write_text("".join(lines), encoding="utf-8", newline="\n")


def test_what_other_tests_run_is_run_by_them():
    assert [page for page, test in ELSEWHERE.items() if Path(page).name not in (ROOT / test).read_text("utf-8")] == []


# ------------------------------------------------------------------------------------------------------------ commands

#: Made of the commands themselves.
MADE = "docs/commands.md"
SHELL = [block for block in blocks("sh", "yaml", "text") if block.page != MADE]


@pytest.mark.parametrize("block", [block for block in SHELL if commands(block)], ids=str)
def test_the_commands_of_a_block_exist_with_their_options(block):
    assert [problem for command in commands(block) if (problem := _problem(command))] == []


@pytest.mark.parametrize("page", [page for page in PAGES if page not in {MADE, "CHANGELOG.md"}])
def test_the_commands_within_sentences_exist(page):
    said = re.findall(r"`(personas (?!=)[^`]*)`", PAGES[page].replace("\n", " "))

    assert [problem for command in said if (problem := _problem(command, whole=False))] == []


def _problem(command: str, *, whole: bool = True) -> str:
    """What is wrong with a command line, by the rules of the command line itself."""
    words = shlex.split(command)[1:]
    context = click.Context(cli, info_name="personas")
    try:
        _, rest, _ = cli.make_parser(context).parse_args(words)
        if not rest:
            return ""
        found = cli.get_command(context, rest[0])
        if found is None:
            return f"{command}: no command {rest[0]}"
        inner = click.Context(found, parent=context, resilient_parsing=not whole)
        given, over, _ = found.make_parser(inner).parse_args(rest[1:])
    except click.UsageError as problem:
        return f"{command}: {problem.format_message()}"
    required = [each.name for each in found.params if whole and each.required]
    needed = [name for name in required if not isinstance(given.get(name), str | tuple)]
    return f"{command}: needs {needed}, does not take {over}" if over or needed else ""


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("personas previw x", "no command previw"),
        ("personas preview x --too ads", "No such option"),
        ("personas push", "needs ['key']"),
        ("personas forget ann bob", "does not take ['bob']"),
    ],
)
def test_a_wrong_command_is_noticed(command, says):
    assert says in _problem(command)


def test_what_a_page_makes_is_a_target():
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    said = {(page, name) for page, text in PAGES.items() for name in re.findall(r"`make ([a-z0-9-]+)", text)}
    said |= {(block.page, name) for block in SHELL for name in re.findall(r"(?m)^\s*make ([a-z0-9-]+)", block.text)}

    assert {(page, name) for page, name in said if name not in targets} == set()


# ---------------------------------------------------------------------------------------------------------------- TOML

#: What a part of a file leaves out, in the order of the file.
REST = {
    "warehouse": '[warehouse]\npath = "warehouse.duckdb"\n',
    "source": "[source]\nusers = { table = 'users', id = 'user_id' }\n",
    "audience": "[[audience]]\nname = 'Somebody'\nwhere = \"trait('vip') = true\"\n",
}
SECTIONS = {"audience", "account_audience", "trait", "account_trait", "sql_audience", "sql_trait"}
#: How a block of another file begins, and those of pages that have a test of their own.
OTHER = re.compile(r"# [\w.-]+\.toml|\[project]")
CONFIGURATION = [block for block in blocks("toml") if block.page not in ELSEWHERE and not OTHER.match(block.text)]


@pytest.mark.parametrize("block", CONFIGURATION, ids=str)
def test_toml_is_configuration_or_a_part_of_it(block, tmp_path):
    for name in re.findall(r"^file\s*=\s*\"(.+?)\"", block.text, re.MULTILINE):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("SELECT user_id FROM users", encoding="utf-8")
    file = tmp_path / "personas.toml"
    file.write_text(_whole(block.text), encoding="utf-8")

    config = load(file)

    assert config.scheduled or "[[" not in block.text


def _whole(text: str) -> str:
    """The part, in a file of which the rest is as short as can be."""
    said = tomllib.loads(text)
    inside = not said.keys() & {*SECTIONS, *REST, "state", "destinations", "include"}
    needed = [REST[name] for name in ("warehouse", "source") if name not in said]
    asked = {to["destination"] for each in _definitions(said, inside=inside) for to in each.get("to", ())}
    missing = asked - said.get("destinations", {}).keys() - ({"adobe-analytics"} if "hub" in text else set())
    hooks = [f'[destinations.{name}]\ntype = "webhook"\nurl = "https://example.com/"\n' for name in sorted(missing)]
    return "\n".join([*needed, *hooks, *([REST["audience"]] if inside else []), text])


def _definitions(said, *, inside: bool):
    return [said] if inside else [each for section in SECTIONS for each in said.get(section, ())]


def test_what_is_toml_of_something_else_is_toml():
    others = [block for block in blocks("toml") if block not in CONFIGURATION]

    assert [block.page for block in others if not tomllib.loads(block.text)] == []
