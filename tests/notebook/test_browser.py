"""The cards in a real browser: readable on light and on dark, in wide and in narrow cells, with the network closed."""

import datetime as dt
import shutil
from pathlib import Path

import pytest

import personas_kit as pk
import personas_kit.notebook
from personas_kit import event, trait
from personas_kit.company import open_demo

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--force-color-profile=srgb",
    "--host-resolver-rules=MAP * ~NOTFOUND",
]  # fmt: skip
PICTURES = Path(__file__).parents[2] / ".cache" / "pictures"
BUYERS = "order_completed_last_30days"
MINUS = "\N{MINUS SIGN}"
GROUNDS = {"light": ("white", "#111"), "dark": ("#111", "#ddd")}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian's package: chromium)"),
]

LATELY = pk.Audience("Bought this week", event("Order Completed").within(days=7).count() >= 1)
GERMAN = pk.Audience("From Germany", trait("country") == "DE")
BOTH = pk.Audience("Both", LATELY.where & (trait("country").exists() | trait("email").absent()))
#: What can be read on each card.
CARDS = {
    "preview": ("Order Completed last 30days", "+16", f"{MINUS}29", "14.2%"),
    "backtest": ("Bought this week", "+591", f"{MINUS}554", "600"),
    "forecast": ("1,130", f"{MINUS}1,130", "Leave by the end of each day"),
    "comparison": ("Would leave", "only in the new"),
    "overlap": ("3 audiences", "In both", "from_germany"),
    "explanation": ("u_05305 is not in 'Both'", "1 of 2 hold", "1 more is needed"),
    "profile": ("u_05305", "Audiences", "country"),
    "status": ("Acknowledged", "Wait for a person"),
}


@pytest.fixture(scope="module")
def cards(tmp_path_factory):
    """The HTML of one of each, a day after a first push."""
    workspace = open_demo(tmp_path_factory.mktemp("demo"))
    workspace.plan(BUYERS).push()
    workspace.clock.move(days=1)
    made = {
        "preview": workspace.preview(BUYERS),
        "backtest": workspace.backtest(LATELY, workspace.clock.now() - dt.timedelta(days=13)),
        "forecast": workspace.forecast_exits(BUYERS, 30),
        "comparison": workspace.compare(BUYERS, BOTH),
        "overlap": workspace.overlap([BUYERS, LATELY, GERMAN]),
        "explanation": workspace.explain(BOTH, "u_05305"),
        "profile": workspace.profile("u_05305"),
        "status": workspace.status(),
    }
    yield {name: card._repr_html_() for name, card in made.items()}
    workspace.close()


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("width", [980, 420])
@pytest.mark.parametrize("name", CARDS)
def test_a_card_is_readable(browser, cards, name, ground, width):
    page = browser.new_page(viewport={"width": width, "height": 700})
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    back, ink = GROUNDS[ground]
    page.set_content(f'<body style="margin:8px;background:{back};color:{ink}">{cards[name]}</body>')

    for words in CARDS[name]:
        assert page.get_by_text(words).first.is_visible(), words
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("[...document.images].every(each => each.complete && each.naturalWidth > 0 && each.alt)")
    assert [url for url in asked if not url.startswith(("about:", "data:"))] == []
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}-{ground}-{width}.png", full_page=True)
    page.close()
