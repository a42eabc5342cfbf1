"""To a destination natively or through a gateway: one name, one state, and the calls that get through."""

import json

import duckdb
import pytest

import personas_kit as pk
import personas_kit.notebook  # registers how results look
from personas_kit import trait
from personas_kit.activation.delivery import Delivery
from personas_kit.config import load
from personas_kit.opening import open_warehouse
from personas_kit.workspace import Workspace
from tests.activation.scripted import ScriptedTransport, answer
from tests.activation.test_delivery import Ticking

SOURCE = """
[warehouse]
path = "warehouse.duckdb"
[source]
users = { table = "users", id = "user_id" }
accounts = { table = "accounts", id = "account_id" }
memberships = { table = "memberships", user = "user_id", account = "account_id" }
"""
GATEWAY = '[destinations.hub]\ntype = "{kind}"\nurl = "http://127.0.0.1:9999"\nwrite_key = {{ file = "key.txt" }}\n'
HERE = "http://127.0.0.1:9999"
AMPLITUDE = f'[destinations.{{name}}]\ntype = "amplitude"\nurl = "{HERE}"\napi_key = {{{{ file = "key.txt" }}}}\n'
VIPS = pk.Audience("Vips", trait("vip") == True)  # noqa: E712  (the language's own word)
SPEND = pk.Trait("Money", trait("spend"))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "key.txt").write_text("made-up", encoding="utf-8")
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("""
            create table users as select * from (values
                ('u1', 'ann@example.com', true, 10.5), ('u2', 'bob@example.com', true, 3), ('u3', null, false, null)
            ) as t(user_id, email, vip, spend);
            create table accounts as select 'a1' as account_id, 'pro' as plan;
            create table memberships as select 'u1' as user_id, 'a1' as account_id;
        """)
    return tmp_path


class Opened:
    """A workspace and what it sent."""

    def __init__(self, folder, *blocks, script=()):
        (folder / "personas.toml").write_text(SOURCE + "\n".join(blocks), encoding="utf-8")
        config = load(folder / "personas.toml")
        warehouse = open_warehouse(config)
        self.network = ScriptedTransport(*script)
        first = Workspace(config, warehouse, clock=Ticking())
        delivery = Delivery(first.store, first._clock, lambda _: self.network)
        self.workspace = Workspace(config, warehouse, clock=Ticking(), delivery=delivery)

    def plan(self, definition, **more):
        return self.workspace.plan(definition, **more)

    @property
    def messages(self):
        return [item for request in self.network.sent for item in json.loads(request.content)["batch"]]


def segment():
    return GATEWAY.format(kind="segment")


def rudderstack(name="hub"):
    return GATEWAY.format(kind="rudderstack").replace("destinations.hub", f"destinations.{name}")


def test_what_is_not_configured_goes_through_the_gateway_with_its_exact_key(folder):
    opened = Opened(folder, segment())
    plan = opened.plan(VIPS, to="braze")
    plan.push()

    assert {sync.way for sync in plan.syncs} == {"through hub (Segment), as Appboy"}
    assert {json.dumps(each["integrations"]) for each in opened.messages} == {'{"All": false, "Appboy": true}'}
    assert "braze is reached through hub (Segment), as Appboy" in plan._repr_html_()


def test_another_gateway_has_another_key(folder):
    plan = Opened(folder, rudderstack()).plan(VIPS, to="braze")

    assert {sync.way for sync in plan.syncs} == {"through hub (RudderStack), as Braze"}


def test_what_is_configured_goes_natively_even_where_a_gateway_is(folder):
    plan = Opened(folder, segment(), AMPLITUDE.format(name="analytics")).plan(VIPS, to="amplitude")

    assert {(sync.sync.destination, sync.way) for sync in plan.syncs} == {("analytics", "native")}


def test_a_change_of_the_way_is_a_guard_and_the_state_stays(folder):
    through = Opened(folder, segment())
    through.plan(VIPS, to="amplitude", send=["identify"]).push()
    native = Opened(folder, segment(), AMPLITUDE.format(name="amplitude"))
    plan = native.plan(VIPS, to="amplitude", send=["identify"])

    assert plan.syncs[0].way == "native"
    assert "way_changed" in {guard.name for guard in plan.guards}


def test_who_needs_an_address_gets_it_without_being_asked(folder):
    opened = Opened(folder, segment())
    opened.plan(SPEND, to="hubspot").push()

    assert [each["traits"] for each in opened.messages] == [
        {"money": 10.5, "email": "ann@example.com"},
        {"money": 3, "email": "bob@example.com"},
    ]


def test_exits_go_where_the_members_went_and_nowhere_else_behind_the_gateway(folder):
    routed = '{ destination = "hub", send = ["identify"], integrations = ["Appboy", "Iterable"] }'
    vips = f"[[audience]]\nname = 'Vips'\nwhere = \"trait('vip') = true\"\nto = [{routed}]\n"
    opened = Opened(folder, segment(), vips)
    opened.plan("vips").push()
    opened.workspace.forget("u1", confirm="u1")
    opened.workspace.remove("vips").push()

    entered, left = opened.messages[:2], opened.messages[2:]
    assert [each["userId"] for each in left] == ["u1", "u2"]
    assert [each["integrations"] for each in left] == [each["integrations"] for each in entered]


def test_two_ways_to_one_destination_are_two_in_a_preview_also_after_a_plan(folder):
    ways = [
        f'{{ destination = "hub", send = ["identify"], integrations = ["{name}"] }}' for name in ("Appboy", "Iterable")
    ]
    vips = f"[[audience]]\nname = 'Vips'\nwhere = \"trait('vip') = true\"\nto = [{', '.join(ways)}]\n"
    workspace = Opened(folder, segment(), vips).workspace

    for _ in range(2):
        assert [change.sync.place for change in workspace.preview("vips").changes] == ["Appboy", "Iterable"]
        assert [part.sync.place for part in workspace.plan("vips").syncs] == ["Appboy", "Iterable"]
    workspace.plan("vips", to="hub", integrations=["Klaviyo"])
    after = [change.sync.place for change in workspace.preview("vips").changes]
    assert after == ["Appboy", "Iterable", "Klaviyo"]


def test_exits_of_what_was_planned_by_hand_go_where_it_went(folder):
    opened = Opened(folder, segment())
    opened.plan(VIPS, to="hub", send=["identify"], integrations=["Appboy"]).push()
    opened.workspace.remove("vips").push()

    assert {json.dumps(each["integrations"]) for each in opened.messages} == {'{"All": false, "Appboy": true}'}


@pytest.mark.parametrize(
    ("blocks", "ask", "says"),
    [
        ([], {"to": "amplitude"}, ["Amplitude is not configured", "personas destinations amplitude"]),
        ([], {"to": "adobe-analytics"}, ["a gateway that reaches it: Segment or RudderStack"]),
        ([segment()], {"to": "hull"}, ["Hull cannot be reached any more: "]),
        ([segment()], {"to": "hub", "integrations": ["Hull"]}, ["Hull cannot be reached any more: "]),
        ([segment()], {"to": "amplitud"}, ["did you mean 'amplitude'"]),
        ([segment(), rudderstack("x")], {"to": "braze"}, ["2 gateways reach it", '"hub", integrations = ["Appboy"]']),
        ([segment()], {"to": "personas-facebook-ads"}, ["Facebook Custom Audiences is not configured"]),
        ([AMPLITUDE.format(name="a")], {"to": "a", "integrations": ["Braze"]}, ["a is no gateway"]),
        ([AMPLITUDE.format(name="a"), AMPLITUDE.format(name="b")], {"to": "amplitude"}, ["configured 2 times"]),
        ([segment()], {"to": "slack", "send": ["identify"]}, ["this audience by identify", "it takes: track"]),
    ],
)  # fmt: skip
def test_what_cannot_be_reached_says_what_can_be_done(folder, blocks, ask, says):
    opened = Opened(folder, *blocks)

    with pytest.raises(pk.PersonasError) as refused:
        opened.plan(VIPS, **ask)
    assert [part for part in says if part not in str(refused.value)] == []


def test_a_computed_trait_cannot_go_where_no_identify_is_taken(folder):
    opened = Opened(folder, segment())

    with pytest.raises(pk.PersonasError) as refused:
        opened.plan(SPEND, to="adobe-analytics")
    assert "Adobe Analytics through Segment cannot take this trait" in str(refused.value)
    assert "a computed trait goes by identify; an audience can go there as an event" in str(refused.value)
    assert [sync.sync.call for sync in opened.plan(VIPS, to="adobe-analytics").syncs] == ["track"]


def test_a_sync_of_the_file_may_name_any_destination_and_is_checked_when_the_file_is_opened(folder):
    sync = '[[audience]]\nname = "Vips"\nwhere = "trait(\'vip\') = true"\nto = [{{ destination = "{}" }}]\n'

    assert len(Opened(folder, segment(), sync.format("mixpanel")).plan("vips").syncs) == 2
    with pytest.raises(pk.PersonasError, match=r"personas\.toml: vips\.to"):
        Opened(folder, segment(), sync.format("hull"))


def test_a_run_and_the_status_know_it_by_its_own_name(folder):
    sync = (
        '[[audience]]\nname = "Vips"\nwhere = "trait(\'vip\') = true"\nevery = "1h"\nto = [{ destination = "braze" }]\n'
    )
    opened = Opened(folder, segment(), sync)

    assert opened.workspace.run(approve="guards", override=["first_sync"]).lines[0].did == "pushed"
    assert set(opened.workspace.status().to_polars()["destination"]) == {"braze"}
    assert len(opened.workspace.remove("vips").syncs) == 2


HUBSPOT = '[destinations.crm]\ntype = "hubspot"\nurl = "http://127.0.0.1:9999"\ntoken = { file = "key.txt" }\n'
UPSERTED = answer(200, b'{"status":"COMPLETE","results":[{"id":"1"},{"id":"2"}]}')
FOUND, MISSING = answer(200, b'{"name":"vips"}'), answer(404, b'{"category":"OBJECT_NOT_FOUND"}')


def fields(sync):
    return sync.stage.to_dict()


def test_a_plan_finds_the_field_and_says_nothing(folder):
    plan = Opened(folder, HUBSPOT, script=[FOUND]).plan(VIPS, to="crm", send=["identify"])

    assert plan.syncs[0].stage.words() == ""
    assert plan.guards == ()


def test_a_missing_field_is_a_stage_of_the_plan_and_is_made_before_the_first_change(folder):
    opened = Opened(folder, HUBSPOT, script=[MISSING, answer(201, b'{"name":"vips"}'), UPSERTED])
    plan = opened.plan(VIPS, to="crm", send=["identify"])

    assert "the push creates the field 'vips', of type 'Single checkbox'" in plan.syncs[0].stage.words()
    assert "the push creates the field" in plan._repr_html_()
    assert len(opened.network.sent) == 1
    assert plan.push().complete
    assert [request.method for request in opened.network.sent] == ["GET", "POST", "POST"]
    assert json.loads(opened.network.sent[1].content)["name"] == "vips"


def test_behind_a_gateway_a_field_that_has_to_be_there_is_named(folder):
    opened = Opened(folder, segment())
    plan = opened.plan(VIPS, to="hubspot")

    (stage,) = (sync.stage for sync in plan.syncs if sync.stage is not None)
    assert "'vips' is there is not known yet (nobody can ask through a gateway" in stage.words()
    assert plan.push().complete
    assert {each["type"] for each in opened.messages} == {"identify", "track"}


def test_where_nobody_can_ask_for_a_field_the_plan_says_that_it_has_to_be_there(folder):
    block = (
        '[destinations.push]\ntype = "airship"\nurl = "http://127.0.0.1:9999"\napp_key = "k"\n'
        'token = { file = "key.txt" }\n'
    )
    plan = Opened(folder, block).plan(VIPS, to="push", send=["identify"])

    assert "'vips' is there is not known yet (nobody can ask there" in plan.syncs[0].stage.words()


def test_a_field_that_cannot_be_made_sends_nothing(folder):
    opened = Opened(folder, HUBSPOT, script=[MISSING, answer(403, b"{}")])
    report = opened.plan(VIPS, to="crm", send=["identify"]).push()

    assert (report.acknowledged, report.complete, len(opened.network.sent)) == (0, False, 2)
    assert "not allowed" in report.syncs[0].why


def test_where_no_program_can_make_a_field_a_guard_says_what_to_make_and_where(folder):
    block = (
        '[destinations.crm]\ntype = "salesforce"\nurl = "http://127.0.0.1:9999"\ndomain = "acme"\n'
        'client_id = "c"\nclient_secret = { file = "key.txt" }\n'
    )
    plan = Opened(folder, block, script=[answer(400, b'[{"errorCode":"INVALID_FIELD"}]')]).plan(SPEND, to="crm")

    (guard,) = (each for each in plan.guards if each.name == "field_missing")
    assert guard.final
    assert "'money__c'" in guard.saw
    assert "Number" in guard.saw


def test_a_destination_that_does_not_answer_does_not_stop_the_plan_and_is_asked_again(folder):
    opened = Opened(folder, HUBSPOT, script=[answer(503), FOUND, UPSERTED])
    plan = opened.plan(VIPS, to="crm", send=["identify"])

    assert "not known yet" in plan.syncs[0].stage.words()
    assert plan.push().complete


def test_a_preview_asks_no_destination(folder):
    opened = Opened(folder, HUBSPOT)
    opened.workspace.add(VIPS)
    opened.workspace.preview("vips")

    assert opened.network.sent == []


def test_a_key_that_is_no_name_of_a_field_there_is_refused_when_planning(folder):
    opened = Opened(folder, AMPLITUDE.format(name="a"), HUBSPOT)

    with pytest.raises(pk.PersonasError, match="no field there can be named"):
        opened.plan(pk.Trait("Spend", trait("spend"), key="s" * 200), to="crm")


def test_a_list_is_made_by_its_own_command_and_nobody_is_on_it(folder):
    block = (
        '[destinations.ads]\ntype = "facebook-custom-audiences"\nurl = "http://127.0.0.1:9999"\n'
        'ad_account_id = "12"\naccess_token = { file = "key.txt" }\n'
    )
    opened = Opened(folder, block, script=[answer(200, b'{"id":"77"}')])

    assert opened.workspace.create_list(VIPS, to="ads") == "77"
    (request,) = opened.network.sent
    assert request.url.endswith("/act_12/customaudiences")
    assert json.loads(request.content)["name"] == "Vips"


def test_a_destination_that_makes_no_lists_says_so(folder):
    with pytest.raises(pk.PersonasError, match="no lists"):
        Opened(folder, segment()).workspace.create_list(VIPS, to="hub")


@pytest.mark.parametrize(
    ("reply", "says"),
    [(answer(200, b"{}"), "it takes the credentials"), (answer(401, b"{}"), "not authorised: check the credentials")],
)
def test_check_asks_the_cheapest_question_there_is(folder, reply, says):
    opened = Opened(folder, HUBSPOT, script=[reply])
    from personas_kit.checks import _findings

    (found,) = (each for each in _findings(opened.workspace) if each.what == "destination crm")
    assert says in found.message
    assert found.ok is ("takes" in says)
    assert [request.method for request in opened.network.sent] == ["GET"]
