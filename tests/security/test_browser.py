"""Hostile names and values in a real browser, with the network closed: nothing runs, nothing is asked for."""

import shutil
from pathlib import Path

import pytest

import personas_kit
from personas_kit.sandbox.page import page as sandbox_page
from tests.notebook.test_browser import FLAGS
from tests.security.hostile import audience, usable
from tests.security.payloads import PAYLOADS

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian's package: chromium)"),
]
#: Written into the page before anything else: whatever runs is noted.
TRAP = """<script>
window.ran = [];
for (const name of ['alert', 'confirm', 'prompt', 'open']) window[name] = said => ran.push(said);
</script>"""
LIVE = """() => {
    const found = window.ran.slice();
    for (const element of document.body.querySelectorAll('*')) {
        const chart = element.matches('img[src^="data:image/svg+xml;base64,"]');
        const active = 'script, iframe, object, embed, svg, style, link, meta, form, base, img, a, input';
        if (!chart && element.matches(active))
            found.push(element.tagName);
        for (const attribute of element.attributes)
            if (attribute.name.startsWith('on') || (attribute.name == 'style' && attribute.value.includes('url(')))
                found.push(attribute.name);
    }
    return found;
}"""


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser):
    """A page that notes what it asks for."""
    opened = browser.new_page()
    opened.asked = []
    opened.on("request", lambda request: opened.asked.append(request.url))
    yield opened
    opened.close()


def live(page, body):
    """What runs or is asked for when a page has this body; what unfolds is unfolded, what can be pointed at is."""
    page.set_content(f"<html><head>{TRAP}</head><body>{body}</body></html>")
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    page.evaluate(
        "document.body.querySelectorAll('*').forEach(each => ['mouseover', 'click', 'focus', 'toggle', 'load', 'error']"
        ".forEach(name => each.dispatchEvent(new Event(name, {bubbles: true}))))"
    )
    page.wait_for_timeout(100)
    return page.evaluate(LIVE) + [
        url for url in page.asked if not url.startswith(("about:", "data:image/svg+xml;base64,"))
    ]


def test_the_trap_works(page):
    assert live(page, "<b onmouseover='alert(7)'>x</b><img src=//evil.example/x onerror=alert(8)>") != []


def test_no_card_runs_anything(page, cards):
    for name, card in cards.items():
        assert "<div" in card._repr_html_()
        assert live(page, card._repr_html_()) == [], name


def test_a_hostile_name_and_hostile_values_are_text(page, world):
    preview = world.preview(audience(PAYLOADS))

    assert live(page, preview._repr_html_()) == []
    text = page.evaluate("document.body.textContent")
    plain = [usable(text) for text in PAYLOADS if usable(text).isprintable() and "\u3164" not in text]
    assert len(plain) > 35
    assert [each for each in plain if each not in text] == []


def test_what_a_widget_takes_of_a_card_cannot_run(page):
    hostile = [
        "<b onmouseover='alert(1)'>x</b>", "<img src=//evil.example/x onerror=alert(2)>", "<svg onload=alert(3)></svg>",
        "<iframe srcdoc='<script>alert(4)</script>'></iframe>", "<a href='javascript:alert(5)'>x</a>",
        "<div style='background:url(//evil.example/y)'>x</div>", "<details ontoggle=alert(6) open>x</details>",
    ]  # fmt: skip
    kit = (Path(personas_kit.__file__).parent / "notebook" / "widgets" / "kit.js").read_text(encoding="utf-8")
    page.set_content(f"<html><head>{TRAP}</head><body></body></html>")
    page.evaluate(
        f"(text) => {{ {kit}; document.body.replaceChildren(card(text)); }}", "".join(hostile) + "<p>fine</p>"
    )
    kept = page.evaluate("document.body.innerHTML")

    assert live(page, kept) == ["IMG"]  # which leads nowhere
    assert "href" not in kept
    assert "src" not in kept
    assert kept.endswith("<p>fine</p>")


def test_the_page_of_the_sandbox_runs_nothing(page, world, cards):
    shown = sandbox_page(world.sandbox.received)
    body = shown.partition("<body>")[2].partition("</body>")[0]

    assert "<script>alert" in live_text(page, body)
    assert live(page, body) == []


def live_text(page, body):
    page.set_content(f"<html><body>{body}</body></html>")
    return page.evaluate("document.body.textContent")
