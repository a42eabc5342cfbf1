"""Tab behind the names of the catalogue, as IPython does it: with jedi and without."""

import warnings

import pytest

from personas_kit.company import open_demo
from personas_kit.notebook.completion import name_lookups

TYPED = {
    'ws.events["Ord': "Order Completed",
    "ws.events.order_completed.": "properties",
    "ws.events.order_completed['": "revenue",
    "ws.events['Order Completed']['rev": "revenue",
    "ws.events.order_completed['revenue'].": "prop",
    "ws.traits.": "country",
    "ws.traits.country.": "values",
    "ws.accounts.pl": "plan",
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    opened = open_demo(tmp_path_factory.mktemp("demo"))
    yield opened
    opened.close()


@pytest.fixture
def completed(demo):
    """What Tab offers behind a text, with ``ws`` in the notebook."""
    shells = pytest.importorskip("IPython.core.interactiveshell")
    config = pytest.importorskip("traitlets.config").Config()
    config.HistoryManager.enabled = False
    shell = shells.InteractiveShell(config=config)
    shell.user_ns["ws"] = demo
    name_lookups()

    def complete(typed, *, jedi=True):
        shell.Completer.use_jedi = jedi
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the interface is provisional, says IPython
            return [found.text.removeprefix(".") for found in shell.Completer.completions(typed, len(typed))]

    return complete


@pytest.mark.parametrize("jedi", [True, False])
@pytest.mark.parametrize("typed", TYPED)
def test_names_complete_with_and_without_jedi(completed, typed, jedi):
    assert TYPED[typed] in completed(typed, jedi=jedi)


@pytest.mark.parametrize("jedi", [True, False])
def test_tab_asks_the_warehouse_for_names_and_for_nothing_else(demo, completed, monkeypatch, jedi):
    demo.source  # noqa: B018  (what tables there are is looked up once, by whoever comes first)
    asked, query = [], demo.warehouse.query

    def noted(statement, *rest, **named):
        asked.append(statement)
        return query(statement, *rest, **named)

    monkeypatch.setattr(demo.warehouse, "query", noted)
    demo.events.refresh()
    demo.traits.refresh()
    for typed in ("ws.ev", "ws.events", "ws.", "ws.traits"):
        completed(typed, jedi=jedi)
    assert asked == []

    for typed in ("ws.events.", "ws.events.order_completed.", "ws.events.order_completed.pr"):
        completed(typed, jedi=jedi)
    assert len(asked) == 1

    for typed in ("ws.events.order_completed['", "ws.events.order_completed['revenue'].co"):
        completed(typed, jedi=jedi)
    assert len(asked) == 2
