"""What is asked of a workspace in a way that means nothing there, and of a source that is not the usual one."""

import datetime as dt

import duckdb
import pytest

import personas_kit as pk
from personas_kit import AccountAudience, AccountTrait, Audience, event, trait, users
from personas_kit.errors import DefinitionError, DestinationError, UnknownName

CONFIG = """
[warehouse]
path = "warehouse.duckdb"
[source]
users = { table = "users", id = "user_id" }
accounts = { table = "accounts", id = "account_id" }
memberships = { table = "memberships", user = "user_id", account = "account_id" }
events = { table = "events", user = "user_id", at = "happened_at", name = "event" }
[destinations.hub]
type = "segment"
write_key = { env = "NOT_READ" }
[[audience]]
name = "Adults"
where = "trait('age') >= 18"
to = [{ destination = "hub" }]
"""
MANY = AccountAudience("Many", users().count() >= 1)
OFTEN = Audience("Often", event("Signed In").count() >= 2)
MAIL = AccountTrait("Mail", users().max(trait("email")))


@pytest.fixture
def ws(tmp_path):
    """Users are known by texts, accounts by numbers, and events have no ids."""
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("""
            create table users as select * from (values
                ('u1', 'ann@example.com', 30), ('u2', 'bob@example.com', 40)) as t(user_id, email, age);
            create table accounts as select * from (values (1::bigint, 'pro'), (2, 'free')) as t(account_id, plan);
            create table memberships as select * from (values
                ('u1', 1::bigint), ('u1', 2), ('u2', 2)) as t(user_id, account_id);
            create table events as select * from (values
                ('u1', timestamptz '2026-01-01 08:00:00Z', 'Signed In'),
                ('u1', timestamptz '2026-01-01 08:00:00Z', 'Signed In'),
                ('u1', timestamptz '2026-01-02 08:00:00Z', 'Signed In')) as t(user_id, happened_at, event);
        """)
    (tmp_path / "personas.toml").write_text(CONFIG, encoding="utf-8")
    opened = pk.open(tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize("as_of", [5, 2026.5, "soon", "0001-01-01T00:00:00+05:00"])
def test_what_is_no_instant_is_refused(ws, as_of):
    with pytest.raises(DefinitionError, match=r"date or an instant|outside the years"):
        ws.members(OFTEN, as_of=as_of)


@pytest.mark.parametrize(("definition", "expand"), [(MANY, "members"), (OFTEN, "users")])
def test_what_does_not_expand_is_refused_wherever_it_is_asked(ws, tmp_path, definition, expand):
    for ask in (
        lambda: ws.members(definition, expand=expand),
        lambda: ws.sql(definition, expand=expand),
        lambda: ws.export(definition, tmp_path / "members.csv", expand=expand),
    ):
        with pytest.raises(DefinitionError, match="only account definitions expand"):
            ask()


def test_an_id_may_be_given_as_a_number_or_as_a_text_whatever_it_is_in_the_source(ws):
    account, same = ws.profile(2), ws.profile("2")

    assert (account.subject, account.traits["plan"], account.related) == ("account", "free", ("u1", "u2"))
    assert same.to_dict() | {"as_of": None} == account.to_dict() | {"as_of": None}
    assert ws.profile("u1").related == ("1", "2")
    assert ws.explain(MANY, "2").holds is ws.explain(MANY, 2).holds is True
    for nobody in (3, "u3", "3x"):
        with pytest.raises(UnknownName, match="no user or account"):
            ws.profile(nobody)


def test_of_many_who_belong_to_an_account_a_few_are_named(ws, tmp_path):
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("insert into users select 'w' || i, null, 1 from range(10, 50) t(i)")
        connection.execute("insert into memberships select 'w' || i, 1 from range(10, 50) t(i)")

    with pytest.raises(DefinitionError, match=r"for one of its users: u1, w10, w11, w12, w13, \.\.\.$"):
        ws.explain(OFTEN, 1)


def test_events_without_ids_are_as_many_in_an_explanation_as_in_the_audience(ws):
    reason = ws.explain(OFTEN, "u1").reason

    assert reason.values[0][1] == 3
    assert (reason.evidence[0].total, len(reason.evidence[0].shown)) == (3, 3)


def test_a_type_that_does_not_fit_is_shown_in_unless_user_too(ws):
    wrong = AccountAudience("Wrong", MANY.where, unless_user=trait("age").contains("4"))

    for ask in (lambda: ws.members(wrong, expand="users"), lambda: ws.plan(wrong, to="hub")):
        with pytest.raises(DefinitionError, match="age") as refused:
            ask()
        assert refused.value.definition == "Wrong"
        assert refused.value.where.startswith("account audience 'Wrong'")


def test_values_that_do_not_combine_so_are_refused_in_words(ws):
    with pytest.raises(DefinitionError, match="texts have no sum") as refused:
        ws.plan(MAIL, to="hub", send=["identify"], combine="sum")
    assert 'combine="list"' in refused.value.hint


@pytest.mark.parametrize("days", [0, 400, 2.5, "7", True])
def test_a_forecast_looks_whole_days_ahead(ws, days):
    with pytest.raises(DefinitionError, match="1 to 399 days"):
        ws.forecast_exits(OFTEN, days)


def test_a_forecast_knows_the_size_though_nobody_leaves(ws):
    found = ws.forecast_exits(OFTEN, 3, as_of=dt.date(2026, 2, 1))

    assert (found.size, found.members.height) == (1, 0)


@pytest.mark.parametrize("asked", [{"send": ["track"]}, {"list": "5"}, {"combine": "max"}, {"ids": {"email": "email"}}])
def test_how_something_goes_is_said_of_one_destination(ws, asked):
    with pytest.raises(DestinationError, match=f"{next(iter(asked))}: it is not said to which destination") as refused:
        ws.plan("adults", **asked)
    assert refused.value.hint == "say which: to='hub'"


def test_two_definitions_of_one_key_are_not_taken_for_each_other(ws):
    once = Audience("Often", event("Signed In").count() >= 100)

    for ask in (ws.members, ws.preview):
        with pytest.raises(DefinitionError, match="two definitions have the key 'often'") as refused:
            ask([OFTEN, once])
        assert "ws.compare" in refused.value.hint
    assert list(ws.members([OFTEN, OFTEN])) == ["often"]
