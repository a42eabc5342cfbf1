"""The notebooks run offline from first to last cell, and what they leave behind is safe to save."""

import json
import re
from pathlib import Path

import nbclient
import nbformat
import pytest

from tests.notebooks.sanitizer import problems

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def executed(request, tmp_path_factory):
    """A notebook after all its cells ran, in a folder of its own."""
    notebook = nbformat.read(request.param, as_version=4)
    client = nbclient.NotebookClient(
        notebook,
        timeout=60,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path_factory.mktemp("run"))}},
    )
    client.execute()
    return notebook


def outputs(notebook):
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def cards(notebook):
    """The HTML of the kit's own results; a frame brings that of polars."""
    found = [output.data["text/html"] for output in outputs(notebook) if "text/html" in output.get("data", {})]
    return [card for card in found if 'class="dataframe"' not in card]


def test_it_says_what_it_should(executed):
    text = "\n".join(output.data.get("text/plain", "") for output in outputs(executed) if "data" in output)

    assert "this plan was pushed already; nothing was sent" in text
    assert "first push" in text
    assert not [output for output in outputs(executed) if output.output_type == "error"]


def test_the_cards_survive_the_sanitizer(executed):
    found = cards(executed)

    assert len(found) >= 8
    assert [problem for card in found for problem in problems(card)] == []


def test_nothing_personal_and_no_secret_is_left_behind(executed):
    saved = json.dumps([dict(output) for output in outputs(executed)])

    assert ADDRESS.findall(saved) == []
    assert "demo-write-key" not in saved
    assert "demo-access-token" not in saved


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_kept_without_outputs(path):
    notebook = nbformat.read(path, as_version=4)

    assert all(
        cell.outputs == [] and cell.execution_count is None for cell in notebook.cells if cell.cell_type == "code"
    )
