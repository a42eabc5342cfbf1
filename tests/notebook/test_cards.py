"""The cards: the same numbers as the text, nothing that a sanitizer removes, nothing that a hostile name can do."""

import datetime as dt
import re
import warnings

import polars as pl
import pytest

import personas_kit as pk
from personas_kit import event, trait
from personas_kit.activation.report import Report, SyncReport
from personas_kit.activation.sync import Sync
from personas_kit.company import open_demo
from personas_kit.masking import mask_text, masked
from personas_kit.notebook import html
from personas_kit.preview import SyncChange
from tests.notebook.pictures import areas, axes, bars
from tests.notebooks.sanitizer import problems

BUYERS = "order_completed_last_30days"
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "</pre></details><iframe src=//evil>",
    "{{constructor.constructor('alert(1)')()}}",
    "javascript:alert(1)",
    "\u202eexe.\u2066txt",
    "nul\x00 bell\x07",
    "&lt;b&gt;",
]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    opened = open_demo(tmp_path_factory.mktemp("demo"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def cards(demo):
    """Every kind of result, after a push and a day."""
    demo.plan(BUYERS).push()
    demo.clock.move(days=1)
    plan = demo.plan(BUYERS)
    return {
        "preview": demo.preview(BUYERS),
        "accounts": demo.preview("active_accounts"),
        "values": demo.preview("revenue_90d"),
        "plan": plan,
        "report": plan.push(),
        "again": plan.push(),
        "profile": demo.profile("u_05305"),
        "run": demo.run(),
        "backtest": demo.backtest(MIXED, demo.clock.now() - dt.timedelta(days=13)),
        "forecast": demo.forecast_exits(BUYERS, 14),
        "comparison": demo.compare(BUYERS, MIXED),
        "explanation": demo.explain(MIXED, "u_05305"),
        "overlap": demo.overlap([BUYERS, MIXED, pk.Audience("German", trait("country") == "DE")]),
    }


MIXED = pk.Audience(
    "Mixed",
    (event("Order Completed").within(days=7).count() >= 1) & (trait("country").exists() | trait("email").absent()),
)
KINDS = ["preview", "accounts", "values", "plan", "report", "again", "profile", "run"]
FURTHER = ["backtest", "forecast", "comparison", "explanation", "overlap"]


@pytest.mark.parametrize("kind", [*KINDS, *FURTHER])
def test_a_card_has_nothing_that_a_sanitizer_removes(cards, kind):
    assert problems(cards[kind]._repr_html_()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_bundle_has_a_text_line_beside_the_card(cards, kind):
    bundle = cards[kind]._repr_mimebundle_()

    assert set(bundle) == {"text/plain", "text/html"}
    assert "\n" not in bundle["text/plain"]


def test_text_and_card_have_the_same_numbers(cards):
    for number in ("1,130", "7,981", "14.2%", "+16"):
        assert number in repr(cards["preview"])
        assert number in cards["preview"]._repr_html_()
    assert "135 acknowledged" in repr(cards["report"])
    assert ">135<" in cards["report"]._repr_html_()


def test_the_pictures_of_a_backtest_are_its_numbers(cards):
    frame, shown = cards["backtest"].frame, cards["backtest"]._repr_html_()

    assert areas(shown, top=axes(shown)[0][1]) == [frame["size"].to_list()]
    low, top = axes(shown)[1]
    assert [high for _, high in bars(shown, html.GREEN, low=low, top=top)] == frame["entered"].drop_nulls().to_list()
    assert [-low_ for low_, _ in bars(shown, html.RED, low=low, top=top)] == frame["left"].drop_nulls().to_list()
    first = frame.row(1, named=True)
    assert f"entered {first['entered']}, left \N{MINUS SIGN}{first['left']}" in shown
    assert "Traits are taken as they are now, at every instant: country, email" in shown


def test_the_picture_of_a_forecast_is_what_remains(cards):
    forecast = cards["forecast"]
    shown = forecast._repr_html_()

    gone = forecast.by_day()["members"].cum_sum().to_list()
    assert areas(shown, top=axes(shown)[0][1]) == [[forecast.size, *(forecast.size - each for each in gone)]]
    assert f"\N{MINUS SIGN}{forecast.members.height:,}<" in shown
    assert f">{forecast.size:,}<" in shown


def test_a_comparison_shows_who_changes_sides(cards):
    comparison = cards["comparison"]
    shown = comparison._repr_html_()

    assert (comparison.count("enter"), comparison.count("exit") > 0) == (0, True)
    assert f"\N{MINUS SIGN}{comparison.count('exit'):,}<" in shown
    assert "within(7 days)" in shown
    whole = comparison.both + comparison.count("exit")
    wide = {title: float(share) for title, share in re.findall(r'title="([^"]+)" style="width:([\d.]+)%', shown)}
    assert wide == {
        f"{comparison.count('exit'):,} only in the old": pytest.approx(
            100 * comparison.count("exit") / whole, rel=1e-3
        ),
        f"{comparison.both:,} in both": pytest.approx(100 * comparison.both / whole, rel=1e-3),
    }


def test_nobody_who_changes_sides_is_a_faint_0(demo, cards):
    same = demo.compare(BUYERS, demo.definitions[BUYERS])._repr_html_()

    for shown in (cards["comparison"]._repr_html_(), same):
        assert f"{html.MINUS}0" not in shown
        assert "+0" not in shown
    assert f'<div style="{html.FAINT};font-size:28px;font-weight:600;line-height:1.3">0</div>' in same
    assert html.RED not in same


def test_an_overlap_shows_every_pair_and_every_combination(cards):
    found = cards["overlap"]
    shown = found._repr_html_()

    for line in found.pairs().to_dicts():
        said = f"{line['members']:,} of {line['audience']} are also in {line['other']}, {line['share']:.1%}"
        assert (f'title="{said}"' in shown) == (line["members"] > 0)
    for line in found.to_polars().to_dicts():
        assert f">{line['members']:,}</div>" in shown
    assert f">{found.in_any:,}<" in shown
    assert f">{found.in_all:,}<" in shown
    assert f"{found.in_any:,} in at least one, {found.in_all:,} in all" in repr(found)


def test_an_overlap_of_nobody_says_so(demo):
    found = demo.overlap([pk.Audience(name, trait("country") == name) for name in ("No", "Nor")])

    assert "Nobody is in any of them" in found._repr_html_()
    assert problems(found._repr_html_()) == []


def test_a_profile_shows_where_somebody_is_in_first_and_everything_masked(cards):
    profile = cards["profile"]
    shown = profile._repr_html_()

    inside = [key for key, member in profile.audiences.items() if member]
    assert f"in {len(inside)} of {len(profile.audiences)}" in shown
    assert re.findall(r"✓</b> ([^<]+)<", shown) == inside
    assert profile.traits["email"] not in shown
    assert f">{profile.traits['country']}</div>" in shown
    assert all(f"{sync.replace('>', '&gt;')}: <b>" in shown for sync in profile.acknowledged)


def test_a_status_says_the_same_as_its_line(demo, cards):
    status = demo.status()
    shown = status._repr_html_()

    waits = status.frame.filter(pl.col("waits") != "").height
    assert f"{waits} wait{'s' if waits == 1 else ''} for a person" in repr(status)
    assert f">{waits}</div>" in shown
    assert f">{status.frame['acknowledged'].sum():,}</div>" in shown
    assert "analytics · identify" in shown
    assert ">paused<" not in shown
    demo.pause(BUYERS, to="analytics")
    paused = demo.status()._repr_html_()
    demo.resume(BUYERS, to="analytics")
    assert ">paused<" in paused
    assert problems(shown) == problems(paused) == []


def test_the_change_is_the_largest_thing_on_the_preview(cards):
    found = re.findall(r"font-size:(\d+)px[^>]*>([^<]+)", cards["preview"]._repr_html_())
    sizes = {int(size): text for size, text in found}

    assert sizes[max(sizes)] in {"+16", "\N{MINUS SIGN}29"}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_name_stays_text(demo, hostile):
    definition = pk.Audience(f"A {hostile}", (trait("country") == hostile) | (event("Signed In").count() >= 1), key="a")
    shown = demo.preview(definition)._repr_html_()
    plan = demo.plan(definition, to="analytics")._repr_html_()

    assert problems(shown) == problems(plan) == []
    assert "<script" not in shown + plan
    assert "\u202e" not in shown + plan
    assert "\x07" not in shown + plan


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_value_stays_text(hostile):
    frame = pl.DataFrame({hostile: [hostile], "list": [[hostile]]})
    changes = pl.DataFrame({"member": [hostile], "outcome": ["rejected"], "reason": [hostile]})
    failed = SyncReport(Sync(hostile, hostile, "track"), "failed", why=hostile)
    report = Report(hostile, "p", dt.datetime(2026, 11, 1, tzinfo=dt.UTC), (failed,), lambda: changes)

    assert problems(html.table(frame)) == []
    assert problems(report._repr_html_()) == []


def test_every_destination_has_a_line_and_none_says_so(demo, cards):
    lines = [change.sync.call for change in cards["preview"].changes]
    alone = demo.preview(pk.Audience("Alone", trait("country") == "DE"))

    assert lines == ["identify", "track", "list"]
    assert all(isinstance(change, SyncChange) for change in cards["preview"].changes)
    assert "No sync yet" in alone._repr_html_()
    assert "no sync yet" in repr(alone)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("jane.doe@example.com", "j•••@e•••.com"),
        ("to <Jane@Sub.Example.CO.UK>, now", "to <J•••@S•••.UK>, now"),
        ("no address @ all", "no address @ all"),
    ],
)
def test_addresses_are_masked_wherever_they_stand(text, shown):
    assert mask_text(text) == shown


def test_columns_that_are_personal_by_name_are_masked():
    frame = pl.DataFrame({"user_id": ["u1"], "first_name": ["Zoe"], "phone": ["+49"], "plan_name": ["pro"], "age": [7]})

    assert masked(frame).row(0) == ("u1", "Z•••", "+•••", "pro", 7)


def test_a_name_beside_an_address_is_masked_with_it():
    frame = pl.DataFrame(
        {"full_name": ["Zoe Zander <zoe@example.com>", "call Zoe: +49 170 5550123", "zoe@example.com"]}
    )

    assert masked(frame)["full_name"].to_list() == ["Z•••", "c•••", "z•••@e•••.com"]


def test_what_there_is_has_cards(demo):
    for card in (demo.events, demo.events.order_completed, demo.traits, demo.accounts):
        html = card._repr_html_()
        assert problems(html) == []
        assert "%</div>" in html
    assert "Order Completed" in demo.events._repr_html_()
    assert "example.com" not in demo.traits._repr_html_()


@pytest.mark.parametrize(
    ("typed", "name"),
    [("ws.events.", "order_completed"), ("ws.events['", "Order Completed"), ("ws.traits.re", "revenue_90d")],
)
def test_names_complete_with_tab_as_in_a_notebook(demo, typed, name):
    shell = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell()
    shell.history_manager.enabled = False
    shell.user_ns["ws"] = demo
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the interface is provisional, says IPython
        found = [completion.text for completion in shell.Completer.completions(typed, len(typed))]

    assert name in found
