"""The cards in a real JupyterLab: run by a person who sits there, and executed elsewhere and opened untrusted."""

import nbclient
import nbformat
import pytest

from tests.notebook.lab import CHROMIUM, opened

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian's package: chromium)"),
]

BUYERS = "order_completed_last_30days"
YESTERDAY = f"ws.plan({BUYERS!r}).push()\nws.clock.move(days=1);"

#: WCAG's AA asks for 4.5. One colour for white and for black ground has 4.35 at most, and a static card has but one.
BOTH_GROUNDS = 4.2
#: What a cell shows, and words that have to stand there.
CARDS = {
    "preview": (
        f"ws.preview({BUYERS!r})",
        ["Order Completed last 30days", "1,130", "14.2%", "+16", "\N{MINUS SIGN}29"],
    ),
    "accounts": ("ws.preview('active_accounts')", ["Active accounts", "first push"]),
    "values": ("ws.preview('revenue_90d')", ["revenue_90d"]),
    "plan": (f"plan = ws.plan({BUYERS!r}); plan", ["analytics", "meta", "16", "29"]),
    "report": ("plan.push()", ["acknowledged"]),
    "catalogue": ("ws.events", ["Order Completed", "Signed In"]),
    "event": ("ws.events.order_completed", ["revenue"]),
    "profile": ("ws.profile('u_05305')", ["u_05305"]),
    "status": ("ws.status()", ["analytics", "meta"]),
    "backtest": (f"ws.backtest({BUYERS!r}, '2026-10-20')", ["Order Completed last 30days"]),
    "explanation": (f"ws.explain({BUYERS!r}, 'u_05305')", ["u_05305", "Order Completed"]),
}


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture
def lab(started):
    """JupyterLab; after the test nothing has been asked of the network, and nothing complained of."""
    started.outside.clear()
    started.complaints.clear()
    yield started
    assert started.outside == []
    assert started.complaints == []


def executed(path):
    """The notebook as a schedule leaves it: run where nobody sits, with its outputs in the file."""
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(path.parent)}}
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources).execute()
    nbformat.write(notebook, path)
    return path


@pytest.mark.parametrize("way", ["live", "untrusted"])
def test_every_card_is_readable(lab, way):
    cells = [f"{lab.company()}\n{YESTERDAY}", *(code for code, _ in CARDS.values())]
    if way == "live":
        lab.run(cells, name=way)
    else:
        lab.open(executed(lab.write(way, cells)))

    shown = {kind: lab.cell(number).inner_text() for number, kind in enumerate(CARDS, start=1)}
    missing = {(kind, word) for kind, (_, words) in CARDS.items() for word in words if word not in shown[kind]}
    assert missing == set()
    for theme in ("dark", "light"):
        lab.theme(theme)
        lab.picture(f"{way}-{theme}")
        assert lab.faint(BOTH_GROUNDS) == [], theme
