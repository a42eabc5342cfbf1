"""A link to a file or a folder of the repository leads to a page that shows it, as it does on GitHub.

Sphinx would offer files as downloads, and has nothing for folders. These pages are as plain as can be, without the
frame of the site: there are hundreds of them.
"""

import html
from pathlib import Path
from posixpath import relpath
from string import Template
from urllib.parse import unquote

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

SHOWN = {".py", ".sql", ".toml", ".json", ".csv", ".yml", ""}  # no suffix: LICENSE, Makefile
PAGE = Template((Path(__file__).parent / "file.html").read_text(encoding="utf-8"))


def _lead_there(app: Sphinx, doctree: nodes.document) -> None:
    """Replace what MyST made of such links: downloads of files, and references to nothing for folders."""
    for node in [*doctree.findall(addnodes.download_reference), *doctree.findall(addnodes.pending_xref)]:
        path = _target(app, node)
        if path is not None:
            page = _page(app, path)
            _linked(app)[page] = path
            uri = app.builder.get_relative_uri(app.env.docname, page)
            node.replace_self(nodes.reference("", "", *node.children, refuri=uri, internal=True))


def _target(app: Sphinx, node: nodes.Element) -> Path | None:
    if isinstance(node, addnodes.pending_xref) and node.get("reftype") != "myst":
        return None
    here = app.env.doc2path(app.env.docname).parent
    path = (here / unquote(node["reftarget"])).resolve()
    return path if path.exists() else None


def _page(app: Sphinx, path: Path) -> str:
    name = path.relative_to(Path(app.srcdir).resolve()).as_posix()
    return f"{name}/index" if path.is_dir() else name


def _linked(app: Sphinx) -> dict[str, Path]:
    """Page to the file or folder that it shows; kept between builds, as the pages that link there are."""
    found: dict[str, Path] = app.env.__dict__.setdefault("files_linked", {})
    return found


def _write(app: Sphinx, problem: Exception | None) -> None:
    if problem is not None or app.builder.format != "html":
        return
    pages = dict(_linked(app))
    for folder in [path for path in pages.values() if path.is_dir()]:
        pages |= {_page(app, path): path for path in _files(folder)}
    for page, path in pages.items():
        body = _listing(app, page, path, pages) if path.is_dir() else _text(path)
        title = html.escape(page.removesuffix("/index"))
        _keep(app, page, PAGE.substitute(title=title, index=_to(page, app.config.root_doc), body=body))
    front = PAGE.substitute(title=app.config.project, index=f"{app.config.root_doc}.html", body="")
    moved = f'<meta http-equiv="refresh" content="0; url={app.config.root_doc}.html">'
    _keep(app, "index", front.replace("<title>", f"{moved}\n<title>", 1))


def _keep(app: Sphinx, page: str, text: str) -> None:
    target = Path(app.outdir) / f"{page}.html"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


def _to(page: str, other: str) -> str:
    return html.escape(relpath(f"{other}.html", page.rpartition("/")[0] or "."))


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file() and path.suffix in SHOWN)


def _text(path: Path) -> str:
    return f"<pre>{html.escape(path.read_text(encoding='utf-8'))}</pre>"


def _listing(app: Sphinx, page: str, folder: Path, pages: dict[str, Path]) -> str:
    inner = [path for path in sorted(folder.iterdir()) if path.is_dir() and _page(app, path) in pages]
    return "\n".join(
        f'<p><a href="{_to(page, _page(app, path))}">{html.escape(path.name)}</a></p>'
        for path in [*inner, *_files(folder)]
    )


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx calls this."""
    app.connect("doctree-read", _lead_there, priority=100)  # before the downloads are collected
    app.connect("build-finished", _write)
    return {"parallel_read_safe": False}
