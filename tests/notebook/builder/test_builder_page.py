"""The builder in a browser, by mouse and by keyboard, over the demo: its script, and the kernel's side behind it.

There is no JupyterLab: what a person does goes to the widget in this process, and what it shows goes back to the page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import personas_kit as pk
from personas_kit import event, trait
from personas_kit.definitions import AccountAudience, Audience, Definition, any_user, prop
from personas_kit.notebook.builder.draft import opened
from personas_kit.workspace import Workspace
from tests.corpus import DEFINITIONS
from tests.notebook.lab import CHROMIUM, CONTRAST, FLAGS, PICTURES

STEP = 20_000  # milliseconds for one thing to appear

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian's package: chromium)"),
]

#: A front end in a few lines: it shows what the kernel says, and says what the script sends, one thing after the other.
MODEL = """async ([script, shown]) => {
    const listeners = [];
    window.kernel = {
        shown, sent: [], answered: 0,
        get: (name) => name === "shown" ? kernel.shown : undefined,
        on: (_, listener) => listeners.push(listener),
        off: () => listeners.splice(0),
        show: (news) => { kernel.shown = news; listeners.forEach((listener) => listener()); },
        send: (message) => {
            kernel.sent.push(message);
            const sent = JSON.parse(JSON.stringify(message));  // as a front end does
            kernel.last = (kernel.last || Promise.resolve()).then(() => said(sent)).then((news) => {
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
    --jp-layout-color0: {ground}; --jp-layout-color1: {ground}; --jp-layout-color2: {raised};
    --jp-ui-font-color1: {ink}; --jp-ui-font-color2: {faint}">
    <div class="jp-NotebookPanel"><div class="jp-OutputArea-output" id="here"></div></div></body>"""
INK = {"light": "rgba(0,0,0,{})", "dark": "rgba(255,255,255,{})"}
THEMES = {
    name: {"ground": ground, "raised": raised, "ink": INK[name].format(0.87), "faint": INK[name].format(0.54)}
    for name, ground, raised in (("light", "#fff", "#eee"), ("dark", "#212121", "#424242"))
}


class Page:
    """A builder on a page of its own."""

    def __init__(self, page: Any, widget: Any, theme: str) -> None:
        self.page, self.widget = page, widget
        self.trouble: list[str] = []
        page.set_default_timeout(STEP)
        page.on("pageerror", lambda error: self.trouble.append(str(error)))
        page.on("console", lambda said: self.trouble.append(said.text) if said.type == "error" else None)
        page.on("request", lambda request: self.trouble.append(request.url) if "://" in request.url else None)
        page.set_content(PLACE.format(light=str(theme == "light").lower(), **THEMES[theme]))
        page.add_style_tag(content=widget._css)
        page.expose_function("said", self._said)
        page.evaluate(MODEL, [widget._esm, widget.shown])

    def _said(self, message: dict[str, Any]) -> dict[str, Any]:
        self.widget._heard(self.widget, message, [])
        return self.widget.shown

    def settle(self) -> Page:
        """Everything that was said is heard, what was asked is answered, and that is shown."""
        self.page.wait_for_function("kernel.answered === kernel.sent.length")
        self.widget.wait()
        self.page.evaluate("(shown) => kernel.show(shown)", self.widget.shown)
        self.page.wait_for_function("kernel.answered === kernel.sent.length")
        return self

    def rule(self, name: str) -> Any:
        """A rule by its name, such as ``Rule 1``."""
        return self.page.get_by_role("group", name=name, exact=True)

    def field(self, label: str, within: str = "") -> Any:
        """The first field of a label, in a rule or anywhere."""
        return (self.rule(within) if within else self.page).get_by_label(label, exact=True).first

    def button(self, name: str) -> Any:
        """The first button of a name."""
        return self.page.get_by_role("button", name=name, exact=True).first

    def type(self, label: str, text: str, within: str = "") -> None:
        """Instead of what is in a field, key by key."""
        field = self.field(label, within)
        field.click()
        field.press("ControlOrMeta+a")
        field.press_sequentially(text)
        self.settle()

    def choose(self, label: str, name: str, within: str = "") -> None:
        """What is typed into a field with a list, and taken with Enter."""
        self.type(label, name, within)
        self.field(label, within).press("Enter")
        self.settle()

    def focused(self) -> str:
        """What has the focus, by its label."""
        return self.page.evaluate("document.activeElement.getAttribute('aria-label') || ''")

    @property
    def text(self) -> str:
        """The condition so far."""
        return self.settle().widget.shown["text"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    opened = pk.demo(tmp_path_factory.mktemp("demo"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def build(demo: Workspace, browser: Any) -> Iterator[Callable[..., Page]]:
    """Opens a builder, empty or with an audience in it; on closing nothing may have gone wrong on its page."""
    pages: list[Page] = []

    def build(
        definition: Definition | None = None, *, subject: str = "user", width: int = 980, theme: str = "light"
    ) -> Page:
        widget = demo.builder(definition, subject=subject)
        pages.append(Page(browser.new_page(viewport={"width": width, "height": 900}), widget, theme))
        return pages[-1].settle()

    yield build
    for each in pages:
        each.settle()
        each.widget.close()
        each.page.close()
        assert each.trouble == []


BOUGHT = event("Order Completed").within(days=30).count() >= 1


# ------------------------------------------------------------------------------------------------------------ by mouse


def test_an_audience_is_composed_and_added(build: Callable[..., Page], demo: Workspace) -> None:
    page = build()
    page.button("+ Event").click()
    page.settle()

    page.choose("Event", "Order Completed", "Rule 1")
    page.type("Value", "3", "Rule 1")
    page.type("Name of the audience", "Good customers")

    assert page.text == "event('Order Completed').within(30 days).count() >= 3"
    members = demo.preview(page.widget.definition).size
    assert page.page.locator("[data-size]").get_attribute("data-size") == str(members)

    page.button("Add to workspace").click()
    page.settle()

    assert str(demo.definitions["good_customers"].expression) == page.text
    assert page.page.get_by_text('ws.plan("good_customers"').is_visible()


def test_a_rule_has_its_size_and_so_has_the_whole(build: Callable[..., Page], demo: Workspace) -> None:
    either = (trait("role") == "pro") | (trait("role") == "team")
    page = build(Audience("A", BOUGHT & either))

    shown = page.page.locator("[data-size-of]").evaluate_all("(all) => all.map((one) => one.dataset.sizeOf)")

    parts = page.widget.shown["count"]["sizes"]
    assert len(shown) == 4  # two rules, of which one is a group, and the two rules in that
    for id_ in shown:
        size = page.page.locator(f'[data-size-of="{id_}"]').inner_text().split()[0].replace(",", "")
        assert size == str(parts[id_])
    assert parts[""] == demo.preview(Audience("A", BOUGHT & either)).size


def test_groups_are_seen_and_change_what_is_meant(build: Callable[..., Page]) -> None:
    a, b, c = (trait(key) == "x" for key in ("role", "email", "country"))
    page = build(Audience("A", a & (b | c)))

    assert page.field("Trait", "Rule 2.2").input_value() == "country"
    page.rule("Rule 2").get_by_label("Match").select_option("not any")

    assert page.text == "trait('role') = 'x' AND NOT (trait('email') = 'x' OR trait('country') = 'x')"


def test_a_rule_goes_into_a_group_and_another_beside_it(build: Callable[..., Page]) -> None:
    page = build(Audience("A", BOUGHT & (trait("role") == "pro")))

    page.button("Group Rule 2").click()
    page.settle()
    page.rule("Rule 2").get_by_role("button", name="+ Trait").click()
    page.settle()
    page.choose("Trait", "role", "Rule 2.2")
    page.choose("Value", "team", "Rule 2.2")

    assert page.text.endswith("(trait('role') = 'pro' OR trait('role') = 'team')")


def test_what_is_left_out_stands_by_itself(build: Callable[..., Page]) -> None:
    page = build(Audience("A", BOUGHT))

    page.button("+ Exception").click()
    page.rule("Exceptions").get_by_role("button", name="+ Trait").click()
    page.settle()
    page.choose("Trait", "role", "Exception 1")
    page.choose("Value", "pro", "Exception 1")

    assert page.text == f"{BOUGHT} AND NOT trait('role') = 'pro'"
    assert page.widget.definition.unless is not None


def test_an_account_s_users_are_asked(build: Callable[..., Page]) -> None:
    page = build(AccountAudience("A", any_user(BOUGHT)))

    page.field("Whose users", "Rule 1").select_option("none")
    assert page.text == f"NOT ANY {BOUGHT}"

    page.field("Whose users", "Rule 1").select_option("count")
    page.type("Value", "2", "Rule 1")
    assert page.text == f"users().where({BOUGHT}).count() >= 2"


def test_what_follows_is_a_rule_inside_a_rule(build: Callable[..., Page]) -> None:
    page = build(Audience("A", BOUGHT))

    page.rule("Rule 1").get_by_role("button", name="+ followed by").click()
    page.settle()
    page.choose("Event", "Ticket Opened", "Rule 1.1")
    page.field("Did or did not", "Rule 1.1").select_option("not")

    assert "where(NOT event('Ticket Opened').within(parent: 7 days).count() >= 1)" in page.text


def test_what_a_rule_measures_can_be_a_property(build: Callable[..., Page]) -> None:
    page = build(Audience("A", BOUGHT))

    page.field("Measure", "Rule 1").select_option("sum")
    page.settle()
    page.choose("Measured property", "revenue", "Rule 1")
    page.type("Value", "99.50", "Rule 1")

    assert page.text == "event('Order Completed').within(30 days).sum(property('revenue')) >= 99.5"


def test_one_of_several_values_is_added_and_taken_out(build: Callable[..., Page]) -> None:
    page = build(Audience("A", trait("role").one_of("admin", "owner")))

    page.field("Add a value", "Rule 1").click()
    page.settle()
    offered = page.page.get_by_role("listbox").get_by_role("option").all_inner_texts()
    assert any("member" in each for each in offered)
    assert not any(each.startswith("admin") for each in offered)

    page.choose("Add a value", "member", "Rule 1")
    page.button("Take admin out").click()

    assert page.text == "trait('role').one_of('owner', 'member')"


def test_a_date_is_so_long_ago_or_a_day(build: Callable[..., Page]) -> None:
    page = build(Audience("A", trait("created_at").within_last(days=30)))

    page.type("Amount", "12", "Rule 1")
    page.field("Unit", "Rule 1").select_option("hours")
    assert page.text == "trait('created_at').within_last(12 hours)"

    page.field("Operator", "Rule 1").select_option("before_date")
    page.settle()
    assert page.rule("Rule 1").get_by_text("type a value").is_visible()
    page.field("Value", "Rule 1").fill("2026-01-31")
    assert page.text == "trait('created_at').before_date('2026-01-31')"


def test_the_other_event_keeps_its_window_and_loses_nothing_else(build: Callable[..., Page]) -> None:
    page = build(Audience("A", event("Order Completed").between(days=(90, 30)).count() <= 3))

    page.choose("Event", "Signed In", "Rule 1")

    assert page.text == "event('Signed In').between(30 days, 90 days).count() <= 3"


# --------------------------------------------------------------------------------------------------------- by keyboard


def test_an_audience_is_composed_without_a_mouse(build: Callable[..., Page]) -> None:
    page = build()
    press = page.page.keyboard.press

    page.field("Name of the audience").focus()
    page.page.keyboard.type("Buyers by keyboard")
    while page.page.evaluate("document.activeElement.textContent") != "+ Event":
        press("Tab")
    press("Enter")
    page.settle()
    assert page.focused() == "Event"

    page.page.keyboard.type("order comp")
    press("ArrowDown")
    press("Enter")
    page.settle()
    assert page.focused() == "Event"
    for _ in ("Operator", "Value"):
        press("Tab")
    assert page.focused() == "Value"
    press("ControlOrMeta+a")
    page.page.keyboard.type("2")

    assert page.text == "event('Order Completed').within(30 days).count() >= 2"
    assert page.widget.definition.key == "buyers_by_keyboard"


def test_rules_move_and_go_by_keys_and_the_focus_stays(build: Callable[..., Page]) -> None:
    page = build(Audience("A", (trait("role") == "a") & (trait("email") == "b") & (trait("country") == "c")))

    page.field("Trait", "Rule 3").focus()
    page.page.keyboard.press("Alt+ArrowUp")
    assert page.text == "trait('role') = 'a' AND trait('country') = 'c' AND trait('email') = 'b'"
    assert page.page.evaluate("document.activeElement.value") == "country"

    page.page.keyboard.press("Alt+Backspace")
    assert page.text == "trait('role') = 'a' AND trait('email') = 'b'"
    assert page.page.evaluate("document.activeElement.closest('.pkb') !== null")

    page.button("Undo").click()
    assert page.text == "trait('role') = 'a' AND trait('country') = 'c' AND trait('email') = 'b'"
    page.button("Redo").click()
    assert page.text == "trait('role') = 'a' AND trait('email') = 'b'"


def test_a_change_is_taken_back_by_its_key_but_not_in_a_field(build: Callable[..., Page]) -> None:
    page = build(Audience("A", BOUGHT))
    page.button("Duplicate Rule 1").click()
    page.settle()

    page.button("Copy Python").focus()
    page.page.keyboard.press("ControlOrMeta+z")

    assert page.text == str(BOUGHT)


def test_a_list_is_left_by_escape_and_filtered_by_typing(build: Callable[..., Page]) -> None:
    page = build(Audience("A", BOUGHT))
    field = page.field("Event", "Rule 1")

    field.click()
    options = page.page.get_by_role("listbox").get_by_role("option")
    everything = options.count()
    field.press("ControlOrMeta+a")
    field.press_sequentially("feature")
    assert 0 < options.count() < everything
    assert field.get_attribute("aria-expanded") == "true"

    field.press("Escape")
    assert options.count() == 0
    assert field.input_value() == "Order Completed"
    assert page.text == str(BOUGHT)


def test_tabs_are_walked_by_arrows(build: Callable[..., Page]) -> None:
    page = build(Audience("A", BOUGHT))

    page.page.get_by_role("tab", name="Python").focus()
    page.page.keyboard.press("ArrowRight")
    assert page.page.get_by_role("tabpanel").inner_text().startswith(str(BOUGHT))

    page.page.keyboard.press("ArrowRight")
    assert "Users for whom this holds" in page.page.get_by_role("tabpanel").inner_text()


def test_everything_has_a_name(build: Callable[..., Page]) -> None:
    page = build(AccountAudience("A", any_user(BOUGHT) & (trait("plan") == "pro") & pk.split("spring", (0, 50))))

    nameless = page.page.locator("input, select, textarea, button").evaluate_all(
        """(all) => all.filter((one) => !(one.getAttribute("aria-label") || one.textContent.trim() ||
            (one.labels && one.labels.length))).map((one) => one.outerHTML)"""
    )

    assert nameless == []


# ------------------------------------------------------------------------------------------------- what is easily lost


def test_nobody_s_typing_is_overtaken(build: Callable[..., Page]) -> None:
    page = build(Audience("A", BOUGHT))
    field = page.field("Name of the audience")
    field.click()
    field.press("ControlOrMeta+a")

    field.press_sequentially("A rather long name of an audience, typed without a pause", delay=5)

    assert field.input_value() == "A rather long name of an audience, typed without a pause"
    page.settle()
    assert field.input_value() == page.widget.definition.name


def test_an_audience_that_is_opened_and_closed_is_the_very_same(build: Callable[..., Page]) -> None:
    audience = Audience("A", (trait("role") == "") & (trait("seats") >= 5.0) & BOUGHT)

    page = build(audience)
    assert page.widget.definition is audience

    page.button("Duplicate Rule 3").click()
    page.settle()
    page.button("Remove Rule 4").click()
    assert page.settle().widget.definition.to_dict() == audience.to_dict()


def test_a_half_filled_rule_says_what_is_missing_and_the_rest_is_counted(build: Callable[..., Page]) -> None:
    page = build(Audience("A", BOUGHT))

    page.button("+ Trait").click()
    page.settle()

    assert page.rule("Rule 2").get_by_text("choose a trait").is_visible()
    assert page.field("Trait", "Rule 2").get_attribute("aria-invalid") == "true"
    assert page.button("Add to workspace").is_disabled()
    assert page.rule("Rule 1").locator("[data-size-of]").inner_text() != ""
    assert page.text == ""


def test_a_number_that_is_none_is_said_so_and_stays_in_its_field(build: Callable[..., Page]) -> None:
    page = build(Audience("A", BOUGHT))

    page.type("Value", "3x", "Rule 1")

    assert page.field("Value", "Rule 1").input_value() == "3x"
    assert page.rule("Rule 1").get_by_text("'3x' is not a number").is_visible()
    page.type("Value", "3", "Rule 1")
    assert page.text.endswith(">= 3")


def test_text_that_cannot_be_read_is_shown_with_its_place(build: Callable[..., Page]) -> None:
    page = build(Audience("A", pk.top(3, by=trait("seats"), of=BOUGHT)))

    page.type("Text", "event('Order Completed').cuont() >= 1", "Rule 1")
    assert "^" in page.rule("Rule 1").locator("pre").inner_text()

    page.type("Text", "event('Order Completed').count() >= 1", "Rule 1")
    assert page.text == "event('Order Completed').count() >= 1"


def test_what_the_warehouse_does_not_know_stands_at_its_rule(build: Callable[..., Page]) -> None:
    page = build(Audience("A", BOUGHT & (trait("plann") == "pro")))

    assert page.rule("Rule 2").get_by_text("there is no trait or audience 'plann'").is_visible()
    assert page.rule("Rule 1").locator("[data-size-of]").inner_text() != ""


HOSTILE = "<img src=x onerror=\"document.title='hit'\">"


def test_a_hostile_name_is_only_a_text(build: Callable[..., Page]) -> None:
    where = (event(HOSTILE).where(prop(HOSTILE) == HOSTILE).count() >= 1) & (trait(HOSTILE) == HOSTILE)
    page = build(Audience(HOSTILE, where, key="hostile"))

    assert page.field("Event", "Rule 1").input_value() == HOSTILE
    page.page.get_by_role("tab", name="In words").click()
    page.button("Add to workspace").click()
    page.settle()

    assert page.page.title() == ""
    assert page.page.locator("img").count() == 0


def test_whatever_an_audience_says_can_be_shown(build: Callable[..., Page]) -> None:
    """Every definition of the corpus, most of which name what the demo does not have: all of it is drawn."""
    page = build(subject="account")
    audiences = [each for _, each in DEFINITIONS.values() if isinstance(each, Audience | AccountAudience)]
    assert len(audiences) > 40

    for audience in audiences:
        draft = opened(audience)
        page.widget._become(draft)
        page.page.evaluate("(shown) => kernel.show(shown)", page.widget.shown)

        rules = page.page.locator("[data-node]").evaluate_all("(all) => all.map((one) => one.dataset.node)")
        assert {each["id"] for each in draft["where"]["parts"]} <= set(rules), str(audience)
        assert page.trouble == [], str(audience)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", [980, 420])
def test_it_is_readable(build: Callable[..., Page], theme: str, width: int) -> None:
    where = (
        (event("Order Completed").where(prop("revenue") >= 50).within(days=60).count() >= 2)
        & ((trait("role") == "admin") | trait("role").one_of("owner", "member"))
        & ~(event("Trial Started").not_then(event("Order Completed").within(days=14)).count() >= 1)
    )
    page = build(Audience("Good customers", where, unless=trait("email").absent()), width=width, theme=theme)
    page.button("+ Trait").click()  # and one that is half-filled
    page.settle()

    assert page.page.evaluate("document.documentElement.scrollWidth") <= width
    assert ", ".join(page.page.evaluate(CONTRAST, 4.5)) == ""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.page.screenshot(path=PICTURES / f"builder-{theme}-{width}.png", full_page=True)
