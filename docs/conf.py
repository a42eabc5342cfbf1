"""The site of the documentation: ``make docs``. Its pages are the repository's Markdown files, where they are.

The source folder is the repository itself, so a relative link between two Markdown files means here what it means
there. ``docs/site`` has what GitHub does by itself: notebooks as pages, and files that a page links to.
"""

import sys
from pathlib import Path

from personas_kit import __name__ as name

sys.path.insert(0, str(Path(__file__).parent / "site"))

project = name
author = "the authors of personas_kit"
copyright = "the authors of personas_kit, Apache-2.0"  # noqa: A001  (Sphinx's name)
root_doc = "docs/README"
include_patterns = [
    "docs/*.md", "notebooks/*.ipynb", "sql/README.md",
    "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md",
]  # fmt: skip
exclude_patterns = [".*", "benchmarks", "build", "dist", "docs/site", "personas_kit", "requirements", "tests", "**/.*"]
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "contents", "files", "notebooks"]
nitpicky = True
nitpick_ignore_regex = [("py:.*", ".*")]  # types in signatures: most are polars', or have no page

source_suffix = {".md": "markdown", ".ipynb": "markdown"}
myst_heading_anchors = 4  # the anchors that GitHub makes
myst_links_external_new_tab = False

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 90

html_theme = "furo"
html_title = project
html_permalinks_icon = "#"
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_static_path = ["site/static"]
html_css_files = ["site.css"]
pygments_style = "default"
pygments_dark_style = "github-dark"
