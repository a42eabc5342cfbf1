"""The explorer: what there is, looked up when somebody looks, beside the kernel's own thread; masked, and in words."""

import threading

import pytest

pytest.importorskip("anywidget")

import personas_kit as pk
from personas_kit import event, trait
from personas_kit.company import open_demo
from personas_kit.errors import WarehouseError
from personas_kit.notebook.exploring import SECTIONS, Exploration
from personas_kit.warehouses.interrupts import interruptible
from tests.notebooks.sanitizer import problems

BUYERS = "order_completed_last_30days"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    opened = open_demo(tmp_path_factory.mktemp("demo"))
    opened.plan(BUYERS, to="analytics").push()
    yield opened
    opened.close()


@pytest.fixture
def fresh(demo):
    """The demo, of which nobody has looked at anything."""
    for catalogue in (demo.events, demo.traits, demo.accounts):
        catalogue.refresh()
    return demo


@pytest.fixture
def opened(fresh, monkeypatch):
    """An explorer, as somebody sees it."""
    monkeypatch.setenv("PERSONAS_WIDGETS", "1")
    explorer = fresh.explore()
    yield explorer
    explorer.close()


@pytest.fixture
def asked(demo, monkeypatch):
    """The statements that the warehouse is asked."""
    statements, query = [], demo.warehouse.query

    def noted(statement, *rest, **named):
        statements.append(statement)
        return query(statement, *rest, **named)

    monkeypatch.setattr(demo.warehouse, "query", noted)
    return statements


def hear(explorer, do, **said):
    """A message of the browser, and what it leads to."""
    explorer._heard(None, {"do": do, **said}, None)
    explorer.wait()
    return explorer.shown


def section(shown, name):
    return next(each for each in shown["sections"] if each["id"] == name)


def names(shown, name):
    return [entry["name"] for entry in section(shown, name)["entries"]]


# ------------------------------------------------------------------------------------------------------------- looking


def test_nothing_is_asked_before_a_section_is_open(opened, asked):
    assert asked == []
    assert [each["label"] for each in opened.shown["sections"]] == [*SECTIONS.values()]
    assert [each["known"] for each in opened.shown["sections"]] == [False, False, False, True, False]
    assert names(opened.shown, "definitions") == [BUYERS, "active_accounts", "revenue_90d", "active_seats_30d"]


def test_an_open_section_has_its_names_with_counts(opened, asked):
    shown = hear(opened, "look", section="events")

    first, *_ = section(shown, "events")["entries"]
    assert first == {"name": "Page Viewed", "label": "Page Viewed", "bar": 1, "right": "103,785", "also": []}
    assert section(shown, "events")["total"] == 9
    assert len(asked) == 1
    hear(opened, "look", section="events")
    assert len(asked) == 1


def test_an_event_has_its_days_and_its_properties(opened):
    hear(opened, "look", section="events")

    detail = hear(opened, "choose", section="events", name="Order Completed")["detail"]

    assert (detail["kind"], detail["facts"][0]) == ("event", ["lines", "14,292"])
    assert ["product", "text", 2114, 1.0] in detail["properties"]
    assert sum(lines for _, lines in detail["trend"]) == 2114
    assert detail["snippet"] == 'event("Order Completed").within(days=30).count() >= 1'
    assert "revenue" in section(opened.shown, "events")["entries"][3]["also"]


@pytest.mark.parametrize(
    ("name", "first", "condition"),
    [
        ("product", ["reports", 477, pytest.approx(0.2256, abs=1e-4)], 'prop("product") == "reports"'),
        ("quantity", ["1", 946, pytest.approx(0.4475, abs=1e-4)], 'prop("quantity") > 2'),
        ("timestamp", None, 'prop("timestamp").within_last(days=30)'),
        ("message_id", None, 'prop("message_id") == "m_0091193"'),
    ],
)
def test_a_property_has_its_values_and_a_condition_to_begin_with(opened, name, first, condition):
    hear(opened, "look", section="events")

    detail = hear(opened, "choose", section="events", name="Order Completed", of=name)["detail"]

    assert detail["chosen"] == name
    assert first is None or detail["values"]["lines"][0] == first
    assert detail["snippet"] == f'event("Order Completed").where({condition}).within(days=30).count() >= 1'


def test_every_snippet_is_python_that_compiles(opened, demo):
    vocabulary = {"event": event, "trait": trait, "prop": pk.prop, "account_trait": pk.account_trait}
    for part in ("events", "traits", "accounts"):
        hear(opened, "look", section=part)
        for name in names(opened.shown, part):
            snippet = hear(opened, "choose", section=part, name=name)["detail"]["snippet"]
            kind = pk.AccountAudience if part == "accounts" else pk.Audience
            assert demo.sql(kind("Snippet", eval(snippet, vocabulary)))  # noqa: S307  (our own)


def test_personal_values_are_masked(opened):
    hear(opened, "look", section="traits")
    for name in ("email", "phone", "first_name", "last_name"):
        shown = hear(opened, "choose", section="traits", name=name)

        assert all("•••" in value for value, _, _ in shown["detail"]["values"]["lines"])
        assert shown["detail"]["snippet"] == f'trait("{name}").exists()'


def test_a_trait_of_users_and_one_of_accounts_may_bear_one_name(opened):
    hear(opened, "look", section="traits")
    hear(opened, "look", section="accounts")
    for part in ("traits", "accounts"):
        opened._heard(None, {"do": "choose", "section": part, "name": "country"}, None)
    opened.wait()

    assert opened.shown["detail"]["values"]["lines"][0][:2] == ["US", 356]
    detail = hear(opened, "choose", section="traits", name="country")["detail"]
    assert detail["values"]["lines"][0][:2] == ["US", 2838]


def test_a_definition_says_what_it_means_and_where_it_is_sent(opened, asked):
    detail = hear(opened, "choose", section="definitions", name=BUYERS)["detail"]

    assert asked == []
    assert ["sent to", "analytics, meta"] in detail["facts"]
    assert detail["words"].startswith("Users for whom this holds: they did 'Order Completed'")
    assert detail["text"] == "event('Order Completed').within(30 days).count() >= 1"


def test_a_sync_says_what_is_acknowledged(opened, demo):
    shown = hear(opened, "look", section="syncs")
    name = f"{BUYERS} → analytics (track)"
    assert name in names(shown, "syncs")

    detail = hear(opened, "choose", section="syncs", name=name)["detail"]

    sizes = {(line["key"], line["call"]): line["acknowledged"] for line in demo.status().to_polars().to_dicts()}
    assert ["acknowledged", f"{sizes[BUYERS, 'track']:,}"] in detail["facts"]
    assert detail["snippet"] == f'plan = ws.plan("{BUYERS}", to="analytics")'


# -------------------------------------------------------------------------------------------------------- what is wrong


@pytest.mark.parametrize(
    "message",
    [
        {"do": "choose", "section": "events", "name": "Ordr Completed"},
        {"do": "choose", "section": "nothing", "name": "x"},
        {"do": "choose", "section": "traits", "name": ""},
        {"do": "choose", "section": "syncs", "name": "x"},
        {"do": "choose", "section": "definitions", "name": "x"},
    ],
)
def test_what_is_not_there_is_told(opened, message):
    hear(opened, "look", section="events")
    opened._heard(None, message, None)

    assert opened.shown["problem"]["what"].startswith("there is no")
    assert opened.shown["detail"] is None


@pytest.mark.parametrize(
    "message",
    [None, [], {}, {"do": "close"}, {"do": "_again"}, {"do": "look", "section": "x"}, {"do": "anyway", "a": 1}],
)
def test_what_is_no_message_does_nothing(opened, asked, message):
    before = opened.shown

    opened._heard(None, message, None)
    opened.wait()

    assert opened.shown == before
    assert asked == []


def test_a_failure_is_told_in_words_and_can_be_asked_again(opened, monkeypatch, demo):
    def refused(*_, **__):
        raise WarehouseError("the warehouse is asleep", hint="wake it")

    with monkeypatch.context() as broken:
        broken.setattr(demo.warehouse, "query", refused)
        shown = hear(opened, "look", section="events")
        assert shown["problems"]["events"] == {"what": "the warehouse is asleep", "where": "", "hint": "wake it"}

    assert not section(hear(opened, "look", section="events"), "events")["known"]
    shown = hear(opened, "anyway", name="events")
    assert (shown["problems"], section(shown, "events")["total"]) == ({}, 9)


def test_what_takes_long_can_be_stopped_and_the_kernel_stays_free(opened, monkeypatch, demo):
    begun, ended = threading.Event(), threading.Event()

    def slowly(*_, **__):
        begun.set()
        return interruptible(ended.wait, ended.set, where="the warehouse")

    with monkeypatch.context() as slow:
        slow.setattr(demo.warehouse, "query", slowly)
        opened._heard(None, {"do": "look", "section": "events"}, None)
        assert begun.wait(20)
        opened._heard(None, {"do": "look", "section": "traits"}, None)
        assert set(opened.shown["asked"]) == {"events", "traits"}
        shown = hear(opened, "stop")

    assert shown["asked"] == []
    assert shown["problems"]["events"]["what"] == "stopped"


def test_names_that_hide_are_written_out(demo, monkeypatch):
    monkeypatch.setenv("PERSONAS_WIDGETS", "1")
    hostile = pk.Audience("A \u202eexe.txt <script>", trait("country") == "DE", key="hidden")
    demo.add(hostile)
    explorer = demo.explore()
    detail = hear(explorer, "choose", section="definitions", name="hidden")["detail"]
    card = explorer.card()
    demo.remove("hidden")
    explorer.close()

    assert detail["name"] == "A \\u202eexe.txt <script>"
    assert problems(card) == []
    assert "<script" not in card
    assert "\u202e" not in card


# ------------------------------------------------------------------------------------------------- nobody who can click


def test_where_nobody_can_click_it_is_a_card_with_everything(fresh, monkeypatch):
    monkeypatch.setenv("PERSONAS_WIDGETS", "0")

    bundle = fresh.explore()._repr_mimebundle_()

    assert set(bundle) == {"text/plain", "text/html"}
    line = f"what there is: 9 events, 10 traits, 8 account traits, 4 definitions, {fresh.status().frame.height} syncs"
    assert bundle["text/plain"] == line
    assert problems(bundle["text/html"]) == []
    for said in ("Page Viewed", "103,785", "marketing_consent", "employees", "Active accounts", "acknowledged"):
        assert said in bundle["text/html"]


def test_the_card_beside_the_widget_has_what_is_known_and_asks_nothing(opened, asked):
    bundle = opened._repr_mimebundle_()

    assert asked == []
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "nobody has looked yet" in bundle["text/html"]
    assert bundle["text/plain"] == "what there is: 4 definitions"
    assert problems(bundle["text/html"]) == []


def test_the_card_of_an_event_has_the_values_that_somebody_looked_at(fresh):
    order = fresh.events.order_completed
    before = order._repr_html_()
    order.values("product")

    assert "reports" not in before
    assert "reports" in order._repr_html_()
    assert problems(order._repr_html_()) == problems(order["product"].common._repr_html_()) == []


def test_a_source_without_accounts_has_none(tmp_path):
    (tmp_path / "users.csv").write_text("user_id,plan\nu1,pro\nu2,\n")
    (tmp_path / "events.csv").write_text("event,user_id,at\nPaid,u1,2026-01-01T00:00:00\n")
    (tmp_path / "personas.toml").write_text(
        """
        [warehouse]
        type = "duckdb"
        files = { users = "users.csv", events = "events.csv" }
        [source]
        users = { table = "users", id = "user_id" }
        events = { table = "events", name = "event", at = "at", user = "user_id" }
        """
    )
    with_none = Exploration(pk.open(tmp_path))

    with_none.look("accounts")

    assert (with_none.known("accounts"), with_none.entries("accounts"), with_none.total("accounts")) == (True, [], 0)
    with_none.workspace.close()
