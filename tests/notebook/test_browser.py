"""The cards in a real browser: readable on light and on dark, in wide and in narrow cells, with the network closed."""

import shutil
from pathlib import Path

import pytest

from personas_kit.company import open_demo

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND",
]  # fmt: skip
PICTURES = Path(__file__).parents[2] / ".cache" / "pictures"
BUYERS = "order_completed_last_30days"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian's package: chromium)"),
]


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    """The preview of an audience, a day after its first push."""
    workspace = open_demo(tmp_path_factory.mktemp("demo"))
    workspace.plan(BUYERS).push()
    workspace.clock.move(days=1)
    yield workspace.preview(BUYERS)._repr_html_()
    workspace.close()


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.mark.parametrize("ground", ["white", "#111"])
@pytest.mark.parametrize("width", [980, 420])
def test_a_preview_is_readable(browser, card, ground, width):
    page = browser.new_page(viewport={"width": width, "height": 700})
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    ink = "#111" if ground == "white" else "#ddd"
    page.set_content(f'<body style="margin:8px;background:{ground};color:{ink}">{card}</body>')

    for words in ("Order Completed last 30days", "+16", "\N{MINUS SIGN}29", "14.2%"):
        assert page.get_by_text(words, exact=True).first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [url for url in asked if not url.startswith("about:")] == []
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"preview-{'light' if ground == 'white' else 'dark'}-{width}.png")
    page.close()
