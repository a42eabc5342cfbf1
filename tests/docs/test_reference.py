"""The pages that are made of the code say what it says, and no name of the code is missing or gone."""

import dataclasses
import inspect
import re
from collections.abc import Iterator
from typing import get_args

import pytest

import personas_kit as pk
from personas_kit.activation.plan import Plan
from personas_kit.activation.report import Report
from personas_kit.activation.runs import RunReport
from personas_kit.cli.entry import COMMANDS
from personas_kit.company.opening import DemoWorkspace
from personas_kit.compiler import settings
from personas_kit.config import tables
from personas_kit.definitions import expressions, streams
from personas_kit.definitions.expressions import Compare, Expression, Operator, walk
from personas_kit.definitions.streams import Reduced, Reducer
from personas_kit.testing import SmallWorkspace
from tests.docs import commands, constructs
from tests.docs.pages import PAGES, ROOT

MADE = {"docs/commands.md": commands.page, "docs/constructs.md": constructs.page}
WRITTEN = {page: text for page, text in PAGES.items() if page not in {*MADE, "docs/api.md"}}


@pytest.mark.parametrize("page", MADE)
def test_a_page_that_is_made_is_what_the_code_says(page, request):
    text = MADE[page]()
    if request.config.getoption("--update-golden"):
        (ROOT / page).write_text(text, encoding="utf-8", newline="\n")
    assert (ROOT / page).read_text(encoding="utf-8") == text, "pytest tests/docs --update-golden"


# ------------------------------------------------------------------------------------------------ nothing is left out


def nodes() -> list[Expression]:
    examples = [example for part in constructs.PARTS.values() for example in part]
    return [node for example in examples for node in walk(example.definition.expression)]


def test_every_operator_and_every_reducer_has_an_example():
    found = nodes()

    assert {node.operator for node in found if isinstance(node, Compare)} == {*get_args(Operator)}
    assert {node.reducer for node in found if isinstance(node, Reduced)} == {*get_args(Reducer)}


def test_every_kind_of_expression_has_an_example():
    written = {
        kind
        for module in (expressions, streams)
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, Expression) and kind.__module__ == module.__name__ and "__match_args__" in kind.__dict__
    }
    inlined = {"OfAccounts", "OfOwner", "OwnerValue"}  # what the compiler makes of others

    assert {kind.__name__ for kind in written} - {type(node).__name__ for node in nodes()} == inlined


def test_every_word_of_the_vocabulary_has_an_example():
    text = constructs.page()
    words = {name for name in pk.__all__ if inspect.isfunction(getattr(pk, name))} - OPENING

    assert {word for word in words if f"{word}(" not in text} == set()


#: Functions that are no words of the language.
OPENING = {"demo", "from_dict", "open", "parameters", "parse", "sql_file"}


@pytest.mark.parametrize("name", pk.__all__)
def test_every_public_name_is_in_the_reference_and_on_a_page_that_explains_it(name):
    assert re.search(rf"(?:[. ]){name}\b", PAGES["docs/api.md"])
    assert [page for page, text in WRITTEN.items() if re.search(rf"\b{name}\b", text)] != []


#: What the kit itself asks of a workspace.
INNER = {"proves"}
METHODS = [name for name, _ in inspect.getmembers(pk.Workspace) if not name.startswith("_") and name not in INNER]


@pytest.mark.parametrize("name", METHODS)
def test_every_method_of_a_workspace_is_on_a_page_that_explains_it(name):
    assert [page for page, text in WRITTEN.items() if f"ws.{name}" in text] != []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_on_a_page_that_explains_it(command):
    assert [page for page, text in WRITTEN.items() if f"personas {command}" in text] != []


def keys() -> Iterator[str]:
    """Every key that ``personas.toml`` may hold, but for the settings of destinations."""
    models = [each for _, each in inspect.getmembers(tables, inspect.isclass) if issubclass(each, tables.Table)]
    yield from (
        of.alias or name for model in models if model is not tables.File for name, of in model.model_fields.items()
    )
    parts = [each for _, each in inspect.getmembers(settings, dataclasses.is_dataclass)]
    yield from (each.name for part in parts for each in dataclasses.fields(part))
    yield from ("type", "url", "timeout", "allow_private", "include")


@pytest.mark.parametrize("key", sorted({*keys()}))
def test_every_key_of_the_file_is_on_its_page(key):
    assert re.search(rf"`(?:\w+ = )?{key}\b|^{key} +=", PAGES["docs/file.md"], re.MULTILINE)


# ------------------------------------------------------------------------------------------------------ nothing is gone

#: Names of files that look like attributes.
FILES = {"report.html", "report.ipynb"}
#: What is written before a dot, and what it is.
CALLED = {"pk": [pk], "ws": [DemoWorkspace, SmallWorkspace], "plan": [Plan], "report": [Report], "run": [RunReport]}


@pytest.mark.parametrize("page", PAGES)
def test_every_name_that_a_page_uses_is_there(page):
    used = set(re.findall(r"\b(pk|ws|plan|report|run)\.(\w+)(?!\w)", _code(PAGES[page])))

    missing = {f"{of}.{name}" for of, name in used if not any(_there(each, name) for each in CALLED[of])}

    assert missing - FILES == set()


def _code(text: str) -> str:
    return "\n".join(re.findall(r"```python.*?```|`[^`\n]+`", text, re.DOTALL))


def _there(of: object, name: str) -> bool:
    """Also what only an object of the class has."""
    made = re.compile(rf"\bself\.{name} =|^    {name}:", re.MULTILINE)
    kinds = inspect.getmro(of) if inspect.isclass(of) else ()
    return hasattr(of, name) or any(made.search(_source(kind)) for kind in kinds)


def _source(kind: type) -> str:
    return "" if kind is object else inspect.getsource(kind)
