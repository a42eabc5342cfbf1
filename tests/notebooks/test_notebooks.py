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

#: What each has to say somewhere, beside running to its end: most of them also check themselves, with ``assert``.
SAYS = {
    "00_quickstart": ["this plan was pushed already; nothing was sent", "first push"],
    "10_audiences": [
        "did you mean 'Order Completed'?",
        "combine conditions with & | ~",
        "[[audience]]",
        "top_100: 100 of",
    ],
    "20_computed_traits": ["revenue_30d: 1,143 acknowledged", "time passing", "fans: 503 of"],
    "30_account_level": ["busy_companies: 83 of 900 accounts", "83 accounts, 2,815 users"],
    "40_preview_and_push": ["BLOCKED by", "in the last push at most 29 left", "nothing was sent"],
    "50_lists_and_cadence": ["not due", "BLOCKED by interval", "forgotten: "],
    "60_when_things_break": ["0 of them with another content", "7,102 wanted, 7,102 received", "1 rejected"],
    "80_your_own_destination": ["2,092 acknowledged, 194 rejected", "BAD_ID"],
    "85_from_segment_personas": ["'order_completed_last_30days'", "Audience Entered", "+16 -29"],
    "90_scheduled_sync": [],
}


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def executed(request, tmp_path_factory):
    """The name of a notebook, and the notebook after all its cells ran, in a folder of its own."""
    notebook = nbformat.read(request.param, as_version=4)
    client = nbclient.NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path_factory.mktemp("run"))}},
    )
    client.execute()
    return request.param.stem, notebook


def outputs(notebook):
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def words(notebook):
    """What stands in the outputs for whoever reads text only."""
    return "\n".join(
        output.get("data", {}).get("text/plain", "") + output.get("text", "") for output in outputs(notebook)
    )


def cards(notebook):
    """The HTML of the kit's own results; a frame brings that of polars."""
    found = [output.data["text/html"] for output in outputs(notebook) if "text/html" in output.get("data", {})]
    return [card for card in found if 'class="dataframe"' not in card]


def test_it_says_what_it_should(executed):
    name, notebook = executed

    assert [said for said in SAYS[name] if said not in words(notebook)] == []
    assert not [output for output in outputs(notebook) if output.output_type == "error"]


def test_its_cards_survive_the_sanitizer(executed):
    _, notebook = executed
    found = cards(notebook)

    assert found
    assert [problem for card in found for problem in problems(card)] == []


def test_it_leaves_nothing_behind_that_is_personal_secret_or_a_widget_of_others(executed):
    _, notebook = executed
    saved = json.dumps([dict(output) for output in outputs(notebook)])

    assert ADDRESS.findall(saved) == []
    assert "demo-write-key" not in saved
    assert "demo-access-token" not in saved
    assert "FloatProgress" not in saved


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_kept_without_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)

    assert all(
        cell.outputs == [] and cell.execution_count is None for cell in notebook.cells if cell.cell_type == "code"
    )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_notebooks_link_is_there(path):
    notebook = nbformat.read(path, as_version=4)
    links = [link for cell in notebook.cells for link in re.findall(r"\]\(([^)#]+)\)", cell.source)]

    assert [link for link in links if not link.startswith("https://") and not (path.parent / link).exists()] == []
