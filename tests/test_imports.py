"""What is loaded, and what is not: whoever only asks for the package, or for help, does not wait for the rest."""

import subprocess
import sys

import pytest

import personas_kit

#: What takes long to load, or is loaded by something else that does.
HEAVY = {
    "IPython", "anywidget", "click", "duckdb", "filelock", "httpcore", "httpx", "numpy", "pandas", "polars",
    "polars_hash", "pyarrow", "pydantic", "pygments", "rich", "sqlglot",
}  # fmt: skip


def loaded_by(code: str) -> set[str]:
    """The packages that a fresh process has loaded, and the modules of this one, once it has run some code."""
    ends = "print('\\n' + ' '.join({m if m.startswith('personas_kit') else m.partition('.')[0] for m in sys.modules}))"
    run = f"import sys\ntry:\n    {code}\nfinally:\n    {ends}"
    done = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    return set(done.stdout.splitlines()[-1].split())


def of_the_kit(loaded: set[str]) -> set[str]:
    return {name for name in loaded if name.startswith("personas_kit")}


def test_the_package_loads_nothing_until_a_name_is_asked_for():
    loaded = loaded_by("import personas_kit")

    assert loaded & HEAVY == set()
    assert of_the_kit(loaded) == {"personas_kit"}


def test_definitions_need_neither_a_warehouse_nor_frames():
    loaded = loaded_by("from personas_kit import Audience, event; Audience('Buyers', event('Bought').count() >= 1)")

    assert loaded & HEAVY == set()


@pytest.mark.parametrize("asked", ["--help", "-h", "--version", "nosuch"])
def test_help_loads_nothing_but_what_writes_it(asked):
    loaded = loaded_by(f"from personas_kit.cli import main; main([{asked!r}])")

    assert loaded & HEAVY == {"click"}
    assert of_the_kit(loaded) == {
        "personas_kit", "personas_kit.cli", "personas_kit.cli.codes", "personas_kit.cli.entry", "personas_kit.errors",
    }  # fmt: skip


def test_every_name_of_the_surface_is_there_for_completion_and_for_import():
    loaded = loaded_by("import personas_kit as pk; assert dir(pk) == sorted(pk.__all__); from personas_kit import *")

    assert {"personas_kit.workspace", "personas_kit.company", "personas_kit.testing"} <= loaded


def test_what_is_no_name_is_an_error():
    with pytest.raises(AttributeError, match="no attribute 'oepn'"):
        _ = personas_kit.oepn
