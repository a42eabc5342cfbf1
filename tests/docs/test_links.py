"""Every link of the Markdown and of the site leads somewhere, and the site asks nobody for anything."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.pages import NOTEBOOKS, PAGES, ROOT, anchors, links

# ---------------------------------------------------------------------------------------------- Markdown, as on GitHub


@pytest.mark.parametrize("page", [*PAGES, *NOTEBOOKS])
def test_every_link_of_a_page_leads_to_something_in_the_repository(page):
    text = PAGES.get(page) or NOTEBOOKS[page]

    assert [link for link in links(text) if not _leads(page, link)] == []


def _leads(page: str, link: str) -> bool:
    parts = urlsplit(link)
    if parts.scheme:
        return parts.scheme == "https"
    target = (ROOT / page).parent / parts.path if parts.path else ROOT / page
    if not target.resolve().is_relative_to(ROOT) or not target.exists():
        return False
    return not parts.fragment or parts.fragment in anchors(target.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("## Exit codes", {"exit-codes"}),
        ("## `a.b()`, and *more*", {"ab-and-more"}),
        ("## Twice\n## Twice", {"twice", "twice-1"}),
    ],
)
def test_anchors_are_those_of_github(text, expected):
    assert anchors(text) == expected


# ------------------------------------------------------------------------------------------------------------ the site


class Elements(HTMLParser):
    """The ids of a page, where it leads, and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.leads: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        said = {name: value or "" for name, value in attrs}
        self.ids |= {said[name] for name in ("id", "name") if name in said}
        for name in {"href", "src", "srcset", "data", "poster", "action"} & said.keys():
            place = self.leads if (tag, name) == ("a", "href") else self.loads
            place.append(said[name])
        self.loads += re.findall(r"url\(([^)]+)\)", said.get("style", ""))


@pytest.fixture(scope="session")
def site(built) -> dict[Path, Elements]:
    folder, _ = built
    return {path: Elements(path.read_text(encoding="utf-8")) for path in folder.rglob("*.html")}


def test_the_site_is_built_without_a_warning(built):
    folder, said = built

    assert said == ""
    assert (folder / "index.html").exists()


def test_every_link_of_the_site_leads_to_a_page_and_its_anchor(site):
    broken = [
        f"{path.name}: {link}"
        for path, page in site.items()
        for link in page.leads
        if not urlsplit(link).scheme and not _stands(site, path, link)
    ]

    assert len(site) > 100
    assert broken == []


def _stands(site: dict[Path, Elements], path: Path, link: str) -> bool:
    parts = urlsplit(link)
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target not in site:
        return target.exists() and not parts.fragment
    return parts.fragment in {"", *site[target].ids}


def test_the_site_loads_nothing_from_elsewhere(site):
    asked = [f"{path.name}: {address}" for path, page in site.items() for address in page.loads if _foreign(address)]

    assert asked == []


def _foreign(address: str) -> bool:
    return urlsplit(address).scheme not in {"", "data"} or address.startswith("//")


def test_no_style_of_the_site_loads_anything_from_elsewhere(built):
    folder, _ = built
    foreign = re.compile(r"url\(['\"]?(?:https?:)?//|@import")

    assert [path.name for path in folder.rglob("*.css") if foreign.search(path.read_text(encoding="utf-8"))] == []


def test_what_the_site_loads_is_there(site):
    missing = [
        f"{path.name}: {address}"
        for path, page in site.items()
        for address in page.loads
        if not address.startswith(("data:", "#")) and not (path.parent / urlsplit(address).path).exists()
    ]

    assert missing == []
