"""Several definitions at once, past and coming sizes, overlaps, and SQL of one's own, over the demo's company."""

import datetime as dt
import json

import pytest

from personas_kit import (
    AccountAudience,
    Audience,
    SqlAudience,
    SqlTrait,
    Trait,
    any_user,
    event,
    from_dict,
    holdout,
    in_audience,
    split,
    top,
    trait,
    users,
)
from personas_kit.company import open_demo
from personas_kit.company.generate import DEMO_AS_OF
from personas_kit.errors import DefinitionError, PersonasError

ORDER = "Order Completed"
buyers = Audience("Buyers 30", event(ORDER).within(days=30).count() >= 1)
again = Audience("Again", event(ORDER).then(event(ORDER).within(days=7)).count() >= 1)
lively = AccountAudience("Lively", users().where(event("Signed In").within(days=7).count() >= 1).count() >= 2)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    opened = open_demo(tmp_path_factory.mktemp("demo"))
    yield opened
    opened.close()


def test_several_definitions_say_what_each_says_alone(workspace):
    asked = [*workspace.definitions.values(), buyers, again, lively]

    together = workspace.members(asked, as_of=DEMO_AS_OF)

    for each in asked:
        alone = workspace.members(each, as_of=DEMO_AS_OF)
        assert sorted(map(repr, together[each.key].rows())) == sorted(map(repr, alone.rows()))
        assert alone.height


def test_several_definitions_read_each_table_once(workspace):
    own = [each for each in workspace.definitions.values() if not isinstance(each, SqlAudience)]
    asked = [*own, buyers, again, lively]
    registry = {each.key: each for each in asked}
    from personas_kit.compiler import compile_several

    several = compile_several(asked, workspace.source, registry, expand=True)
    statement, params = several.query.bound("duckdb", DEMO_AS_OF)
    with workspace.warehouse.reading() as handle:
        ((_, plan),) = handle.execute(f"EXPLAIN (FORMAT json) {statement}", params).fetchall()

    def scans(node):
        own = [node["extra_info"]["Table"]] if "Table" in node.get("extra_info", {}) else []
        return own + [table for child in node["children"] for table in scans(child)]

    found = [table.rsplit(".", 1)[-1] for root in json.loads(plan) for table in scans(root)]
    assert sorted(found) == sorted(set(found))
    assert {"users", "accounts", "memberships", "events"} <= set(found)


def test_previews_of_several_are_those_of_each(workspace):
    cards = workspace.preview([buyers, lively], as_of=DEMO_AS_OF)

    assert [card.definition.key for card in cards] == ["buyers_30", "lively"]
    assert cards["buyers_30"].size == workspace.preview(buyers, as_of=DEMO_AS_OF).size
    assert cards["lively"].users == workspace.preview(lively, as_of=DEMO_AS_OF).users
    lines = [line.partition(":")[0] for line in repr(cards).splitlines()]
    assert lines == ["buyers_30", "lively", "shared"]  # those who are in both


def test_a_backtest_says_what_was_true_then(workspace):
    found = workspace.backtest(buyers, DEMO_AS_OF - dt.timedelta(days=5), DEMO_AS_OF, every="1d").to_polars()

    assert found.height == 6
    before = None
    for at, size, entered, left in found.rows():
        now = set(workspace.members(buyers, as_of=at)["user_id"])
        assert size == len(now)
        if before is not None:
            assert (entered, left) == (len(now - before), len(before - now))
        before = now


def test_a_forecast_is_what_the_windows_alone_will_do(workspace):
    found = workspace.forecast_exits(buyers, 30, as_of=DEMO_AS_OF)

    assert found.size == found.members.height  # whoever buys nothing for 30 days is out
    assert sum(found.by_day()["members"]) == found.size
    assert "leave within 30 days" in repr(found)


def test_an_overlap_counts_every_combination(workspace):
    found = workspace.overlap([buyers, again], as_of=DEMO_AS_OF)

    one, other = (set(workspace.members(each, as_of=DEMO_AS_OF)["user_id"]) for each in (buyers, again))
    counts = {(line[0], line[1]): line[2] for line in found.to_polars().rows()}
    assert counts == {
        key: size
        for key, size in {
            (True, True): len(one & other), (True, False): len(one - other), (False, True): len(other - one),
        }.items()
        if size
    }  # fmt: skip
    assert (found.in_any, found.in_all, found.both("again")) == (len(one | other), len(one & other), len(other))
    assert found.pairs().rows() == [
        ("buyers_30", "again", len(one & other), len(one & other) / len(one)),
        ("again", "buyers_30", len(one & other), len(one & other) / len(other)),
    ]
    assert repr(found).startswith(f"buyers_30 {len(one):,}, again {len(other):,}: {len(one | other):,} in at least one")


def test_an_overlap_of_nobody_is_0(workspace):
    nobody = [Audience(name, trait("country") == name) for name in ("No", "Nor")]

    found = workspace.overlap(nobody, as_of=DEMO_AS_OF)

    assert (found.in_any, found.in_all, found.to_polars().height) == (0, 0, 0)
    assert found.pairs()["share"].to_list() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ([buyers], "two audiences or more"),
        ([buyers, lively], "all of users or all of accounts"),
        ([buyers, Trait("T", event(ORDER).count())], "of audiences"),
        ([buyers, Audience("Other", again.where, key="buyers_30")], "'buyers_30' is one already"),
        ([buyers, Audience("Members", again.where)], "'members' is one already"),
    ],
)
def test_an_overlap_that_cannot_be_is_refused(workspace, asked, says):
    with pytest.raises(DefinitionError, match=says):
        workspace.overlap(asked, as_of=DEMO_AS_OF)


def test_a_comparison_says_what_differs_and_who_changes_sides(workspace):
    new = Audience("Buyers 30", buyers.where & (event("Signed In").within(days=7).count() >= 1))

    found = workspace.compare(buyers, new, as_of=DEMO_AS_OF)

    before, after = (set(workspace.members(each, as_of=DEMO_AS_OF)["user_id"]) for each in (buyers, new))
    assert (found.count("enter"), found.count("exit"), found.both) == (0, len(before - after), len(before & after))
    assert (found.dropped, found.added) == ((), ("event('Signed In').within(7 days).count() >= 1",))
    assert repr(found).splitlines()[1] == "+ event('Signed In').within(7 days).count() >= 1"
    with pytest.raises(DefinitionError, match="two of accounts"):
        workspace.compare(buyers, lively, as_of=DEMO_AS_OF)


def test_sql_of_ones_own_is_an_audience_like_any_other(workspace):
    listed = SqlAudience("Listed", "SELECT user_id FROM users WHERE created_at <= :as_of")
    workspace.add(listed)
    bought = Audience("Listed buyers", in_audience("listed") & (event(ORDER).within(days=30).count() >= 1))

    found = workspace.members(bought, as_of=DEMO_AS_OF)["user_id"]

    assert set(found) == set(workspace.members(buyers, as_of=DEMO_AS_OF)["user_id"])
    value = SqlTrait("Letters", "SELECT user_id, LENGTH(user_id) AS value FROM users")
    assert workspace.members(value, as_of=DEMO_AS_OF)["value"].min() > 0


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELECT user_id FROM users UNION ALL SELECT user_id FROM users", "more than once"),
        ("SELECT CASE WHEN LENGTH(user_id) > 99 THEN user_id END AS user_id FROM users", "without a user_id"),
        ("DELETE FROM users", "a SELECT is expected"),
        ("SELECT user_id FROM users; DROP TABLE users", "2 statements"),
        ("SELECT user_id FROM userz", "did you mean 'users'"),
        ("SELECT * FROM users", "not named"),
        ("SELECT id FROM users", "no column user_id"),
        ("SELECT user_id FROM 'secrets.csv'", "no table"),
        ("SELECT user_id FROM read_csv('secrets.csv')", "tables of the warehouse only"),
        ("SELECT getenv('HOME') AS user_id FROM users", "not one that is known"),
        ("SELECT user_id FROM users WHERE created_at < CURRENT_TIMESTAMP", ":as_of"),
        ("SELECT user_id FROM users WHERE user_id = :who", "nothing is known of the parameter"),
        ("SELEC user_id FROM", "line 1, character"),
    ],
)
def test_sql_that_may_not_run_is_refused(workspace, sql, says):
    with pytest.raises(PersonasError) as refused:
        workspace.members(SqlAudience("Mine", sql), as_of=DEMO_AS_OF)

    assert says in str(refused.value)


def test_arms_divide_everybody_and_a_top_is_never_too_long(workspace):
    everybody = event(ORDER).count() >= 0
    arms = [split("spring", arm) for arm in ((0, 50), (50, 100))]
    one, other = (set(workspace.members(Audience("Arm", arm), as_of=DEMO_AS_OF)["user_id"]) for arm in arms)
    everyone = set(workspace.members(Audience("All", everybody), as_of=DEMO_AS_OF)["user_id"])

    assert one | other == everyone
    assert not one & other
    assert abs(len(one) - len(other)) < len(everyone) / 10
    best = top(10, by=event(ORDER).sum("revenue"), of=event(ORDER).count() >= 1)
    assert workspace.members(Audience("Best", best), as_of=DEMO_AS_OF).height == 10
    held = Audience("Held", holdout("spring", 10, by="account"))
    kept = AccountAudience("Kept", ~holdout("spring", 10))
    reached = set(workspace.members(kept, as_of=DEMO_AS_OF, expand="users")["user_id"])
    assert reached
    assert workspace.members(held, as_of=DEMO_AS_OF).height


def test_whom_unless_keeps_out_is_in_no_list(workspace):
    plain = AccountAudience("Any", any_user(event(ORDER).count() >= 1))
    suppressed = AccountAudience("Any", plain.where, unless_user=event(ORDER).within(days=30).count() >= 1)

    before = set(workspace.members(plain, as_of=DEMO_AS_OF, expand="users")["user_id"])
    after = set(workspace.members(suppressed, as_of=DEMO_AS_OF, expand="users")["user_id"])

    assert after == before - set(workspace.members(buyers, as_of=DEMO_AS_OF)["user_id"])
    assert before - after
    assert workspace.preview(suppressed, as_of=DEMO_AS_OF).users == len(after)
    assert workspace.preview([suppressed, buyers], as_of=DEMO_AS_OF)[0].users == len(after)
    assert suppressed.fingerprint != plain.fingerprint


def test_a_definition_is_kept_as_data_and_read_back():
    for each in (
        buyers,
        again,
        lively,
        SqlAudience("S", "SELECT user_id FROM users"),
        Trait("T", event("A").last("x")),
    ):
        kept = json.loads(json.dumps(each.to_dict()))

        assert repr(from_dict(kept)) == repr(each)
        assert from_dict(kept).fingerprint == each.fingerprint
        assert each.english().endswith(".")
    with pytest.raises(DefinitionError, match="version"):
        from_dict({})
