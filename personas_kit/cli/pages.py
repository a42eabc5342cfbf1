"""An executed notebook as one HTML file for anybody: it needs no network, and nothing in it can run."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

from personas_kit.cli.notebooks import of_lab, read_notebook
from personas_kit.errors import ConfigError

#: What browsers are told besides: no request, no script, whatever a cell has put there.
_POLICY: Final = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:\">"
)
_WIDGET: Final = "application/vnd.jupyter.widget-view+json"
_DROPPED: Final = frozenset({"script", "iframe", "object", "template", "noscript"})
"""Elements that go with all that is in them."""
_ALONE: Final = frozenset({"link", "base", "embed"})
"""Elements that have no end. A style sheet that lies elsewhere is not there offline."""
_CSS_ELSEWHERE: Final = re.compile(r"@import[^;]*;?|url\(\s*['\"]?(?!data:|#)[^)]*\)", re.IGNORECASE)


def export_page(notebook: Path, page: Path) -> None:
    """Write a notebook with its outputs as HTML.

    What a widget showed is shown by the card beside it: a page has no kernel.

    Raises:
        ConfigError: it is no notebook, or the page cannot be written.
    """
    nbconvert, read = of_lab("nbconvert"), read_notebook(notebook)
    read.metadata.pop("widgets", None)
    for cell in read.cells:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if "text/html" in data or "text/plain" in data:
                data.pop(_WIDGET, None)
    exporter = nbconvert.HTMLExporter(template_name="lab", embed_images=True, require_js_url="", mathjax_url="")
    body, _ = exporter.from_notebook_node(read, {"metadata": {"name": notebook.stem}})
    try:
        page.write_text(still(body), encoding="utf-8")
    except OSError as problem:
        raise ConfigError(f"the page cannot be written: {problem.strerror}", where=str(page)) from None


def still(page: str) -> str:
    """The page without anything that runs, or that comes from elsewhere; links for people stay."""
    reader = _Still()
    reader.feed(page)
    reader.close()
    return "".join(reader.kept)


class _Still(HTMLParser):
    """Keeps what is only looked at, as it was written."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.kept: list[str] = []
        self._inside: list[str] = []
        self._style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep it, without what runs or fetches."""
        if tag in _DROPPED:
            self._inside.append(tag)
        if self._inside or tag in _ALONE:
            return
        if tag == "meta" and any(name == "http-equiv" for name, _ in attrs):
            return
        self._style = tag == "style"
        fine = [(name, value) for name, value in attrs if not _acts(tag, name, value or "")]
        said = self.get_starttag_text() or ""
        if fine != attrs or any(name == "style" and _CSS_ELSEWHERE.search(value or "") for name, value in fine):
            said = f"<{tag}{''.join(_attribute(name, value) for name, value in fine)}>"
        self.kept.append(said + (_POLICY if tag == "head" else ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """The same for ``<br/>``: browsers take no other element for ended by it, but those of SVG."""
        before = len(self._inside)
        self.handle_starttag(tag, attrs)
        del self._inside[before:]  # ``<style/>`` stays open: what follows it is a style

    def handle_endtag(self, tag: str) -> None:
        """Keep it, unless what it ends went."""
        if self._inside:
            if tag == self._inside[-1]:
                self._inside.pop()
        elif tag not in _DROPPED | _ALONE:
            self.kept.append(f"</{tag}>")
        self._style = False

    def handle_data(self, data: str) -> None:
        """Keep text, and styles that fetch nothing."""
        self._keep(_CSS_ELSEWHERE.sub("", data) if self._style else data)

    def handle_entityref(self, name: str) -> None:
        """As it was written."""
        self._keep(f"&{name};")

    def handle_charref(self, name: str) -> None:
        """As it was written."""
        self._keep(f"&#{name};")

    def handle_decl(self, decl: str) -> None:
        """The type of the document."""
        self._keep(f"<!{decl}>")

    def _keep(self, text: str) -> None:
        if not self._inside:
            self.kept.append(text)


def _acts(tag: str, name: str, value: str) -> bool:
    """Whether an attribute runs something, or fetches it; a link waits for a person."""
    if name.startswith("on") or name in {"srcset", "ping", "formaction", "action", "background", "srcdoc"}:
        return True
    if name in {"href", "xlink:href"} and tag == "a":
        return not re.match(r"\s*(?:https?:|mailto:|#|[\w./-]*$)", value, re.IGNORECASE)
    if name in {"src", "href", "xlink:href", "data", "poster"}:
        return not re.match(r"\s*(?:data:|#)", value, re.IGNORECASE)
    return False


def _attribute(name: str, value: str | None) -> str:
    if value is None:
        return f" {name}"
    kept = _CSS_ELSEWHERE.sub("", value) if name == "style" else value
    return f' {name}="{html.escape(kept, quote=True)}"'
