"""Why somebody is in or out: each condition with its truth value, and the events and people behind it."""

import datetime as dt
import json
import re

import pytest

import personas_kit as pk
from personas_kit import AccountAudience, Audience, Trait, any_user, event, in_audience, prop, top, trait
from personas_kit.errors import DefinitionError, UnknownName
from personas_kit.notebook import html
from personas_kit.testing import happened
from tests.notebooks.sanitizer import problems

ORDER, SEEN = "Order Completed", "Page Viewed"
loud = event(ORDER).where(prop("revenue") > 10).between(days=(30, 2)).count() >= 2


@pytest.fixture(scope="module")
def ws():
    opened = pk.testing.workspace(
        as_of="2026-03-31T12:00:00",
        users={
            "u1": {"plan": "pro", "email": "jane@example.com"}, "u2": {"plan": "free"}, "u3": {}, "<b>u4</b>": {},
        },
        accounts={"a1": {"kind": "company"}, "a2": {}},
        memberships=[("u1", "a1"), ("u2", "a1"), ("u2", "a2")],
        events=[
            *(
                happened("u1", ORDER, f"2026-03-{day:02}T12:00:00", event_id=f"o{day}", revenue=20)
                for day in range(1, 32)
            ),
            happened("u1", ORDER, "2026-03-05T12:00:00", event_id="small", revenue=1),
            happened("u1", ORDER, "2026-02-01", event_id="smaller", revenue=1),
            happened("u2", SEEN, "2026-03-01T12:00:00", event_id="edge", revenue=30),
        ],
        definitions=[Audience("Pros", trait("plan") == "pro"), Trait("Spent", event(ORDER).sum("revenue"))],
    )  # fmt: skip
    yield opened
    opened.close()


def said(explanation) -> list[str]:
    return [line.strip() for line in repr(explanation).splitlines()]


def test_events_stand_in_the_window_before_it_after_it_or_are_refused(ws):
    found = ws.explain(Audience("Loud", loud), "u1")

    assert said(found) == [
        "u1 is in 'Loud'; as of 2026-03-31 12:00 UTC",
        f"✓ {loud}",
        "it is 28",
        (
            "28 counted: o2 at 2026-03-02 12:00:00, o3 at 2026-03-03 12:00:00, …, o28 at 2026-03-28 12:00:00, "
            "o29 at 2026-03-29 12:00:00; the first leaves the window at 2026-04-01 12:00:00"
        ),
        "1 in the window, refused by where(): small at 2026-03-05 12:00:00",
        "1 before the window, the last: o1 at 2026-03-01 12:00:00",
        "2 after the window, the first: o30 at 2026-03-30 12:00:00",
    ]


def test_an_event_at_the_edge_of_the_window_is_out_of_it(ws):
    edge = event(SEEN).within(days=30).count() >= 1

    found = ws.explain(Audience("Seen", edge), "u2")

    assert found.holds is False
    assert said(found)[2:] == [
        "it is 0; 1 more is needed",
        "0 counted",
        "1 before the window, the last: edge at 2026-03-01 12:00:00",
    ]


ORDERS = event(ORDER).within(days=30)


@pytest.mark.parametrize(
    ("condition", "until"),
    [
        (ORDERS.count() >= 1, "2026-04-30T12:00:00"),  # when the last of 31 leaves
        (ORDERS.count() > 1, "2026-04-29T12:00:00"),
        (ORDERS.count() >= 31, "2026-04-01T12:00:00"),  # when the first does
        (ORDERS.count() >= 30, "2026-04-02T12:00:00"),
        ((ORDERS.count() >= 1) & (ORDERS.count() >= 2) & (trait("plan") == "pro"), "2026-04-29T12:00:00"),
        ((ORDERS.count() >= 1) | (ORDERS.count() >= 2), "2026-04-30T12:00:00"),
    ],
)
def test_somebody_is_in_until_too_few_events_are_left_in_the_window(ws, condition, until):
    audience, at = Audience("Lately", condition), dt.datetime.fromisoformat(until + "+00:00")

    found = ws.explain(audience, "u1")

    assert found.reason.until == at
    assert f"; out at {at:%Y-%m-%d %H:%M:%S} UTC at the latest, if nothing happens" in said(found)[0]
    for instant, held in ((at - dt.timedelta(seconds=1), True), (at, False)):
        assert ("u1" in set(ws.members(audience, as_of=instant)["user_id"])) is held


def test_more_events_are_needed_where_they_would_help(ws):
    found = ws.explain(Audience("Calm", ~(ORDERS.count() >= 50) & (event(SEEN).count() >= 3)), "u1")

    assert [part.missing for part in found.reason.parts] == [0, 3]
    assert found.reason.parts[0].parts[0].missing == 0
    assert said(found)[2:5] == ["✓ not", f"✗ {ORDERS.count() >= 50}", "it is 31"]
    shown = found._repr_html_()
    assert "3 more are needed" in shown
    assert "19 more" not in shown


def test_the_card_has_colour_where_a_part_decides(ws):
    audience = Audience("Both", (event(SEEN).count() >= 1) & (trait("plan") == "pro"))

    shown = ws.explain(audience, "u1")._repr_html_()

    signs = re.findall(r'title="([^"]+)" style="[^"]*font-weight:600;([^"]+)">(.)<', shown)
    assert signs == [
        ("does not hold", f"color:{html.RED}", "✗"),
        ("does not hold", f"color:{html.RED}", "✗"),
        ("holds", html.FAINT, "✓"),
    ]
    assert "1 of 2 hold" in shown
    assert problems(shown) == []


def test_the_value_of_a_trait_is_the_largest_thing_on_its_card(ws):
    shown = ws.explain(Trait("Orders", ORDERS.count()), "u1")._repr_html_()

    assert ">u1: &#x27;Orders&#x27; is 31<" in shown
    assert "the first leaves the window at 2026-04-01 12:00" in shown


@pytest.mark.parametrize(
    "condition",
    [
        event(ORDER).count() >= 1,  # without a window
        ORDERS.count() >= 15,  # the event that makes the difference is not one of those that are shown
        ORDERS.count() >= 0,
        ORDERS.count() <= 40,
        loud,  # others come into the window
        ORDERS.where(prop("happened_at").within_last(days=9) | (prop("revenue") > 0)).count() >= 1,
        (ORDERS.count() >= 1) | (trait("plan") == "pro"),
        ~(ORDERS.count() >= 50),
        ORDERS.count() >= 50,
    ],
)
def test_until_when_is_not_said_where_it_is_not_known(ws, condition):
    found = ws.explain(Audience("Lately", condition), "u1")

    assert found.reason.until is None
    assert "at the latest" not in repr(found)


def test_every_part_has_its_own_truth(ws):
    either = (loud & (trait("email").contains("example"))) | ~(in_audience("pros"))

    found = ws.explain(Audience("Either", either), "u2")

    assert said(found)[1:] == [
        "✓ at least one of",
        "✗ all of",
        f"✗ {loud}",
        "it is 0; 2 more are needed",
        "0 counted",
        "✗ trait('email').contains('example')",
        "it is missing",
        "✓ not",
        "✗ trait('pros') = true",
        "✗ Pros: trait('plan') = 'pro'",
        "it is 'free'",
    ]


def test_both_sides_and_the_events_of_a_computed_trait_are_shown(ws):
    more = trait("spent") > event(SEEN).sum("revenue")

    found = ws.explain(Audience("More", more), "u2")

    assert said(found)[1:] == [
        f"✗ {more}",
        "trait('spent') is 0",
        f"{event(SEEN).sum('revenue')} is 30",
        "0 counted",
        "1 counted: edge at 2026-03-01 12:00:00",
    ]


def test_personal_values_are_masked_in_words_and_whole_in_data(ws):
    found = ws.explain(Audience("Known", trait("email").exists()), "u1")

    assert "jane@example.com" not in repr(found)
    assert "jane@example.com" not in found._repr_html_()
    assert "jane@example.com" in json.dumps(found.to_dict(), default=str)


def test_an_account_shows_the_users_that_satisfy_it(ws):
    company = AccountAudience("Buyers' companies", any_user(loud) & (event(ORDER).within(days=1).count() >= 1))

    found = ws.explain(company, "a1")

    assert said(found)[1:] == [
        "✓ all of",
        f"✓ ANY {loud}",
        "1 of the users satisfies it: u1",
        "1 of the users does not: u2",
        "✓ event('Order Completed').within(1 day).count() >= 1",
        "it is 1",
        "1 counted: o31 at 2026-03-31 12:00:00 by u1; the first leaves the window at 2026-04-01 12:00:00",
        "32 before the window, the last: o30 at 2026-03-30 12:00:00 by u1",
    ]


def test_a_user_shows_the_accounts_that_satisfy_it(ws):
    found = ws.explain(Audience("Of companies", pk.account_trait("kind") == "company"), "u2")

    assert said(found)[1:] == [
        "✓ account_trait('kind') = 'company'",
        "1 of the accounts satisfies it: a1",
        "1 of the accounts does not: a2",
    ]


def test_a_top_says_which_place(ws):
    best = top(1, by=event(ORDER).count(), of=trait("plan").exists())

    assert "place 2" in said(ws.explain(Audience("Best", best), "u2"))
    assert "not among those that are ranked" in said(ws.explain(Audience("Best", best), "u3"))


def test_a_trait_says_what_its_value_is_made_of(ws):
    found = ws.explain("spent", "u2", as_of=dt.date(2026, 3, 1))

    assert found.holds is None
    assert said(found) == [
        "u2: 'Spent'; as of 2026-03-01 00:00 UTC", f"· {event(ORDER).sum('revenue')}", "it is 0", "0 counted",
    ]  # fmt: skip


def test_the_card_says_the_same_and_nothing_a_person_wrote_is_markup(ws):
    html = ws.explain(Audience("<i>Loud</i>", loud | in_audience("pros")), "<b>u4</b>")._repr_html_()

    assert not problems(html)
    assert "<b>u4</b>" not in html
    assert "&lt;b&gt;u4&lt;/b&gt; is not in &#x27;&lt;i&gt;Loud&lt;/i&gt;&#x27;" in html
    for words in ("at least one of", "0 counted", "it is <b>missing</b>", "<b>Pros</b>"):
        assert words in html


def test_whom_it_is_not_about(ws):
    with pytest.raises(UnknownName):
        ws.explain("pros", "nobody")
    with pytest.raises(DefinitionError, match=r"a1 is an account, and this is about users") as refused:
        ws.explain("pros", "a1")
    assert "one of its users: u1, u2" in str(refused.value)
    with pytest.raises(DefinitionError, match="one of its accounts: a1, a2"):
        ws.explain(AccountAudience("Any", any_user(trait("plan").exists())), "u2")
