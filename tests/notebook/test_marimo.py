"""In marimo, which is another kind of notebook: the cards, a plan that is pushed, the builder."""

import os
import subprocess
import sys

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.notebook.lab import CHROMIUM, FLAGS, PICTURES, START, STEP, free_port, wait_for

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian's package: chromium)"),
]

APP = """
import marimo

app = marimo.App()

@app.cell
def _():
    import personas_kit as pk
    ws = pk.demo("company")
    return pk, ws

@app.cell
def _(ws):
    preview = ws.preview("order_completed_last_30days")
    preview
    return (preview,)

@app.cell
def _(preview, ws):
    preview.size
    ws.plan("order_completed_last_30days")
    return

@app.cell
def _(ws):
    ws.builder("order_completed_last_30days")
    return
"""


@pytest.fixture
def page(tmp_path):
    """The notebook as an application in a page, with the network closed."""
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    port, log = free_port(), tmp_path / "server.log"
    command = [
        sys.executable, "-m", "marimo", "run", "app.py", "--headless", "--host=127.0.0.1", f"--port={port}",
        "--no-token",
    ]  # fmt: skip
    env = os.environ | {"HOME": str(tmp_path)}
    with log.open("wb") as said:
        server = subprocess.Popen(command, env=env, cwd=tmp_path, stdout=said, stderr=subprocess.STDOUT)
        try:
            wait_for(f"http://127.0.0.1:{port}/health", server, log)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
                opened = browser.new_page(viewport={"width": 1180, "height": 2400})
                opened.goto(f"http://127.0.0.1:{port}/", timeout=START * 1000)
                yield opened
                browser.close()
        finally:
            server.terminate()
            server.wait(timeout=30)


def test_a_plan_is_previewed_and_pushed(page):
    expect.set_options(timeout=STEP)
    outside = []
    page.on("request", lambda request: outside.append(request.url) if "//127.0.0.1:" not in request.url else None)

    # given: a preview, a plan with its push bar, a builder with the audience in it
    expect(page.get_by_text("14.4%").first).to_be_visible(timeout=START * 1000)
    expect(page.get_by_role("button", name="Dry run")).to_be_visible()
    expect(page.get_by_role("textbox", name="Name")).to_have_value("Order Completed last 30days")

    # when
    page.get_by_role("button", name="Push 3,401 changes").click()
    page.get_by_label("Type order_completed_last_30days to push").fill("order_completed_last_30days")
    page.get_by_role("button", name="Push 3,401 changes").click()

    # then
    expect(page.get_by_text("order_completed_last_30days: 3,401 acknowledged").last).to_be_visible()
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / "marimo.png", full_page=True)
    assert [url for url in outside if not url.startswith(("data:", "blob:"))] == []
