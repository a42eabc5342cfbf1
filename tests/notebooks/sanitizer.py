"""What the sanitizer of an untrusted notebook keeps: a list of tags, attributes and style properties."""

from html.parser import HTMLParser

TAGS = set(
    """div span p b i em strong small code pre br hr table thead tbody tr th td details summary img ul ol li a
    mark""".split()  # noqa: SIM905  (one word a line would be a page)
)
ATTRIBUTES = {"style", "class", "open", "src", "alt", "colspan", "href", "title"}
STYLES = set(
    """color background background-color border border-top border-bottom border-left border-right border-radius
    border-collapse width height min-width max-width padding margin margin-top margin-bottom margin-left margin-right
    padding-left padding-right padding-top padding-bottom display flex flex-wrap flex-direction justify-content
    align-items gap position left top right bottom opacity float font-size font-weight font-family font-style
    text-align vertical-align white-space overflow overflow-x overflow-wrap cursor grid-template-columns line-height
    text-decoration word-break""".split()  # noqa: SIM905
)


VALUES = {"overflow-wrap": {"normal", "break-word"}, "word-break": {"normal", "keep-all", "break-all"}}
"""Properties of which JupyterLab keeps these values only: ``anywhere`` and ``break-word`` are newer than its list."""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attributes):
        if tag not in TAGS:
            self.found.append(f"<{tag}>")
        for name, value in attributes:
            if name not in ATTRIBUTES:
                self.found.append(f"{tag} {name}=")
            if name == "src" and not (value or "").startswith("data:image/"):
                self.found.append(f"{tag} src={value}")
            if name == "style":
                self.found += [f"{tag} style {part}" for part in _style_problems(value or "")]


def _style_problems(style):
    properties = [part.split(":", 1) for part in style.split(";") if part.strip()]
    unknown = [name.strip() for name, *_ in properties if name.strip() not in STYLES]
    unknown += [
        f"{name}:{value}" for name, *values in properties for value in values
        if value.strip() not in VALUES.get(name.strip(), {value.strip()})
    ]  # fmt: skip
    return unknown + [value for _, *values in properties for value in values if "var(" in value or "url(" in value]


def problems(html: str) -> list[str]:
    """What the sanitizer would remove from this HTML."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.found
