"""The push bar, from the browser's side: what is drawn at every step, and what a person's keys and clicks say."""

import contextlib
from pathlib import Path

import pytest

import personas_kit.notebook
from personas_kit import event
from personas_kit.company import open_demo
from tests.notebook.test_browser import CHROMIUM, FLAGS, PICTURES, browser  # noqa: F401  (a fixture)
from tests.notebook.test_push_bar import BUYERS, pushed, say

pytest.importorskip("anywidget")
from personas_kit.notebook.widgets.push_bar import PushBar

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian's package: chromium)"),
]
FOLDER = Path(personas_kit.notebook.__file__).parent / "widgets"
MOUNT = """async ([esm, css, shown]) => {
    document.head.appendChild(document.createElement("style")).textContent = css;
    const made = await import(URL.createObjectURL(new Blob([esm], {type: "text/javascript"})));
    const heard = [];
    window.sent = [];
    window.model = {
        shown, get: () => window.model.shown, on: (_, draw) => heard.push(draw), off: () => {},
        send: (said) => window.sent.push(said),
    };
    window.show = (news) => { window.model.shown = news; heard.forEach((draw) => draw()); };
    made.default.render({model: window.model, el: document.querySelector("#here")});
}"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """What the kernel shows, step by step, of a first push that is refused in part, and of one that guards stop."""
    steps = {}
    with contextlib.closing(open_demo(tmp_path_factory.mktemp("demo"))) as demo:
        bar = PushBar(demo.plan(BUYERS))
        steps["idle"], steps["tried"], steps["confirm"] = bar.shown, say(bar, "dry_run"), say(bar, "ask")
        running = []
        bar.observe(lambda change: running.append(change["new"]), "shown")
        demo.sandbox.fail(*[400] * 11)
        steps["failed"] = pushed(bar)
        steps["running"] = [each for each in running if each["step"] == "running"][-1]
        steps["again"] = say(bar, "plan_again")
        demo.clock.move(days=1)
        narrow = event("Order Completed").within(days=7).count() >= 1
        guarded = PushBar(demo.plan(personas_kit.Audience("Order Completed last 30days", narrow)))
        steps["blocked"], steps["guards"] = guarded.shown, say(guarded, "ask")
        demo.plan(BUYERS, mode="full").push()
        steps["stale"] = pushed(guarded, override=["removals", "definition_edited"])
        demo.pause(BUYERS, to="analytics")
        steps["final"] = PushBar(demo.plan(BUYERS, to="analytics", mode="full")).shown
    return steps


@pytest.fixture
def page(browser, shown):  # noqa: F811  (that is how pytest names it)
    opened = browser.new_page(viewport={"width": 980, "height": 900})
    errors = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    mount(opened, shown["idle"])
    yield opened
    opened.close()
    assert errors == []


def mount(page, first, ground="white", dark=False):
    kit = [(FOLDER / name).read_text(encoding="utf-8") for name in ("kit.js", "push_bar.js", "kit.css", "push_bar.css")]
    ink = "#ddd" if dark else "#111"
    raised, faint = ("#212121", "#bbb") if dark else ("#f3f3f3", "#616161")
    look = (
        f"--jp-layout-color1:{ground};--jp-layout-color2:{raised};--jp-ui-font-color1:{ink};--jp-ui-font-color2:{faint}"
    )
    light = "false" if dark else "true"
    page.set_content(
        f'<body data-jp-theme-light="{light}" style="margin:8px;background:{ground};color:{ink};{look}">'
        '<div id="here"></div></body>'
    )
    page.evaluate(MOUNT, ["\n".join(kit[:2]), "\n".join(kit[2:]), first])


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def show(page, step):
    page.evaluate("(news) => window.show(news)", step)


def sent(page):
    return page.evaluate("window.sent")


def test_the_buttons_say_how_much_and_what_they_do(page, shown):
    button(page, "Dry run").click()
    show(page, shown["tried"])
    assert page.get_by_text("Dry run: nothing was sent").is_visible()

    button(page, "Push 3,401 changes").click()

    assert sent(page) == [{"do": "dry_run"}, {"do": "ask"}]


def test_the_name_is_typed_and_enter_pushes(page, shown):
    button(page, "Push 3,401 changes").press("Enter")
    show(page, shown["confirm"])
    field = page.get_by_label(f"Type {BUYERS} to push")
    assert field.evaluate("(input) => input === document.activeElement")
    assert button(page, "Push 3,401 changes").is_disabled()

    page.keyboard.type("order_completed")
    page.keyboard.press("Enter")
    assert [said["do"] for said in sent(page)] == ["ask"]

    page.keyboard.type("_last_30days")
    page.keyboard.press("Enter")
    assert sent(page)[1] == {"do": "push", "typed": BUYERS, "override": [], "why": ""}

    show(page, shown["running"])
    assert button(page, "Stop").evaluate("(it) => it === document.activeElement")


def test_escape_is_a_no(page, shown):
    button(page, "Push 3,401 changes").click()
    show(page, shown["confirm"])
    page.keyboard.press("Escape")

    assert [said["do"] for said in sent(page)] == ["ask", "cancel"]
    show(page, shown["idle"])
    assert button(page, "Push 3,401 changes").evaluate("(it) => it === document.activeElement")


def test_each_guard_is_ticked_before_the_button_works(page, shown):
    show(page, shown["blocked"])
    show(page, shown["guards"])
    push = button(page, "Push 2,247 changes")
    page.get_by_label(f"Type {BUYERS} to push").fill(BUYERS)
    page.get_by_role("checkbox", name="removals").check()
    assert push.is_disabled()

    page.get_by_role("checkbox", name="definition_edited").check()
    page.get_by_label("Why is that right?").fill("spring cleaning")
    push.click()

    said = sent(page)[-1]
    assert (said["override"], said["why"]) == (["removals", "definition_edited"], "spring cleaning")


def test_a_push_is_watched_and_stopped(page, shown):
    show(page, shown["running"])
    assert page.get_by_role("progressbar", name="analytics identify").is_visible()
    button(page, "Stop").click()
    show(page, {**shown["running"], "stopping": True})

    assert [said["do"] for said in sent(page)] == ["stop"]
    assert button(page, "Stop").is_disabled()
    assert page.get_by_text("stopping after what is under way").is_visible()


def test_what_came_of_it_stays_and_is_read_out(page, shown):
    show(page, shown["running"])
    show(page, shown["failed"])

    assert "1 rejected" in page.get_by_role("status").inner_text()
    button(page, "Retry what failed").click()
    assert [said["do"] for said in sent(page)] == ["plan_again"]

    show(page, shown["again"])
    assert button(page, "Push 1 change").is_enabled()


def test_what_cannot_be_pushed_has_no_button_that_works(page, shown):
    show(page, shown["final"])

    assert button(page, "Push 2,260 changes").is_disabled()
    assert page.get_by_text("Nothing can be sent before this is corrected: paused").is_visible()


def test_a_stale_plan_says_what_to_do(page, shown):
    show(page, shown["stale"])

    assert "since this plan was made" in page.get_by_role("alert").inner_text()
    button(page, "Plan again").click()
    assert [said["do"] for said in sent(page)] == ["plan_again"]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [980, 420])
def test_every_step_fits(browser, shown, width, dark):  # noqa: F811
    page = browser.new_page(viewport={"width": width, "height": 700})
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name, step in shown.items():
        mount(page, step, "#111" if dark else "white", dark)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.screenshot(path=PICTURES / f"push-{name}-{'dark' if dark else 'light'}-{width}.png", full_page=True)
    page.close()
