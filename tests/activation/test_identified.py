"""Destinations that know a user by an address: the member is the address, users are who brings it in."""

import json

import duckdb
import pytest

import personas_kit as pk
from personas_kit import trait
from tests.activation.scripted import answer
from tests.workspace.test_ways import HUBSPOT, Opened

VIPS = pk.Audience("Vips", trait("vip") == True)  # noqa: E712  (the language's own word)
MONEY = pk.Trait("Money", trait("spend"))
PEOPLE = [
    ("u1", "Ann@Example.com ", ["ann@example.com", "old@example.com"], True, 5),
    ("u2", "ann@example.com", [], True, 7),
    ("u3", "bob@example.com", ["bob@example.com"], False, 1),
    ("u4", None, None, True, 2),
    ("u5", " ", ["", None], True, None),
]


def found(request):
    return answer(200, json.dumps({"name": request.url.rsplit("/", 1)[1]}).encode())


def upserted(request):
    sent = json.loads(request.content)["inputs"]
    return answer(200, json.dumps({"status": "COMPLETE", "results": [{}] * len(sent)}).encode())


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "key.txt").write_text("made-up", encoding="utf-8")
    people(tmp_path, PEOPLE)
    return tmp_path


def people(folder, rows):
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.execute(
            "create or replace table users"
            " (user_id varchar, email varchar, emails varchar[], vip boolean, spend integer)"
        )
        connection.executemany("insert into users values (?, ?, ?, ?, ?)", rows)
        connection.execute("create or replace table accounts as select 'a1' as account_id, 'pro' as plan")
        connection.execute(
            "create or replace table memberships as select user_id, 'a1' as account_id from users where user_id < 'u3'"
        )


def opened(folder):
    return Opened(folder, HUBSPOT, script=[found, upserted] * 20)


def sent(workspace):
    return {
        each["id"]: each["properties"]
        for request in workspace.network.sent
        if request.method == "POST"
        for each in json.loads(request.content)["inputs"]
    }


def test_users_with_one_address_are_one_member_and_those_without_are_skipped(folder):
    ws = opened(folder)
    plan = ws.plan(VIPS, to="crm")
    report = plan.push()

    assert sent(ws) == {"ann@example.com": {"email": "ann@example.com", "vips": "true"}}
    assert plan.syncs[0].lines["users"].to_list() == [["u1", "u2"]]
    assert sorted(plan.skipped["user_id"]) == ["u4", "u5"]
    assert (report.acknowledged, report.skipped) == (1, 2)


def test_who_changes_the_address_leaves_by_the_old_one(folder):
    opened(folder).plan(VIPS, to="crm").push()
    people(folder, [("u1", "new@example.com", None, True, 5), ("u2", "new@example.com", None, True, 7)])
    ws = opened(folder)
    ws.plan(VIPS, to="crm").push()

    assert sent(ws) == {
        "ann@example.com": {"email": "ann@example.com", "vips": "false"},
        "new@example.com": {"email": "new@example.com", "vips": "true"},
    }


def test_the_member_stays_while_one_of_its_users_does(folder):
    opened(folder).plan(VIPS, to="crm").push()
    people(folder, [(*PEOPLE[0][:3], False, 5), *PEOPLE[1:]])

    assert opened(folder).plan(VIPS, to="crm").changes.height == 0


def test_different_values_of_one_address_have_to_be_combined(folder):
    plan = opened(folder).plan(MONEY, to="crm")
    (guard,) = plan.guards
    assert (guard.name, guard.final) == ("undecided_values", True)
    assert guard.saw.startswith("2 users share an identifier, and their values differ, such as u1, u2")
    assert "ann@example.com" not in guard.saw

    ws = opened(folder)
    ws.plan(MONEY, to="crm", combine="max").push()
    assert {by: values["money"] for by, values in sent(ws).items()} == {"ann@example.com": "7", "bob@example.com": "1"}


def test_an_account_audience_becomes_the_addresses_of_its_users(folder):
    ws = opened(folder)
    plan = ws.plan(pk.AccountAudience("Pro", pk.account_trait("plan") == "pro"), to="crm", send=["identify"])
    plan.push()

    assert list(sent(ws)) == ["ann@example.com"]
    assert plan.syncs[0].lines["users"].to_list() == [["u1", "u2"]]


@pytest.mark.parametrize(
    ("take", "addresses"),
    [
        ("first", {"ann@example.com"}),
        ("last", {"old@example.com"}),
        ("all", {"ann@example.com", "old@example.com"}),
    ],
)
def test_of_several_addresses_the_first_the_last_or_all_are_meant(folder, take, addresses):
    ws = opened(folder)
    plan = ws.plan(VIPS, to="crm", ids={"email": {"column": "emails", "take": take}})
    plan.push()

    assert set(sent(ws)) == addresses
    assert sorted(plan.skipped["user_id"]) == ["u2", "u4", "u5"]


def test_an_address_that_a_user_has_no_more_is_taken_out_and_the_others_stay(folder):
    every = {"email": {"column": "emails", "take": "all"}}
    opened(folder).plan(VIPS, to="crm", ids=every).push()
    people(folder, [(*PEOPLE[0][:2], ["ann@example.com"], True, 5), *PEOPLE[1:]])
    ws = opened(folder)
    ws.plan(VIPS, to="crm", ids=every).push()

    assert sent(ws) == {"old@example.com": {"email": "old@example.com", "vips": "false"}}


@pytest.mark.parametrize(
    ("ids", "says"),
    [
        ({"email": "emails"}, 'take = "last"'),
        ({"email": {"column": "emails", "take": "some"}}, "with first, last or all"),
        ({"email": {"colum": "emails"}}, "an identifier is a column of users"),
        ({"email": "value"}, "no identifier can be read from a column called 'value'"),
        ({"email": {"column": "value", "take": "last"}}, "give the column another name"),
        ({"phone": "email"}, "crm needs to know which column is which identifier"),
    ],
)
def test_what_is_said_wrongly_about_identifiers_says_how(folder, ids, says):
    with pytest.raises(pk.PersonasError) as refused:
        opened(folder).plan(VIPS, to="crm", ids=ids)
    assert says in str(refused.value)


def test_the_file_says_it_likewise(folder):
    sync = (
        '[[audience]]\nname = "Vips"\nwhere = "trait(\'vip\') = true"\n'
        'to = [{ destination = "crm", ids = { email = { column = "emails", take = "last" } } }]\n'
    )
    ws = Opened(folder, HUBSPOT, sync, script=[found, upserted])
    ws.plan("vips").push()

    assert set(sent(ws)) == {"old@example.com"}
    with pytest.raises(pk.PersonasError, match=r"personas\.toml: audience"):
        Opened(folder, HUBSPOT, sync.replace('"last"', '"some"'))


def test_every_value_of_one_user_cannot_go_where_the_user_id_is_what_counts(folder):
    hook = '[destinations.hook]\ntype = "webhook"\nurl = "http://127.0.0.1:9999"\n'
    ws = Opened(folder, hook)

    with pytest.raises(pk.PersonasError, match="known by one id"):
        ws.plan(VIPS, to="hook", ids={"email": {"column": "emails", "take": "all"}})


def test_a_user_and_an_account_together_are_the_member(folder):
    """Vitally and Totango know a user within an account, which is a column of users here."""
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.execute("alter table users add column account_id varchar default 'a7'")
    block = (
        '[destinations.cs]\ntype = "vitally"\nurl = "http://127.0.0.1:9999"\nsubdomain = "acme"\n'
        'token = { file = "key.txt" }\n'
    )
    ws = Opened(folder, block, script=[answer(200, b"{}")] * 9)
    both = {"user_id": "user_id", "account_id": "account_id"}
    plan = ws.plan(VIPS, to="cs", send=["identify"], ids=both)
    plan.push()

    assert json.loads(plan.syncs[0].lines["member"][0]) == {"account_id": "a7", "user_id": "u1"}
    first = json.loads(ws.network.sent[0].content)[0]
    assert (first["type"], first["userId"], first["accountId"]) == ("user", "u1", "a7")
    accounts = ws.plan(
        pk.AccountAudience("Pro", pk.account_trait("plan") == "pro"), to="cs", send=["identify"], ids=both
    )
    assert [json.loads(member) for member in accounts.syncs[0].lines["member"].sort()] == [
        {"account_id": "a1", "user_id": "u1"},
        {"account_id": "a1", "user_id": "u2"},
    ]


def test_a_profile_finds_a_user_by_the_address(folder):
    ws = opened(folder)
    ws.workspace.add(VIPS)
    ws.plan(VIPS, to="crm").push()

    assert ws.workspace.profile("u2").acknowledged == {"vips -> crm (identify)": "in"}
    assert ws.workspace.profile("u4").acknowledged == {}


@pytest.mark.parametrize(
    ("take", "addresses"), [("first", ["ann@example.com"]), ("all", ["ann@example.com", "old@example.com"])]
)
def test_a_user_who_is_forgotten_is_taken_out_by_each_address_that_went_there(folder, take, addresses):
    ws = opened(folder)
    ws.plan(VIPS, to="crm", ids={"email": {"column": "emails", "take": take}}).push()
    later = Opened(
        folder,
        HUBSPOT,
        '[[audience]]\nname = "Vips"\nwhere = "trait(\'vip\') = true"\n'
        f'to = [{{ destination = "crm", ids = {{ email = {{ column = "emails", take = "{take}" }} }} }}]\n',
        script=[found, upserted],
    )
    assert later.workspace.profile("u1").acknowledged == {"vips -> crm (identify)": "in"}
    report = later.workspace.forget("u1", confirm="u1")

    assert report.complete
    assert sent(later) == {each: {"email": each, "vips": "false"} for each in addresses}
    ((_, state),) = later.workspace.store.syncs()
    assert state.acknowledged.height == 0
