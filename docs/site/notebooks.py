"""A notebook is a page of its prose and its code. Outputs are not kept in the repository, so there are none here."""

import json

from sphinx.application import Sphinx


def as_markdown(text: str) -> str:
    """The cells of a notebook in a Markdown page, with a line that says how to run it."""
    cells = [_cell(cell["cell_type"], "".join(cell["source"])) for cell in json.loads(text)["cells"]]
    title, *rest = cells
    hint = "*This is a notebook: `make lab` opens it, and it runs without a network.*"
    return "\n\n".join([title.partition("\n")[0], hint, title.partition("\n")[2], *rest])


def _cell(kind: str, source: str) -> str:
    return source if kind == "markdown" else f"`````python\n{source}\n`````"


def _read(app: Sphinx, docname: str, source: list[str]) -> None:
    if app.env.doc2path(docname).suffix == ".ipynb":
        source[0] = as_markdown(source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx calls this."""
    app.connect("source-read", _read)
    return {"parallel_read_safe": True}
