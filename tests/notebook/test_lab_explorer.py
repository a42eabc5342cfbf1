"""The explorer in a real JupyterLab: what is chosen there is looked up by the kernel, and the network is left alone."""

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import expect

from tests.notebook.lab import CHROMIUM, STEP, opened

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian's package: chromium)"),
]
expect.set_options(timeout=STEP)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("lab")) as lab:
        yield lab
    assert lab.outside == []
    assert lab.complaints == []


def test_an_event_is_found_by_its_property_and_its_values_are_looked_up(lab):
    lab.run([lab.company(), "ws.explore()"], name="explorer")
    here = lab.cell(1).get_by_role("region", name="Explorer")
    details = here.get_by_role("region", name="Details")
    expect(here.get_by_role("option", name="Order Completed")).to_be_visible()

    here.get_by_role("option", name="Order Completed").click()
    expect(here.get_by_role("listbox", name="Properties")).to_contain_text("revenue")
    here.get_by_label("Search").press_sequentially("reve")
    here.get_by_label("Search").press("Enter")

    expect(details).to_contain_text("median 49")
    expect(details).to_contain_text('prop("revenue") > 49')
    assert lab.value("len(ws.events.order_completed.cached)") == "8"
    for theme in ("dark", "light"):
        lab.theme(theme)
        lab.picture(f"explorer-{theme}", lab.cell(1))
        assert lab.faint() == [], theme
