"""Text of a file, of a warehouse or of an answer is never code: nothing is imported, evaluated or unpickled by it."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import personas_kit
from personas_kit.config import load
from personas_kit.destinations import DESTINATIONS, find
from personas_kit.destinations.registry import module_of
from personas_kit.errors import ConfigError, PersonasError, UnknownName

ROOT = Path(personas_kit.__file__).parent
SOURCES = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in sorted(ROOT.rglob("*.py"))}
TYPES = [
    "evil_canary",
    "os",
    "subprocess",
    "base",
    "auth",
    "outcomes",
    "segment.destination",
    "personas_kit.cli",
    "personas_kit.destinations.segment",
    "../evil_canary",
    "evil_canary:destination",
    "segment\x00",
    "",
]


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """A module that leaves a mark when somebody imports it, at a place where it would be found."""
    mark = tmp_path / "imported"
    (tmp_path / "evil_canary.py").write_text(f"open({str(mark)!r}, 'w').close()\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    return mark


def test_the_trap_works(trap):
    importlib.import_module("evil_canary")
    del sys.modules["evil_canary"]

    assert trap.exists()


@pytest.mark.parametrize("slug", TYPES)
def test_a_destination_is_looked_up_and_never_imported_by_a_text(slug, trap, tmp_path, monkeypatch):
    asked, imports = [], importlib.import_module
    known = {f"personas_kit.destinations.{module_of(each)}" for each in DESTINATIONS}  # looked at for the nearest name

    def notice(name, *more):
        if name not in known:
            asked.append(name)
        return imports(name, *more)

    monkeypatch.setattr(importlib, "import_module", notice)
    with pytest.raises(UnknownName):
        find(slug)
    (tmp_path / "personas.toml").write_text(
        '[warehouse]\npath = "w.duckdb"\n[source]\nusers = { table = "u", id = "i" }\n'
        f'[destinations.it]\ntype = "{slug}"\n'.replace("\x00", "\\u0000"),
        encoding="utf-8",
    )
    with pytest.raises(PersonasError):
        load(tmp_path / "personas.toml")

    assert (asked, trap.exists(), "evil_canary" in sys.modules) == ([], False, False)


@pytest.mark.parametrize("key", ["setting", "type", "hosts", "__class__", "outcomes", "auth"])
def test_a_setting_cannot_replace_what_a_destination_declares(key, tmp_path):
    (tmp_path / "personas.toml").write_text(
        '[warehouse]\npath = "w.duckdb"\n[source]\nusers = { table = "u", id = "i" }\n'
        f'[destinations.it]\ntype = "segment"\nwrite_key = {{ env = "K" }}\n{key if key != "type" else "Type"} = "x"\n',
        encoding="utf-8",
    )
    with pytest.raises(ConfigError, match="has no setting"):
        load(tmp_path / "personas.toml")


def test_the_list_of_destinations_is_what_lies_in_their_folder():
    code = "import sys; import personas_kit.destinations as d; print(*sorted(d.DESTINATIONS))"
    listed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert listed == sorted(DESTINATIONS)


#: Calls that turn text or bytes into code, or into objects of any class; ``importlib`` has places of its own.
CODE = {"eval", "exec", "__import__", "execfile"}
ATTRIBUTES = {
    "pickle.load", "pickle.loads", "marshal.loads", "os.system", "os.popen", "subprocess.run", "subprocess.Popen",
    "subprocess.call", "subprocess.check_output", "yaml.load", "importlib.import_module", "runpy.run_path",
}  # fmt: skip
KNOWN = {
    ("__init__.py", "importlib.import_module"),
    ("cli/entry.py", "importlib.import_module"),  # a command of the list there
    ("cli/notebooks.py", "importlib.import_module"),  # what the extra brings, by names that are written there
    ("destinations/registry.py", "importlib.import_module"),
}


def test_no_code_is_made_of_text():
    found = set()
    for name, source in SOURCES.items():
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            if called in CODE or called in ATTRIBUTES:
                found.add((name, called))

    assert found == KNOWN


UNSAFE = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc|DOMParser")


def scripts():
    """Every script that the package brings along: files, and texts of widgets."""
    found = {path.name: path.read_text(encoding="utf-8") for path in ROOT.rglob("*") if path.suffix in {".js", ".mjs"}}
    for name, source in SOURCES.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "export default" in node.value:
                found[name] = node.value
    return found


def test_scripts_of_widgets_write_text_and_not_html():
    assert UNSAFE.search("el.innerHTML = model.get('name')")
    # a static card goes through a template, where it is inert, and through a list of what it may hold
    assert {name: UNSAFE.findall(text) for name, text in scripts().items() if UNSAFE.search(text)} == {
        "kit.js": ["innerHTML"]
    }
