"""The order of the pages is that of the list in ``docs/README.md``: each heading there is a part, each link a page.

A directive would be seen on GitHub, so the tree is made of the list when the page is read. A page that stands in no
part is a warning of Sphinx, and so an error of ``make docs``.
"""

import re
from posixpath import join, normpath

from sphinx.application import Sphinx

PART = re.compile(r"^## (.+)\n([^#]*)", re.MULTILINE)
PAGE = re.compile(r"\]\(([\w./-]+)\.(?:md|ipynb)\)")


def pages(text: str, folder: str) -> dict[str, list[str]]:
    """Part to the names of its pages, in their order; a page that is named twice stands where it was first."""
    seen: set[str] = set()
    parts = {}
    for part, below in PART.findall(text):
        names = dict.fromkeys(normpath(join(folder, name)) for name in PAGE.findall(below))
        parts[part] = [name for name in names if name not in seen]
        seen.update(names)
    return parts


def _append(app: Sphinx, docname: str, source: list[str]) -> None:
    if docname == app.config.root_doc:
        for part, names in pages(source[0], docname.rpartition("/")[0]).items():
            listed = "\n".join(f"/{name}" for name in names)
            source[0] += f"\n\n```{{toctree}}\n:hidden:\n:caption: {part}\n\n{listed}\n```\n"


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx calls this."""
    app.connect("source-read", _append)
    return {"parallel_read_safe": True}
