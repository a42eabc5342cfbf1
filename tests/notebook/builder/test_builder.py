"""The builder's side in the kernel, driven by the messages that a browser sends, over the demo's warehouse."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import duckdb
import polars as pl
import pytest

import personas_kit as pk
from personas_kit import event, prop, trait
from personas_kit.company import open_demo
from personas_kit.config import load
from personas_kit.definitions import Audience, Definition
from personas_kit.errors import DefinitionError
from personas_kit.notebook.builder.counting import WHOLE, Counter
from personas_kit.warehouses.base import Estimate
from personas_kit.warehouses.duckdb import DuckDB
from personas_kit.workspace import Workspace
from tests.notebooks.sanitizer import problems

BUYERS = "order_completed_last_30days"
EVERYONE = 7_955


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    opened = open_demo(tmp_path_factory.mktemp("demo"))
    yield opened
    opened.close()


@pytest.fixture
def build(demo: Workspace) -> Iterator[Callable[..., Any]]:
    """Opens builders that are on a page, and closes them."""
    made: list[Any] = []

    def build(definition: Definition | str | None = None, *, subject: Any = "user") -> Any:
        builder = demo.builder(definition, subject=subject)
        do(builder, "look")
        made.append(builder)
        return builder

    yield build
    for each in made:
        each.close()


def do(builder: Any, name: str, /, **rest: object) -> None:
    """What a browser sends; it comes as JSON, and all is answered afterwards."""
    builder._heard(None, json.loads(json.dumps({"do": name, **rest})), None)
    builder.wait()


def add(builder: Any, kind: str, group: str | None = None, place: str = "user") -> str:
    """A new rule, and its id."""
    do(builder, "insert", group=group or builder.shown["draft"]["where"]["id"], kind=kind, place=place)
    return str(builder.shown["focus"]["id"])


def rule(builder: Any, at: int = 0) -> dict[str, Any]:
    """One of the outermost rules."""
    found: dict[str, Any] = builder.shown["draft"]["where"]["parts"][at]
    return found


# ------------------------------------------------------------------------------------------------------- what it means


def test_from_empty_to_an_audience_in_the_workspace(build: Callable[..., Any], demo: Workspace) -> None:
    builder = build()

    do(builder, "put", id="", path=["name"], value="Three orders")
    buys = add(builder, "event")
    do(builder, "put", id=buys, path=["event"], value="Order Completed")
    do(builder, "say", id=buys, at=0, value={"type": "number", "text": "3"})
    where = rule(builder)["where"]["id"]
    of_reports = add(builder, "property", where, "event")
    do(builder, "put", id=of_reports, path=["property"], value="product")
    do(builder, "say", id=of_reports, at=0, value={"type": "string", "text": "reports"})
    do(builder, "keep")

    meant = event("Order Completed").where(prop("product") == "reports").within(days=30).count() >= 3
    assert builder.text == str(meant)
    assert str(demo.definitions["three_orders"].expression) == str(meant)
    assert builder.shown["added"]["key"] == "three_orders"
    assert builder.shown["count"]["sizes"][""] == demo.members("three_orders").height
    assert "three_orders" in {one["name"] for one in builder.shown["offers"]["audiences"]}
    demo.remove("three_orders")


def test_the_python_text_makes_an_equal_audience(build: Callable[..., Any]) -> None:
    builder = build("active_accounts")

    made: dict[str, Any] = {}
    exec(builder.python, made)  # noqa: S102 - that is what it is for

    assert made["active_accounts"].to_dict() == builder.definition.to_dict()
    assert builder.shown["python"] == builder.python


@pytest.mark.parametrize("key", [BUYERS, "active_accounts"])
def test_what_is_opened_and_not_changed_is_the_very_same(build: Callable[..., Any], demo: Workspace, key: str) -> None:
    builder = build(key)
    assert builder.definition is demo.definitions[key]

    do(builder, "twice", id=rule(builder)["id"])
    assert builder.definition is not demo.definitions[key]
    do(builder, "undo")
    assert builder.definition is demo.definitions[key]


def test_what_is_missing_is_said_in_words(build: Callable[..., Any]) -> None:
    builder = build()
    add(builder, "trait")

    with pytest.raises(DefinitionError, match="not complete yet") as raised:
        builder.definition  # noqa: B018 - it raises
    assert "choose a trait" in raised.value.hint
    assert "give the audience a name" in raised.value.hint
    do(builder, "keep")
    assert "not complete yet" in builder.shown["problem"]["what"]


def test_a_trait_and_sql_cannot_be_clicked(demo: Workspace) -> None:
    with pytest.raises(DefinitionError, match="audiences can be opened"):
        demo.builder("revenue_90d")
    with pytest.raises(DefinitionError, match="audiences can be opened"):
        demo.builder(pk.SqlAudience("By hand", "SELECT user_id FROM users"))
    with pytest.raises(DefinitionError, match="of users or of accounts"):
        demo.builder(subject="people")  # type: ignore[arg-type]


def test_a_key_that_is_taken_is_said_before_it_is_replaced(build: Callable[..., Any], demo: Workspace) -> None:
    builder = build()

    do(builder, "put", id="", path=["name"], value="Order Completed last 30days")
    assert builder.shown["replaces"] == demo.definitions[BUYERS].name
    assert build(BUYERS).shown["replaces"] == ""

    do(builder, "put", id="", path=["key"], value="revenue_90d")
    add(builder, "text")
    do(builder, "put", id=rule(builder)["id"], path=["text"], value="trait('country') = 'DE'")
    do(builder, "keep")
    assert "belongs to the trait" in builder.shown["problem"]["what"]


# ------------------------------------------------------------------------------------------------------------- counts


def test_counts_are_those_of_members(build: Callable[..., Any], demo: Workspace) -> None:
    a, b = event("Order Completed").within(days=30).count() >= 2, trait("country").one_of("DE", "US")
    c, out = trait("role") == "admin", trait("marketing_consent") == False  # noqa: E712 - a comparison
    builder = build(Audience("Several", a & (b | c), unless=out))

    count, draft = builder.shown["count"], builder.shown["draft"]
    either = rule(builder, 1)
    sizes = {
        "": (a & (b | c)) & ~out,
        rule(builder)["id"]: a,
        either["id"]: b | c,
        either["parts"][0]["id"]: b,
        either["parts"][1]["id"]: c,
        draft["where"]["id"]: a & (b | c),
        draft["unless"]["id"]: out,
    }
    for id_, condition in sizes.items():
        assert count["sizes"][id_] == demo.members(Audience("One", condition)).height, str(condition)
    assert count["users"] == EVERYONE


def test_accounts_are_counted_as_accounts(build: Callable[..., Any], demo: Workspace) -> None:
    builder = build("active_accounts")

    assert builder.shown["count"]["sizes"][""] == demo.members("active_accounts").height
    assert builder.shown["count"]["accounts"] == 900


def test_a_rule_in_the_making_takes_no_other_s_count_away(build: Callable[..., Any], demo: Workspace) -> None:
    builder = build(BUYERS)

    add(builder, "trait")

    sizes = builder.shown["count"]["sizes"]
    assert sizes[rule(builder)["id"]] == demo.members(BUYERS).height
    assert "" not in sizes
    assert [one["what"] for one in builder.shown["missing"]] == ["choose a trait", "type a value"]


def test_with_no_rule_it_says_how_many_there_are(build: Callable[..., Any]) -> None:
    for subject, many in (("user", EVERYONE), ("account", 900)):
        count = build(subject=subject).shown["count"]
        assert (count["state"], count["sizes"], count[f"{subject}s"]) == ("done", {}, many)


def test_what_the_warehouse_does_not_know_stands_at_its_rule(build: Callable[..., Any]) -> None:
    good, wrong = event("Order Completed").count() >= 1, event("Order Complete").count() >= 1
    builder = build(Audience("Typo", good & wrong))

    count = builder.shown["count"]
    assert set(count["refused"]) == {rule(builder, 1)["id"], builder.shown["draft"]["where"]["id"], ""}
    assert "Order Completed" in count["refused"][rule(builder, 1)["id"]]["hint"]
    assert count["sizes"][rule(builder)["id"]] > 0


def test_typing_on_without_a_change_in_meaning_asks_nothing(build: Callable[..., Any]) -> None:
    builder = build(BUYERS)
    before = builder._counter._turn

    do(builder, "put", id="", path=["name"], value="Another name")

    assert builder._counter._turn is before


# ----------------------------------------------------------------------------------------- counts that nobody waits for


SHOP = """
[warehouse]
type = "duckdb"
path = "of no effect: the connection is lent"

[source]
users = { table = "users", id = "user_id" }
events = { tables = { Seldom = "seldom", Endless = "endless" }, at = "at", user = "user_id" }
"""
SELDOM, ENDLESS = (Audience(name, event(name).count() >= 1) for name in ("Seldom", "Endless"))


class Shop(DuckDB):
    """A thousand users, one event, and another one without end, whose queries say when they begin and are ended.

    Attributes:
        reads: how many bytes it says that a statement reads; None where nobody pays.
    """

    def __init__(self) -> None:
        self.handle = duckdb.connect()
        self.handle.execute("CREATE TABLE users AS SELECT range AS user_id, 'DE' AS country FROM range(1000)")
        self.handle.execute("CREATE TABLE seldom AS SELECT 1 AS user_id, TIMESTAMP '2026-01-01' AS at")
        self.handle.execute(
            "CREATE VIEW endless AS SELECT a.range % 1000 AS user_id, TIMESTAMP '2026-01-01' AS at "
            "FROM range(10000000) a, range(10000000) b"
        )
        super().__init__(connection=self.handle)
        self.began, self.ended = threading.Semaphore(0), threading.Semaphore(0)
        self.asked: list[str] = []
        self.reads: int | None = None

    def query(self, statement: str, params: Any, *, tag: str = "") -> pl.DataFrame:
        self.asked.append(statement)
        if "endless" not in statement.lower():
            return super().query(statement, params, tag=tag)
        self.began.release()
        try:
            return super().query(statement, params, tag=tag)
        finally:
            self.ended.release()

    def estimate(self, statement: str, params: Any) -> Estimate | None:
        return None if self.reads is None else Estimate(self.reads)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "personas.toml").write_text(SHOP, encoding="utf-8")
    warehouse = Shop()
    workspace = Workspace(load(tmp_path / "personas.toml"), warehouse)
    yield workspace
    warehouse.handle.close()


def test_a_count_that_is_superseded_is_ended_in_the_warehouse_and_never_shown(shop: Workspace) -> None:
    warehouse, states = cast("Shop", shop.warehouse), list[dict[str, Any]]()
    counter = Counter(shop._reader, lambda state: states.append(dict(state)))

    for _ in range(2):
        counter.ask({WHOLE: ENDLESS}, "user", pause=0)
        assert warehouse.began.acquire(timeout=60)
    assert warehouse.ended.acquire(timeout=60)
    counter.ask({WHOLE: SELDOM}, "user", pause=0)
    assert warehouse.ended.acquire(timeout=60)
    counter.wait()

    assert [state["sizes"] for state in states if state["state"] == "done"] == [{WHOLE: 1}]
    assert states[-1]["state"] == "done"
    assert not [state for state in states if state["state"] == "failed"]


def test_while_a_person_types_nothing_is_asked(shop: Workspace) -> None:
    warehouse, states = cast("Shop", shop.warehouse), list[dict[str, Any]]()
    counter = Counter(shop._reader, lambda state: states.append(dict(state)))
    assert shop.source is not None
    before = len(warehouse.asked)

    for _ in range(20):
        counter.ask({WHOLE: SELDOM}, "user", pause=0.2)
    counter.wait()

    assert len(warehouse.asked) == before + 1
    assert [state["state"] for state in states if state["state"] != "waiting"] == ["counting", "done"]


def test_a_builder_that_is_closed_ends_what_it_asked(shop: Workspace) -> None:
    warehouse = cast("Shop", shop.warehouse)
    builder = shop.builder(ENDLESS)

    builder._heard(None, {"do": "look"}, None)  # counts, and looks up how often each event happens
    for _ in range(2):
        assert warehouse.began.acquire(timeout=60)
    builder.close()

    for _ in range(2):
        assert warehouse.ended.acquire(timeout=60)
    builder.wait()
    assert builder.shown["count"]["state"] != "done"


def test_equal_rules_are_counted_once_and_in_one_statement(shop: Workspace) -> None:
    warehouse, states = cast("Shop", shop.warehouse), list[dict[str, Any]]()
    counter = Counter(shop._reader, lambda state: states.append(dict(state)))
    assert shop.source is not None
    before = len(warehouse.asked)

    counter.ask({"a": SELDOM, "b": SELDOM, WHOLE: Audience("Both", SELDOM.where & SELDOM.where)}, "user", pause=0)
    counter.wait()

    assert states[-1]["sizes"] == {"a": 1, "b": 1, WHOLE: 1}
    assert len(warehouse.asked) == before + 1
    assert warehouse.asked[-1].count("seldom") <= 3


# ------------------------------------------------------------------------------------------------------ what costs much


def test_what_reads_much_is_counted_once_a_person_says_so(shop: Workspace) -> None:
    warehouse = cast("Shop", shop.warehouse)
    builder = shop.builder(SELDOM)
    warehouse.reads = 12_000_000_000

    do(builder, "look")
    assert builder.shown["count"] == {"state": "asks", "reads": "reads up to 12.0 GB", "refused": {}}
    assert "12.0 GB" in builder.shown["offers"]["problems"]["events"]["what"]
    assert warehouse.asked == []

    do(builder, "count")
    assert builder.shown["count"]["sizes"][WHOLE] == 1
    assert builder.shown["count"]["reads"] == "reads up to 12.0 GB"
    do(builder, "anyway", name="traits")
    assert [one["name"] for one in builder.shown["offers"]["traits"]] == ["country"]
    builder.close()


def test_what_reads_little_is_counted_and_says_how_much(shop: Workspace) -> None:
    cast("Shop", shop.warehouse).reads = 3_000_000
    builder = shop.builder(SELDOM)

    do_without_offers(builder)

    assert builder.shown["count"]["reads"] == "reads up to 3.0 MB"
    assert builder.shown["count"]["sizes"][WHOLE] == 1
    builder.close()


def test_what_the_warehouse_refuses_is_shown_in_words(shop: Workspace) -> None:
    builder = shop.builder(SELDOM)
    assert shop.source is not None
    cast("Shop", shop.warehouse).handle.execute("DROP TABLE seldom")

    do_without_offers(builder)

    assert builder.shown["count"]["state"] == "failed"
    assert "DuckDB refused the query" in builder.shown["count"]["problem"]["what"]
    assert "personas check" in builder.shown["count"]["problem"]["hint"]
    builder.close()


def do_without_offers(builder: Any) -> None:
    """On a page, with nothing looked up: the events of this shop have no end."""
    builder._looked = True
    builder._count()
    builder._counter.wait()


# ---------------------------------------------------------------------------------------------- what a browser may send


@pytest.mark.parametrize(
    "said",
    [
        {"do": "put", "id": "gone", "path": ["event"], "value": "x"},
        {"do": "put", "id": "", "path": ["where", "parts"], "value": "x"},
        {"do": "put", "id": "", "path": [], "value": "x"},
        {"do": "put", "id": "r2", "path": ["id"], "value": "x"},
        {"do": "say", "id": "r2", "at": 7, "value": {"type": "number", "text": "1"}},
        {"do": "insert", "group": "r1", "kind": "nothing", "place": "user"},
        {"do": "insert", "group": "r2", "kind": "event", "place": "user"},
        {"do": "insert", "group": "r1", "kind": "event", "place": "nowhere"},
        {"do": "remove", "id": "r1"},
        {"do": "remove", "id": "gone"},
        {"do": "twice", "id": "gone"},
        {"do": "move", "id": "r2", "by": 1},
        {"do": "move", "id": "r1", "by": 1},
        {"do": "group", "id": "gone"},
        {"do": "undo"},
        {"do": "redo"},
        {"do": "anyway", "name": "nothing"},
        {"do": "offer", "about": {"event": "No such event", "property": "x"}},
        {"do": "definition"},
        {"do": "close"},
        {"do": "_become", "draft": {}},
        {},
        "text",
        None,
    ],
)
def test_what_makes_no_sense_changes_nothing(build: Callable[..., Any], said: object) -> None:
    builder = build(BUYERS)
    before = builder.shown["draft"]

    builder._heard(None, said, None)
    builder.wait()

    assert builder.shown["draft"] == before
    assert builder.definition.key == BUYERS


def test_a_rule_moves_within_its_group_and_out_of_it(build: Callable[..., Any]) -> None:
    a, b, c = (trait("role") == name for name in "abc")
    builder = build(Audience("A", a & (b | c)))
    inner = rule(builder, 1)["parts"][1]["id"]

    do(builder, "move", id=inner, by=1)
    assert builder.text == "trait('role') = 'a' AND trait('role') = 'b' AND trait('role') = 'c'"
    do(builder, "undo")
    do(builder, "move", id=inner, by=-1)
    assert builder.text == "trait('role') = 'a' AND (trait('role') = 'c' OR trait('role') = 'b')"


def test_what_is_chosen_decides_how_it_is_compared(build: Callable[..., Any]) -> None:
    builder = build(Audience("A", trait("role") == "admin"))
    id_ = rule(builder)["id"]

    do(builder, "put", id=id_, path=["trait"], value="created_at")
    assert builder.text == "trait('created_at').within_last(30 days)"
    do(builder, "put", id=id_, path=["trait"], value="marketing_consent")
    assert builder.text == "trait('marketing_consent') = true"
    do(builder, "put", id=id_, path=["trait"], value="country")
    do(builder, "put", id=id_, path=["op"], value="one_of")
    for at, country in enumerate(("DE", "FR")):
        do(builder, "say", id=id_, at=at, value={"type": "string", "text": country})
    assert builder.text == "trait('country').one_of('DE', 'FR')"
    do(builder, "put", id=id_, path=["trait"], value="revenue_90d")
    do(builder, "put", id=id_, path=["op"], value=">=")
    do(builder, "say", id=id_, at=0, value={"type": "number", "text": "50"})
    assert builder.text == "trait('revenue_90d') >= 50"


def test_typing_is_one_step_back(build: Callable[..., Any]) -> None:
    builder = build(BUYERS)
    for name in ("B", "Bu", "Buy"):
        do(builder, "put", id="", path=["name"], value=name)

    do(builder, "undo")
    assert builder.shown["draft"]["name"] == "Order Completed last 30days"
    do(builder, "redo")
    assert builder.shown["draft"]["name"] == "Buy"


# -------------------------------------------------------------------------------------------------- beside the browser


def test_the_preview_stands_in_the_builder(build: Callable[..., Any], demo: Workspace) -> None:
    builder = build(BUYERS)

    do(builder, "preview")

    assert builder.shown["preview"]["state"] == "done"
    assert f"{demo.members(BUYERS).height:,}" in builder.shown["preview"]["html"]
    assert problems(builder.shown["preview"]["html"]) == []
    do(builder, "hide")
    assert builder.shown["preview"] is None


def test_a_plan_and_the_bar_that_pushes_it_stand_in_the_builder(build: Callable[..., Any], demo: Workspace) -> None:
    builder = build(BUYERS)
    do(builder, "keep")

    do(builder, "plan", key=BUYERS, to="analytics")

    (bar,) = builder._bars
    assert builder.shown["plan"] == {"state": "done", "model": bar.model_id, "key": BUYERS, "to": "analytics"}
    assert bar.pushing.plan.key == BUYERS
    do(builder, "plan", key=BUYERS, to="nowhere")
    assert "nowhere" in builder.shown["plan"]["problem"]["what"]


def test_a_saved_notebook_has_a_card_that_says_what_it_was(build: Callable[..., Any]) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    for definition in (None, BUYERS, Audience(hostile, trait("country") == hostile, key="hostile")):
        bundle = build(definition)._repr_mimebundle_()

        assert problems(bundle["text/html"]) == []
        assert "\n" not in bundle["text/plain"]
        assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "onerror=alert(1)&gt;" in bundle["text/html"]


def test_what_a_notebook_keeps_of_it_is_plain_and_small_and_has_no_personal_value(build: Callable[..., Any]) -> None:
    builder = build(BUYERS)
    personal = ("email", "phone", "first_name")
    for name in personal:
        do(builder, "offer", about={"trait": name, "of": "subject"})

    kept = json.dumps(builder.shown)
    assert "@" not in kept
    assert builder.shown["offers"]["values"] == {
        f"subject trait {name}": [] for name in ("email", "phone", "first_name")
    }
    assert len(kept) < 40_000
