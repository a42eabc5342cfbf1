"""The explorer in a browser, by mouse and by keyboard, over the demo: its script, and the kernel's side behind it."""

from __future__ import annotations

import pytest

pytest.importorskip("anywidget")
pytest.importorskip("playwright")

from personas_kit.company import open_demo
from tests.notebook.lab import CHROMIUM, CONTRAST, FLAGS, PICTURES

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian's package: chromium)"),
]
#: A front end in a few lines: it shows what the kernel says, and says what the script sends, one thing after the other.
MODEL = """async ([script, shown]) => {
    const listeners = [];
    window.kernel = {
        shown, sent: [], answered: 0,
        get: () => kernel.shown, on: (_, listener) => listeners.push(listener), off: () => {},
        show: (news) => { kernel.shown = news; listeners.forEach((listener) => listener()); },
        send: (message) => {
            kernel.sent.push(message);
            kernel.last = (kernel.last || Promise.resolve()).then(() => said(message)).then((news) => {
                kernel.answered += 1;
                kernel.show(news);
            });
        },
    };
    const url = URL.createObjectURL(new Blob([script], {type: "text/javascript"}));
    (await import(url)).default.render({model: kernel, el: document.getElementById("here")});
}"""
#: The place of an output, on the grounds of JupyterLab's two themes.
PLACE = """<body data-jp-theme-light="{light}" style="margin: 8px; color: {ink}; background: {ground};
    --jp-layout-color1: {ground}; --jp-layout-color2: {raised};
    --jp-ui-font-color1: {ink}; --jp-ui-font-color2: {faint}">
    <div class="jp-NotebookPanel"><div class="jp-OutputArea-output" id="here"></div></div></body>"""
THEMES = {
    "light": ("true", "#fff", "#eee", "rgba(0,0,0,.87)", "rgba(0,0,0,.54)"),
    "dark": ("false", "#212121", "#424242", "rgba(255,255,255,.87)", "rgba(255,255,255,.54)"),
}
STEP = 20_000  # milliseconds for one thing to appear
CHOSEN = "[...document.querySelectorAll('[aria-selected=true][role=option]')].map((each) => each.innerText)"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    opened = open_demo(tmp_path_factory.mktemp("demo"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


class Front:
    """An explorer on a page of its own."""

    def __init__(self, page, widget, theme="light"):
        self.page, self.widget = page, widget
        self.trouble = []
        page.set_default_timeout(STEP)
        page.on("pageerror", lambda error: self.trouble.append(str(error)))
        page.set_content(
            PLACE.format(**dict(zip(("light", "ground", "raised", "ink", "faint"), THEMES[theme], strict=True)))
        )
        page.add_style_tag(content=widget._css)
        page.expose_function("said", self._said)
        page.evaluate(MODEL, [widget._esm, widget.shown])
        self.settle()

    def _said(self, message):
        self.widget._heard(self.widget, message, [])
        return self.widget.shown

    def settle(self):
        """Everything that was said is heard, what was asked is answered, and that is shown."""
        self.page.wait_for_function("kernel.answered === kernel.sent.length")
        self.widget.wait()
        self.show(self.widget.shown)

    def show(self, shown):
        self.page.evaluate("(shown) => kernel.show(shown)", shown)

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)
        self.settle()

    def click(self, role, name, **among):
        self.page.get_by_role(role, name=name, **among).first.click()
        self.settle()

    def options(self, name):
        return self.page.get_by_role("listbox", name=name, exact=True).get_by_role("option").all_inner_texts()

    @property
    def details(self):
        return self.page.get_by_role("region", name="Details").inner_text()


@pytest.fixture
def front(demo, browser, monkeypatch):
    monkeypatch.setenv("PERSONAS_WIDGETS", "1")
    for catalogue in (demo.events, demo.traits, demo.accounts):
        catalogue.refresh()
    opened = []

    def build(width=980, theme="light"):
        opened.append(Front(browser.new_page(viewport={"width": width, "height": 900}), demo.explore(), theme))
        return opened[-1]

    yield build
    for each in opened:
        each.page.close()
        each.widget.close()
        assert each.trouble == []


def test_events_are_there_at_once_and_the_rest_when_it_is_opened(front):
    here = front()

    assert [line.split("\n")[0].strip() for line in here.options("Events")][:2] == ["Page Viewed", "Feature Used"]
    assert here.page.get_by_role("tab", name="Events 9").get_attribute("aria-selected") == "true"
    assert here.page.get_by_role("tab", name="Traits", exact=True).is_visible()

    here.click("tab", "Traits")

    assert here.page.get_by_role("tab", name="Traits 10").is_visible()


def test_with_the_keyboard_alone(front):
    here = front()
    here.page.get_by_label("Search").focus()

    here.press("ArrowDown", "ArrowDown", "ArrowDown", "Enter")
    assert here.details.startswith("Order Completed")
    assert len(here.page.evaluate(CHOSEN)) == 1

    here.page.keyboard.type("rev")
    here.settle()
    assert here.options("Found") == ["revenue property of Order Completed", "revenue_90d trait · Definitions"]
    here.press("Enter")
    assert "smallest 9" in here.details
    assert 'prop("revenue") > 49' in here.details

    here.press("Escape")
    assert here.page.get_by_label("Search").input_value() == ""
    assert len(here.options("Events")) == 9


def test_tabs_are_walked_with_arrows(front):
    here = front()
    here.page.get_by_role("tab", name="Events 9").focus()

    here.press("ArrowRight", "ArrowRight")

    assert here.page.evaluate("document.activeElement.dataset.section") == "accounts"
    assert any(line.startswith("employees") for line in here.options("Accounts"))


def test_properties_are_chosen_with_arrows_and_show_their_values(front):
    here = front()
    here.click("option", "Order Completed")
    here.page.get_by_role("listbox", name="Properties").focus()

    here.press("ArrowDown", "ArrowDown", "Enter")

    assert "Values of product" in here.details
    assert "reports" in here.details
    here.press("Enter")
    assert "Values of product" not in here.details


def test_what_is_not_searched_is_said_and_can_be_looked_at(front):
    here = front()
    here.page.get_by_label("Search").fill("employees")
    here.settle()
    assert "Nothing that is known" in here.page.inner_text("body")

    here.click("button", "Look at accounts")

    assert here.options("Found")[0].startswith("employees")


def test_long_lists_are_cut_and_say_so(front):
    here = front()
    shown = here.widget.shown
    entries = [{"name": f"E{at}", "label": f"E{at}", "bar": 0.5, "right": "1", "also": []} for at in range(1_200)]
    events = {**shown["sections"][0], "entries": entries, "total": 70_000}

    here.show({**shown, "sections": [events, *shown["sections"][1:]]})

    assert len(here.options("Events")) == 500
    assert "The first 500 of 1,200: type to narrow." in here.page.inner_text("body")
    assert "70,000 in all; the first 1,200 are here." in here.page.inner_text("body")


def test_what_is_asked_counts_its_seconds_and_can_be_stopped(front):
    here = front()
    doing = "waiting for the warehouse to resume"
    shown = {**here.widget.shown, "asked": ["traits", "events"], "doing": doing}

    here.show(shown)

    here.page.get_by_text(f"{doing}… 1 s").wait_for()
    here.page.get_by_role("button", name="Stop").click()
    assert here.page.evaluate("kernel.sent.at(-1)") == {"do": "stop"}


def test_a_failure_is_told_and_can_be_asked_anyway(front):
    here = front()
    said = {"what": "the query would read 3 TB, more than 1 GB", "where": "", "hint": "nothing was run"}
    here.show({**here.widget.shown, "problems": {"events": said}})

    assert "would read 3 TB" in here.page.get_by_role("alert").inner_text()
    here.page.get_by_role("button", name="Ask anyway").click()

    assert here.page.evaluate("kernel.sent.at(-1)") == {"do": "anyway", "name": "events"}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", [980, 420])
def test_everything_can_be_read_in_light_and_dark_wide_and_narrow(front, theme, width):
    here = front(width, theme)
    here.click("option", "Order Completed")
    here.click("option", "revenue")
    here.page.mouse.move(0, 0)
    for part in ("Traits", "Definitions", "Syncs", "Events"):
        assert here.page.evaluate(CONTRAST, 4.5) == []
        assert here.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        PICTURES.mkdir(parents=True, exist_ok=True)
        here.page.screenshot(path=PICTURES / f"explorer-{theme}-{width}-before-{part}.png", full_page=True)
        here.click("tab", part)
        here.page.get_by_role("tabpanel").get_by_role("option").first.click()
        here.settle()


def test_where_a_page_may_not_copy_what_is_to_be_copied_is_selected(front):
    here = front()
    assert here.page.evaluate("navigator.clipboard") is None  # as on a server that is not reached by https

    here.click("option", "Page Viewed")
    here.click("button", "Copy", exact=True)

    assert here.page.evaluate("getSelection().toString()") == 'event("Page Viewed").within(days=30).count() >= 1'
