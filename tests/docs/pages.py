"""The Markdown of the repository, read as GitHub reads it: links, anchors, and blocks of code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
READER = MarkdownIt("commonmark").enable("table")


def _prose(notebook: Path) -> str:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


#: Every page that a person reads.
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "sql" / "README.md"])
}
#: Their prose; other tests run their code.
NOTEBOOKS = {path.relative_to(ROOT).as_posix(): _prose(path) for path in sorted(ROOT.glob("notebooks/*.ipynb"))}


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, with the block of text that follows it at once: what it prints."""

    page: str
    line: int
    language: str
    text: str
    output: str | None = None
    output_line: int = 0

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(*languages: str, page: str | None = None) -> list[Block]:
    """The blocks of these languages, of all pages or of one, in their order."""
    return [block for each in ([page] if page else PAGES) for block in _blocks(each) if block.language in languages]


def _blocks(page: str) -> Iterator[Block]:
    tokens = READER.parse(PAGES[page])
    for token, after in pairwise([*tokens, tokens[-1]]):
        if token.type == "fence" and token.map:
            output = after if after.type == "fence" and after.info == "text" and after is not token else None
            said = (output.content, output.map[0] + 1) if output and output.map else (None, 0)
            yield Block(page, token.map[0] + 1, token.info.split(" ")[0], token.content, *said)


def _tokens(text: str) -> Iterator[Token]:
    for token in READER.parse(text):
        yield token
        yield from token.children or ()


def links(text: str) -> list[str]:
    """What links and pictures lead to, addresses too."""
    attributes = [token.attrGet("href") or token.attrGet("src") for token in _tokens(text)]
    return [unquote(str(each)) for each in attributes if each]


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to the headings."""
    tokens = READER.parse(text)
    heads = [tokens[at + 1] for at, token in enumerate(tokens) if token.type == "heading_open"]
    found: set[str] = set()
    for head in heads:
        said = "".join(each.content for each in head.children or () if each.type in {"text", "code_inline"})
        anchor = re.sub(r"[^\w\- ]", "", said.lower()).replace(" ", "-")
        number = sum(each == anchor or re.fullmatch(re.escape(anchor) + r"-\d+", each) is not None for each in found)
        found.add(f"{anchor}-{number}" if number else anchor)
    return found
