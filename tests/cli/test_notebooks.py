"""The options about notebooks: what is refused before anything runs, codes, and pages that run nothing."""

import json
import os

import nbformat
import pytest

from personas_kit.cli.notebooks import _code
from personas_kit.cli.pages import still

CELLS = [
    nbformat.v4.new_code_cell("approve = None\nfactor = 1", metadata={"tags": ["parameters"]}),
    nbformat.v4.new_code_cell("import sys\nprint(repr(approve), factor)"),
    nbformat.v4.new_code_cell("sys.exit(4)"),
]


@pytest.fixture
def notebook(folder):
    path = folder / "own.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=CELLS), path)
    return path


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["-p", "aprove=None"], "did you mean approve?"),
        (["-p", "xyz=1"], "it has approve, factor"),
        (["-p", "approve"], "is not name=value"),
        (["-p", "=1"], "is not name=value"),
        (["--json"], "leaves no JSON"),
        (["--output", "own.ipynb"], "needs a name of its own"),
    ],
)
def test_what_a_notebook_cannot_do_is_said_before_anything_runs(personas, notebook, arguments, says):
    said = personas("run", "--notebook", notebook.name, *arguments)

    assert said.code == 2
    assert says in said.err
    assert sorted(file.name for file in notebook.parent.glob("*.ipynb")) == ["own.ipynb"]


def test_options_about_a_notebook_need_one(personas):
    assert personas("run", "-p", "a=1").code == 2
    assert "--notebook" in personas("run", "--output", "x.ipynb").err


@pytest.mark.parametrize("text", ["", "{}", "not JSON", '{"cells": 1}', "\udce4"])
def test_what_is_no_notebook_is_refused(personas, folder, text):
    (folder / "odd.ipynb").write_bytes(text.encode("utf-8", "surrogateescape"))

    for arguments in (("run", "--notebook", "odd.ipynb"), ("export", "odd.ipynb", "page.html")):
        said = personas(*arguments)
        assert said.code == 1
        assert "odd.ipynb" in said.err
    assert personas("run", "--notebook", "missing.ipynb").code == 1
    assert not (folder / "page.html").exists()


def test_a_notebook_ends_with_the_code_that_it_says_and_stays_as_it_was(personas, notebook):
    before = notebook.read_bytes()
    said = personas("run", "--notebook", notebook.name, "--approve", "guards", "-p", "factor=2.5")

    (made,) = notebook.parent.glob("own-*.ipynb")
    assert said.code == 4
    assert f"{made.name}: exit code 4" in said.err
    assert notebook.read_bytes() == before
    assert "'guards' 2.5" in json.dumps(nbformat.read(made, as_version=4).cells)


@pytest.mark.parametrize(
    ("error", "said", "code"),
    [
        ("PlanBlocked", "", 3),
        ("RunRejected", "", 4),
        ("RunUnfinished", "", 5),
        ("RunElsewhere", "", 6),
        ("KeyboardInterrupt", "", 5),
        ("RunError", "", 1),
        ("ZeroDivisionError", "division by zero", 1),
        ("SystemExit", "0", 0),
        ("SystemExit", "6", 6),
        ("SystemExit", "7", 1),
        ("SystemExit", "²", 1),
        ("SystemExit", "no", 1),
    ],
)
def test_every_error_of_a_notebook_has_a_code(error, said, code):
    assert _code(error, said) == code


def test_a_page_is_made_of_an_executed_notebook_only(personas, notebook):
    for arguments in (["page.csv"], ["page.html", "--as-of", "2026-11-01"]):
        said = personas("export", notebook.name, *arguments)
        assert said.code == 2
        assert ".html" in said.err


OUTPUT = {
    "text/html": '<div style="color:red">the card</div><script>fetch("https://example.com/a")</script>'
    '<img src="https://example.com/b.png" onerror="alert(1)"><a href="https://example.com/c">a link</a>'
    '<a href="javascript:alert(2)">odd</a><iframe src="https://example.com/f"></iframe>'
    "<style>@import url(https://example.com/d); p {background: url(//example.com/e)}</style>"
    '<p style="background:url(https://example.com/g)">&lt;kept&gt; &#38;</p>',
    "text/plain": "the card",
    "application/vnd.jupyter.widget-view+json": {"model_id": "abc", "version_major": 2, "version_minor": 0},
}


@pytest.fixture
def page(personas, folder):
    cell = nbformat.v4.new_code_cell("x", outputs=[nbformat.v4.new_output("display_data", data=OUTPUT)])
    text = nbformat.v4.new_markdown_cell("# Report\n\n[a page](https://example.com) <script>alert(3)</script>")
    notebook = nbformat.v4.new_notebook(cells=[text, cell], metadata={"widgets": {"application/x": {"state": {}}}})
    nbformat.write(notebook, folder / "report.ipynb")
    said = personas("export", "report.ipynb", "report.html")
    assert said.code == 0, said.err
    return folder / "report.html"


def test_nothing_in_a_page_runs_or_comes_from_elsewhere(page):
    text = page.read_text(encoding="utf-8")

    assert "<script" not in text.lower()
    assert "onerror" not in text
    assert "alert(1" not in text
    assert "javascript:" not in text
    assert "example.com/a" not in text
    for end in "bdefg":
        assert f"example.com/{end}" not in text
    assert 'href="https://example.com/c"' in text
    assert "&lt;kept&gt; &amp;" in text
    assert "default-src 'none'" in text
    assert "widget-view" not in text


@pytest.mark.browser
def test_a_page_shows_the_card_without_a_network(page):
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = "/usr/bin/chromium"
    if not os.path.exists(chromium):  # noqa: PTH110  (read as one line)
        if os.environ.get("PERSONAS_REQUIRE_BROWSER") == "1":
            pytest.fail("there is no Chromium")
        pytest.skip("there is no Chromium")
    flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=flags)
        shown = browser.new_context(offline=True).new_page()
        asked, problems = [], []
        shown.on("request", lambda request: asked.append(request.url))
        shown.on("console", lambda message: problems.append(message.text))
        shown.goto(page.as_uri())
        playwright.expect(shown.get_by_text("the card")).to_be_visible()
        assert [url for url in asked if not url.startswith("data:")] == [page.as_uri()]
        assert problems == []
        assert shown.locator("script").count() == 0
        browser.close()


def test_what_is_only_looked_at_stays_as_it_was_written():
    text = (
        '<!DOCTYPE html>\n<p class=a title=\'"\'>x &amp; y<br/><svg viewBox="0 0 1 1"><path d="M0"/></svg>&#8211;</p>'
    )

    assert still(text) == text
    assert still("<script>if (a < b) { '</p>' }</script><p>x</p>") == "<p>x</p>"
    assert still("a<script src=x></script>b<embed src=y>c<object data=z><p>d</p></object>e") == "abce"
    assert still("<p>never closed <script>x") == "<p>never closed "
    assert still("<style/>@import url(https://x.example/y.css);<p>z") == "<style/><p>z"
