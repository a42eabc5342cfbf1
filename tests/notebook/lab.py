"""A real JupyterLab with a real Chromium, for tests: one server, one page, a notebook after the other.

The network is closed but for this machine, and what the page asks for elsewhere is remembered: that list has to stay
empty. Waiting is always for something that happens, never for a time.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import ConsoleMessage, Locator, Page, Request, sync_playwright

from personas_kit.company import open_demo

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--force-color-profile=srgb",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]  # fmt: skip
PICTURES = Path(__file__).parents[2] / ".cache" / "pictures"
DOCS = Path(__file__).parents[2] / "docs"
START = 120  # seconds; a busy machine takes long to start JupyterLab
STEP = 60_000  # milliseconds for one thing to appear
WIDTH, HEIGHT, LONG = 1180, 900, 2600

#: Everything that JupyterLab would ask the network for, or move on the screen, is switched off.
SETTINGS: dict[str, dict[str, Any]] = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True},
    "notebook-extension/tracker": {"windowingMode": "none"},
    "docmanager-extension/plugin": {"autosave": False},
}
#: What JupyterLab itself says on the console, whatever is shown.
SAID_BY_LAB = ("favicon", "api/workspaces", "Failed to load resource: the server responded with a status of 404")

#: Every text of the outputs is held against the first ground behind it that is painted; half-clear paint is mixed.
CONTRAST = """(least) => {
    const numbers = (color) => {
        const found = (color.match(/[\\d.]+/g) || []).map(Number);  // a mixed colour has parts from 0 to 1
        return color.startsWith("color(") ? found.map((part, at) => at < 3 ? 255 * part : part) : found;
    };
    const over = (top, below) => [0, 1, 2].map((at) => top[at] * (top[3] ?? 1) + below[at] * (1 - (top[3] ?? 1)));
    const light = (color) => {
        const [r, g, b] = color.map((part) => part / 255).map(
            (part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (element) => {
        const layers = [];
        for (let at = element; at; at = at.parentElement) {
            const paint = numbers(getComputedStyle(at).backgroundColor);
            if ((paint[3] ?? 1) > 0) layers.push(paint);
            if ((paint[3] ?? 1) === 1) break;
        }
        return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
    };
    const clear = (element) => {
        let all = 1;
        for (let at = element; at; at = at.parentElement) all *= Number(getComputedStyle(at).opacity);
        return all;
    };
    const found = [];
    for (const area of document.querySelectorAll('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-OutputArea-output')) {
        const walk = document.createTreeWalker(area, NodeFilter.SHOW_TEXT);
        while (walk.nextNode()) {
            const element = walk.currentNode.parentElement, words = walk.currentNode.data.trim();
            if (!words || !element.checkVisibility() || element.closest(':disabled, [aria-hidden=true]')) continue;
            const below = ground(element), ink = numbers(getComputedStyle(element).color);
            const seen = over([...ink.slice(0, 3), (ink[3] ?? 1) * clear(element)], below);
            const [dark, bright] = [light(seen), light(below)].sort((a, b) => a - b);
            const contrast = (bright + 0.05) / (dark + 0.05);
            const style = getComputedStyle(element), size = parseFloat(style.fontSize);
            const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
            if (contrast < (large ? least * 2 / 3 : least)) found.push(`${words.slice(0, 40)}: ${contrast.toFixed(2)}`);
        }
    }
    return [...new Set(found)];
}"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[tuple[str, str]]:
    """JupyterLab over ``folder/work``: its address and its token. Nothing of the person's settings is read."""
    settings = folder / "settings"
    for name, values in SETTINGS.items():
        file = settings / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values), encoding="utf-8")
    (folder / "work").mkdir()
    own = {
        "HOME": "home", "JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime",
        "IPYTHONDIR": "ipython", "JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    }  # fmt: skip
    env = os.environ | {name: str(folder / part) for name, part in own.items()}
    (folder / "home").mkdir()
    port, token = free_port(), "a-token-of-the-tests"
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
        "--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder / 'work'}", f"--IdentityProvider.token={token}",
        "--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly", "--LabApp.news_url=None",
        "--ServerApp.terminals_enabled=False",
    ]  # fmt: skip
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, env=env, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_for(f"http://127.0.0.1:{port}/api/status?token={token}", server, folder / "server.log")
            yield f"http://127.0.0.1:{port}", token
        finally:
            server.terminate()
            server.wait(timeout=30)


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Until the server answers."""
    end = time.monotonic() + START
    while time.monotonic() < end:
        if server.poll() is not None:
            raise RuntimeError(f"the server has ended: {log.read_text(encoding='utf-8')[-2000:]}")
        with contextlib.suppress(urllib.error.URLError, ConnectionError), urllib.request.urlopen(url, timeout=5):  # noqa: S310  (ours)
            return
        time.sleep(0.2)
    raise RuntimeError(f"the server has not started in {START} s: {log.read_text(encoding='utf-8')[-2000:]}")


class Lab:
    """The page of a JupyterLab, and the notebook that is open in it.

    Attributes:
        page: playwright's.
        outside: addresses that the page asked for and that are not on this machine.
        complaints: errors on the console, and exceptions that nothing caught.
        update: whether the pictures of the documentation are written anew.
    """

    def __init__(self, page: Page, folder: Path, *, update: bool = False) -> None:
        self.page, self.folder, self.update = page, folder, update
        self.outside: list[str] = []
        self.complaints: list[str] = []
        self._companies = 0
        page.set_default_timeout(STEP)
        page.on("request", self._asked)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def start(self, url: str, token: str) -> None:
        """Load JupyterLab."""
        self.page.goto(f"{url}/lab?token={token}", timeout=START * 1000)
        self.page.wait_for_function("window.jupyterapp !== undefined", timeout=START * 1000)
        self.page.evaluate("jupyterapp.restored")
        self.page.evaluate("() => { jupyterapp.shell.collapseLeft(); jupyterapp.shell.collapseRight(); }")
        self.command("application:close-all")

    def command(self, name: str, arguments: dict[str, Any] | None = None) -> None:
        """Do a command of JupyterLab's, and wait until it is done."""
        self.page.evaluate(
            "async ([name, given]) => { await jupyterapp.commands.execute(name, given); }", [name, arguments or {}]
        )

    def company(self) -> str:
        """The line that opens a generated company of its own in a notebook; it is generated once."""
        self._companies += 1
        made, own = self.folder / "company", self.folder / "work" / f"company-{self._companies}"
        if not made.exists():
            open_demo(made).close()
        own.mkdir()
        shutil.copy(made / "warehouse.duckdb", own)
        return f"import personas_kit as pk\nfrom personas_kit import event, trait\nws = pk.demo({own.name!r})"

    def write(self, name: str, cells: Sequence[str]) -> Path:
        """A notebook of code cells in the server's folder, without outputs."""
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
        path = self.folder / "work" / f"{name}.ipynb"
        nbformat.write(notebook, path)
        return path

    def open(self, path: Path) -> None:
        """Open a notebook of the server's folder, after the one before has been closed, its kernel with it."""
        self.close()
        self.page.evaluate(
            """async (path) => {
                const panel = await jupyterapp.commands.execute('docmanager:open', {path, factory: 'Notebook'});
                await panel.context.ready;
                await panel.sessionContext.ready;
                await panel.sessionContext.session?.kernel?.info;
                window.panel = panel;
            }""",
            str(path.relative_to(self.folder / "work")),
        )

    def close(self) -> None:
        """Close the notebook, and its kernel with it."""
        self.page.evaluate(
            """async () => {
                const panel = window.panel;
                if (!panel) return;
                window.panel = undefined;
                await panel.sessionContext.shutdown();
                panel.context.model.dirty = false;
                panel.close();
            }"""
        )

    def run(self, cells: Sequence[str], name: str = "notebook") -> None:
        """Write a notebook, open it, run all of its cells. A cell that raises is shown by the test that looks at it."""
        self.open(self.write(name, cells))
        self.command("notebook:run-all-cells")
        self.idle()

    def run_cell(self, number: int) -> Locator:
        """Run one cell of the open notebook, and return what it has put out."""
        self.page.evaluate("(number) => { panel.content.activeCellIndex = number; }", number)
        self.command("notebook:run-cell")
        self.idle()
        return self.cell(number)

    def idle(self) -> None:
        """Until the kernel has nothing to do."""
        self.page.wait_for_function("panel.sessionContext.session.kernel.status === 'idle'")

    def save(self) -> None:
        """Save the notebook as it is, with its outputs and the state of its widgets."""
        self.page.evaluate("panel.context.save()")

    def cell(self, number: int) -> Locator:
        """What cell ``number`` has put out."""
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell").nth(number).locator(".jp-OutputArea")

    def until_put_out(self, number: int, words: str) -> None:
        """Until the outputs of cell ``number``, as they would be saved, have these words."""
        self.page.wait_for_function(
            "([at, words]) => JSON.stringify(panel.content.model.cells.get(at).outputs.toJSON()).includes(words)",
            arg=[number, words],
        )

    def words(self) -> str:
        """All that the outputs of the notebook say."""
        return "\n".join(self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-OutputArea").all_inner_texts())

    def value(self, expression: str) -> str:
        """The repr of an expression in the kernel."""
        found = self.page.evaluate(
            """async (expression) => {
                const kernel = panel.sessionContext.session.kernel;
                const asked = {code: '0', user_expressions: {x: expression}, silent: true};
                const reply = await kernel.requestExecute(asked).done;
                return reply.content.user_expressions.x;
            }""",
            expression,
        )
        if found["status"] != "ok":
            raise AssertionError(f"{expression}: {found['ename']}: {found['evalue']}")
        return str(found["data"]["text/plain"])

    def theme(self, name: str) -> None:
        """``light`` or ``dark``."""
        self.command("apputils:change-theme", {"theme": f"JupyterLab {name.title()}"})
        self.page.wait_for_function(f"document.body.dataset.jpThemeLight === '{str(name == 'light').lower()}'")
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")
        self.page.evaluate("document.fonts.ready")

    def faint(self, least: float = 4.5) -> list[str]:
        """Words in the outputs whose contrast with what is behind them is too small: WCAG's AA, less for large ones."""
        return list(self.page.evaluate(CONTRAST, least))

    def picture(self, name: str, of: Locator | None = None, *, docs: str = "") -> None:
        """A screenshot into the folder of pictures, for people to look at.

        Args:
            name: of the file, after ``lab-``.
            of: all of this, however long it is; by default what the window shows.
            docs: the page of ``docs`` that shows it too: written anew with ``--update-golden``.
        """
        PICTURES.mkdir(parents=True, exist_ok=True)
        path = PICTURES / f"lab-{name}.png"
        if of is None:
            self.page.screenshot(path=path)
        else:
            self.page.set_viewport_size({"width": WIDTH, "height": LONG})
            of.screenshot(path=path)
            self.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
        if docs and self.update:
            shutil.copy(path, DOCS / f"{docs}.png")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:", "about:")):
            self.outside.append(request.url)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(words in f"{message.text} {message.location}" for words in SAID_BY_LAB):
            self.complaints.append(message.text)


@contextlib.contextmanager
def opened(folder: Path, *, update: bool = False) -> Iterator[Lab]:
    """A JupyterLab that is ready to open notebooks."""
    with serving(folder) as (url, token), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        lab = Lab(page, folder, update=update)
        lab.start(url, token)
        yield lab
        lab.close()
        browser.close()
