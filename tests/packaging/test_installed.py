"""The wheel in an environment of its own, used in a folder elsewhere: all that a person without the repository has."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
WHERE = "import json, personas_kit, sys; print(json.dumps([personas_kit.__file__, sys.path]))"


def test_it_is_the_wheel_that_is_imported(core, tmp_path):
    """Else everything below would be about the checkout."""
    file, path = json.loads(core.run("python", "-c", WHERE, cwd=tmp_path).stdout)

    assert Path(file).parent == core.packages / "personas_kit"
    assert not [place for place in path if Path(place or tmp_path).is_relative_to(ROOT)]


def test_what_is_not_asked_for_is_not_there(core, tmp_path):
    for absent in ("pytest", "papermill", "snowflake.connector", "yaml"):
        assert "ModuleNotFoundError" in core.run("python", "-c", f"import {absent}", cwd=tmp_path).stderr


def test_everything_public_is_there_without_an_extra(core, tmp_path):
    said = core.run("python", "-W", "error", "-c", "from personas_kit import *; print(len(dir()))", cwd=tmp_path)

    assert said.stderr == ""
    assert int(said.stdout) > 25


def test_it_says_its_version(core, tmp_path):
    assert core.run("personas", "--version", cwd=tmp_path).stdout == "personas, version 0.1.0\n"


def test_the_demo_runs_to_its_end_without_an_extra(core, tmp_path):
    said = core.run("personas", "demo", cwd=tmp_path)

    assert said.returncode == 0, said.stderr
    assert "✗" not in said.stdout
    assert len(re.findall("✓ .*wanted, .*received", said.stdout)) == 3
    assert "personas copy notebooks" in said.stdout


def test_the_sql_is_copied_with_what_the_messages_name(core, tmp_path):
    said = core.run("personas", "copy", "sql", cwd=tmp_path)

    assert "copied to sql" in said.stderr
    for name in ("sql/postgres/state.sql", "sql/snowflake/state.sql", "sql/sources/segment.sql"):
        assert (tmp_path / name).read_bytes() == (ROOT / name).read_bytes()


def test_a_copied_notebook_runs(lab, tmp_path):
    copied = lab.run("personas", "copy", "notebooks", cwd=tmp_path)
    notebook = "notebooks/90_scheduled_sync.ipynb"
    ran = lab.run("personas", "run", "--notebook", notebook, "--output", "out.ipynb", cwd=tmp_path)

    assert "10 files copied to notebooks" in copied.stderr
    assert ran.returncode == 0, ran.stderr
    assert "5 pushed" in (tmp_path / "out.ipynb").read_text(encoding="utf-8")


def test_without_the_extra_a_notebook_says_what_to_install(core, tmp_path):
    said = core.run("personas", "run", "--notebook", "notebooks/90_scheduled_sync.ipynb", cwd=tmp_path)

    assert said.returncode == 1
    assert 'pip install "personas-kit[lab]"' in said.stderr
