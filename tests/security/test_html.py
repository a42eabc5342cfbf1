"""Hostile texts in every place of every card: they stay text, and what hides in them is seen."""

import json
import re
from html.parser import HTMLParser

import polars as pl
import pytest

import personas_kit as pk
from personas_kit import event, trait
from personas_kit.activation.course import Progress
from personas_kit.activation.report import Report, SyncReport
from personas_kit.activation.runs import RunLine, RunReport
from personas_kit.activation.sync import Sync
from personas_kit.cli.terminal import _Careful, as_json, table_of
from personas_kit.display import Displayed, Work, _renderers
from personas_kit.masking import visible
from personas_kit.notebook import charts, html, progress
from personas_kit.sandbox.page import page
from tests.notebook.pictures import pictures
from tests.notebooks.sanitizer import problems
from tests.security.hostile import START, audience, usable
from tests.security.payloads import PAYLOADS, UNSEEN


class Elements(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


ALLOWED = {"div", "span", "b", "code", "pre", "details", "summary", "table", "thead", "tbody", "tr", "th", "td", "img"}
SHAPES = re.compile(
    r'<svg xmlns="http://www.w3.org/2000/svg" viewBox="[\d. ]+"(?: preserveAspectRatio="none")?>'
    r"(?:<(?:path|circle)(?: (?:d|cx|cy|r|fill|fill-opacity|stroke|stroke-[a-z]+|vector-effect)"
    r'="[\w.# -]*")+/>)*</svg>'
)


def pictures_wrong(shown):
    """Pictures that are more than lines, bars and dots."""
    return [picture for picture in pictures(shown) if not SHAPES.fullmatch(picture)]


def wrong(shown):
    """What does not belong into a card: another element, another attribute, a hidden character."""
    reader = Elements()
    reader.feed(shown)
    reader.close()
    found = [tag for tag, _ in reader.found if tag not in ALLOWED]
    found += [f"{tag} {name}" for tag, attributes in reader.found for name in attributes
              if name not in {"style", "open", "title"} | ({"src", "alt"} if tag == "img" else set())]  # fmt: skip
    found += [f"img {src}" for tag, attributes in reader.found if tag == "img"
              and not (src := attributes["src"]).startswith("data:image/svg+xml;base64,")]  # fmt: skip
    found += pictures_wrong(shown)
    found += [f"{tag} {style}" for tag, attributes in reader.found if (style := attributes.get("style") or "")
              and any(sign in style.lower() for sign in ("url(", "expression", "alert", "evil", "<", "@"))]  # fmt: skip
    return found + [f"U+{ord(one):04x}" for one in UNSEEN if one in shown] + problems(shown)


def test_every_card_with_every_payload_among_its_values(cards):
    shown = {name: card._repr_html_() for name, card in cards.items() if isinstance(card, Displayed)}

    assert len(shown) >= 12
    assert {name: wrong(text) for name, text in shown.items() if wrong(text)} == {}
    assert all("alert(1)" in shown[name] for name in ("preview everyone", "plan notes", "events"))  # they are there


GROUPS = [PAYLOADS[at : at + 5] for at in range(0, len(PAYLOADS), 5)]


@pytest.mark.parametrize("texts", GROUPS, ids=range(len(GROUPS)))
def test_payloads_as_name_condition_event_property_and_value(world, texts):
    own, first = audience(texts), usable(texts[0])
    plan = world.plan(own, to="seg")
    cards = [world.preview(own), plan, plan.dry_run(), world.explain(own, first), world.profile(first)]
    cards.append(world.compare(own, pk.Audience("B", trait("note") == first, key="b")))
    cards.append(world.overlap([own, pk.Audience("B", trait("note") == first, key="b")]))
    cards.append(world.backtest(pk.Audience(own.name, event(first).count() >= 1, key="c"), START, START))
    cards += [world.events[usable(text)] for text in texts]

    for card in cards:
        bundle = card._repr_mimebundle_()
        assert wrong(bundle["text/html"]) == []
        assert not any(one in bundle["text/plain"] for one in UNSEEN)


@pytest.mark.parametrize("text", PAYLOADS, ids=range(len(PAYLOADS)))
def test_a_payload_where_only_a_failure_puts_it(text):
    changes = pl.DataFrame(
        {"member": [text], "change": ["enter"], "value": [json.dumps(text)], "outcome": ["rejected"], "reason": [text]}
    )
    failed = SyncReport(Sync(text, text, "track", text), "failed", reasons={text: 1}, rejected=1, why=text)
    report = Report(text, text, START, (failed,), lambda: changes)
    run = RunReport(START, (RunLine(text, text, "failed", text),))
    frame = pl.DataFrame({text: [text], "list": [[text]], "doc": [{"a": text}]})
    shown = [report._repr_html_(), run._repr_html_(), html.table(frame), html.title(text, text, text), html.code(text)]
    shown += [
        html.figure(text, text, text),
        html.details(text, text, html.text(text)),
        html.notice(html.text(text), "red"),
    ]
    shown.append(html.share_bars([(text, 0.5, 1, 0.2)]))
    shown.append(charts.histogram([(text, 1)], colour=html.BLUE, words=text))
    shown.append(progress._line(Work(text, text, text).words())["text/html"])
    shown.append(progress._shown(1, 2, text)["text/html"])

    assert [wrong(each) for each in shown if wrong(each)] == []
    assert Progress(1, 2, text).sync == text


def test_every_kind_of_card_is_among_these_tests(cards, world):
    shown = {type(card).__name__ for card in cards.values()}
    shown |= {
        "Explanation",
        "Profile",
        "Event",
        "Comparison",
        "Backtest",
        "Overlap",
        "Saved",
        "DryRun",
    }  # of one payload each

    assert set(_renderers) == shown


@pytest.mark.parametrize("text", PAYLOADS, ids=range(len(PAYLOADS)))
def test_what_is_hidden_is_written_out_and_the_rest_stays(text):
    assert not any(one in visible(text) for one in UNSEEN)
    assert visible("Zoë \N{PILE OF POO} <b>\n\tЯ") == "Zoë \N{PILE OF POO} <b>\n\tЯ"


# --------------------------------------------------------------------------------------------- terminal and the sandbox


@pytest.mark.parametrize("text", PAYLOADS, ids=range(len(PAYLOADS)))
def test_a_terminal_is_not_steered(text, capsys):
    console = _Careful(force_terminal=True, width=200, color_system=None, soft_wrap=True)
    console.print(table_of(pl.DataFrame({"name": [text], text[:20] or "x": ["1"]}), text))
    console.print(text, markup=False)
    drawn = capsys.readouterr().out
    as_json({"name": text, text: [text]})
    printed = capsys.readouterr().out

    assert not any(one in drawn for one in UNSEEN)
    assert not any(one in printed for one in UNSEEN)
    assert json.loads(printed) == {"name": text, text: [text]}


def test_the_page_of_the_sandbox(world, cards):
    shown = page(world.sandbox.received)
    body = shown.partition("<body>")[2]

    reader = Elements()
    reader.feed(body)
    assert {tag for tag, _ in reader.found} <= {"h1", "h2", "p", "table", "caption", "thead", "tbody", "tr", "th", "td"}
    assert {name for _, attributes in reader.found for name in attributes} <= {"scope"}
    assert "alert(1)" in body
