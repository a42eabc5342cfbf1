"""The scheduled notebook as schedules run it: by the command, by papermill, by jupyter execute; well and badly."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from personas_kit.activation.runs import RunLine, RunReport
from personas_kit.company.generate import DEMO_AS_OF
from personas_kit.errors import PersonasError, PlanBlocked, RunElsewhere, RunError, RunRejected, RunUnfinished
from personas_kit.sandbox import Sandbox
from tests import small
from tests.notebooks.sanitizer import problems

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "90_scheduled_sync.ipynb"
BIN = Path(sys.executable).parent


def run(*arguments, folder, **environment):
    """Another process, in a folder, with nobody at its keyboard."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PERSONAS_")}
    return subprocess.run(
        [str(BIN / arguments[0]), *map(str, arguments[1:])],
        cwd=folder, env=own | environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=240,
        check=False,
    )  # fmt: skip


def outputs(file, tag=""):
    """All outputs of an executed notebook, or those of the cells whose id begins so."""
    cells = nbformat.read(file, as_version=4).cells
    return [output for cell in cells if cell.id.startswith(tag) for output in cell.get("outputs", ())]


def words(file, tag=""):
    """What stands in the outputs for whoever reads text only."""
    found = [output.get("data", {}).get("text/plain", "") + output.get("text", "") for output in outputs(file, tag)]
    return "\n".join(found)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The notebook on the demo, run by the command."""
    folder = tmp_path_factory.mktemp("demo")
    said = run("personas", "run", "--notebook", NOTEBOOK, "--output", "report.ipynb", folder=folder)
    return said, folder / "report.ipynb"


@pytest.fixture
def workspace(tmp_path):
    """A small workspace whose first push nobody has looked at."""
    with Sandbox() as sandbox:
        small.make(tmp_path, sandbox.url, [f"u{n}" for n in range(10)])
        yield tmp_path, sandbox


def test_it_runs_offline_on_the_demo_and_everything_is_acknowledged(done):
    said, file = done

    assert said.returncode == 0, said.stderr
    assert "report.ipynb: exit code 0" in said.stderr
    assert "this is the demo" in words(file, "open")
    assert re.search(r"run of 2026-11-01 00:00 UTC: 5 pushed", words(file, "run"))
    assert not [output for output in outputs(file) if output.output_type == "error"]


def test_the_untrusted_notebook_holds_the_whole_report(done):
    cards = [output.data["text/html"] for output in outputs(done[1]) if "text/html" in output.get("data", {})]

    assert len(cards) >= 13  # the status twice, the previews, the run, a plan and a report of each of five
    assert [problem for card in cards for problem in problems(card)] == []
    assert not [output for output in outputs(done[1]) if any("widget" in mime for mime in output.get("data", {}))]


def test_what_took_its_time_is_saved_with_its_last_number(done):
    shown = words(done[1], "run")

    assert "1,115 of 1,115 changes (100%)" in shown
    assert "(0%)" not in shown


def test_a_blocked_run_says_so_with_its_code_and_leaves_the_report(workspace):
    folder, sandbox = workspace
    said = run("personas", "run", "--notebook", NOTEBOOK, "--output", "report.ipynb", folder=folder)

    assert said.returncode == 3, said.stderr
    assert "personas push vips --to ads --override first_sync" in said.stderr
    assert list(sandbox.requests) == []
    assert "BLOCKED by first_sync" in words(folder / "report.ipynb", "plans")
    assert [output.ename for output in outputs(folder / "report.ipynb", "check")] == ["PlanBlocked"]


def test_papermill_hands_over_parameters_and_fails_where_the_run_does(workspace):
    folder, sandbox = workspace
    blocked = run("papermill", NOTEBOOK, "blocked.ipynb", folder=folder)
    pushed = run(
        "papermill", NOTEBOOK, "pushed.ipynb", "-p", "override", "first_sync", "-p", "destinations", "analytics",
        folder=folder,
    )  # fmt: skip

    assert (blocked.returncode, pushed.returncode) == (1, 0), pushed.stderr
    assert "PlanBlocked" in blocked.stderr
    assert (folder / "blocked.ipynb").exists()
    assert small.received(sandbox) == {f"u{n}" for n in range(10)}
    assert small.on_the_list(sandbox) == 0
    assert nbformat.read(folder / "pushed.ipynb", as_version=4).metadata.papermill.parameters.override == "first_sync"


def test_jupyter_execute_takes_them_from_the_environment(workspace):
    folder, sandbox = workspace
    notebook = folder / "scheduled.ipynb"
    notebook.write_bytes(NOTEBOOK.read_bytes())
    said = run(
        "jupyter", "execute", notebook, "--inplace", folder=folder,
        PERSONAS_OVERRIDE="first_sync", PERSONAS_DESTINATIONS="ads",
    )  # fmt: skip

    assert said.returncode == 0, said.stderr
    assert small.on_the_list(sandbox) == 10
    assert small.received(sandbox) == set()
    assert "1 pushed" in words(notebook, "run")


def run_that(did, why=""):
    return RunReport(DEMO_AS_OF, (RunLine("a", "x", "pushed"), RunLine("b", "x", did, why)))


@pytest.mark.parametrize("did", ["pushed", "planned", "not due"])
def test_a_run_that_went_well_has_nothing_to_say(did):
    assert run_that(did).check() is None


def test_a_run_that_went_badly_says_which_part():
    with pytest.raises(RunError, match="a part of it failed") as failed:
        run_that("failed", "no warehouse").check()
    with pytest.raises(PlanBlocked, match="nothing was sent"):
        run_that("blocked").check()

    assert "b -> x  (no warehouse)" in failed.value.where
    assert "a -> x" not in failed.value.where


def test_every_way_to_end_badly_has_an_error_of_its_own():
    assert {RunElsewhere, RunRejected, RunUnfinished} < set(RunError.__subclasses__()) | {RunError}
    assert issubclass(RunError, PersonasError)
