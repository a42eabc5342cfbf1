"""A notebook that is run from first to last cell, errors in verbose mode and logs included, and then saved."""

import re

import nbclient
import nbformat
import pytest

from personas_kit.sandbox import Fault, Sandbox
from tests.notebooks.sanitizer import problems
from tests.security import canaries
from tests.security.canaries import SECRETS, canaries_in

UNREADABLE = "SELECT user_id, CAST(email AS INTEGER) AS value FROM users"
CELLS = [
    "import logging, sys\nlogging.basicConfig(level=logging.DEBUG, stream=sys.stdout)\n%xmode Verbose",
    "import personas_kit as pk\nfrom personas_kit import event, trait\nws = pk.open()",
    "ws.preview('vips')",
    "ws.preview(['vips', 'last_phone', 'teams'])",
    "plan = ws.plan('vips')\nplan",
    "plan.syncs",
    "report = plan.push()\nreport",
    "report.syncs, report.to_dict()",
    "phones = ws.plan('last_phone')\nphones",
    "phones.push()",
    "ws.profile('user_3')",
    "ws.profile('acme')",
    "ws.explain('vips', 'user_3')",
    "ws.explain('last_phone', 'user_3')",
    "ws.explain('teams', 'acme')",
    "ws.events['Signed Up']",
    "ws.traits",
    "ws.status()",
    "ws.config",
    "vars(ws)",
    # what goes wrong
    "phones.push(), plan.push()",
    "ws.plan('vips', to='nowhere')",
    "ws.preview(pk.Audience('A', trait('emial') == 'x'))",
    f"ws.members(pk.SqlTrait('Broken', '{UNREADABLE}'))",
    "import os\nsecret = os.environ.pop('WRITE_KEY')\ndel secret\nws.plan('teams').push()",
    "pk.open('/nowhere')",
    "try:\n    ws.export('vips', '/nowhere/out.csv')\nfinally:\n    print('over')",
]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The text of the notebook as it is saved."""
    folder = tmp_path_factory.mktemp("notebook")
    with Sandbox() as sandbox, pytest.MonkeyPatch.context() as patch:
        for name, value in SECRETS.items():
            patch.setenv(name, value)
        canaries.make(folder, sandbox.url)
        sandbox.fail(None, None, Fault(kind="status", status=400, body="no"), Fault(kind="cut"), Fault(kind="html"))
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
        client = nbclient.NotebookClient(
            notebook,
            timeout=120,
            kernel_name="python3",
            allow_errors=True,
            resources={"metadata": {"path": str(folder)}},
        )
        client.execute()
    nbformat.write(notebook, folder / "run.ipynb")
    return (folder / "run.ipynb").read_text(encoding="utf-8"), notebook


def outputs(notebook, kind):
    return [(cell.source, out) for cell in notebook.cells for out in cell.outputs if out.output_type == kind]


def test_it_leaves_neither_secrets_nor_people_behind(saved):
    text, _ = saved

    assert canaries_in(text) == []


def test_it_did_what_it_should_and_what_failed_failed(saved):
    _, notebook = saved
    failed = {source.splitlines()[0]: out.ename for source, out in outputs(notebook, "error")}

    assert failed == {
        "ws.plan('vips', to='nowhere')": "UnknownName",
        "ws.preview(pk.Audience('A', trait('emial') == 'x'))": "UnknownName",
        f"ws.members(pk.SqlTrait('Broken', '{UNREADABLE}'))": "WarehouseError",
        "import os": "ConfigError",
        "pk.open('/nowhere')": "ConfigError",
        "try:": "PersonasError",
    }
    for _, out in outputs(notebook, "error"):
        trace = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(out.traceback))
        assert "Cell In[" in trace  # the cell, and the outermost frame of the kit: nothing below it
        assert trace.count("File ") == 1


def test_its_cards_survive_the_sanitizer(saved):
    _, notebook = saved
    cards = [out.data["text/html"] for _, out in outputs(notebook, "execute_result") if "text/html" in out.data]
    own = [card for card in cards if 'class="dataframe"' not in card]

    assert len(own) >= 10
    assert [problem for card in own for problem in problems(card)] == []
