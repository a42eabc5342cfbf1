"""A list of Google is replaced in two steps: everyone is added, and whoever was there before is removed later."""

import datetime as dt
import hashlib
import json
from dataclasses import dataclass, field
from email.utils import format_datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personas_kit.activation.transport import NoAnswerError
from personas_kit.destinations import Computation, find
from personas_kit.destinations import google_customer_match as google
from personas_kit.secret import Secret
from tests import small
from tests.activation.attack.books import times
from tests.activation.scripted import answer
from tests.activation.test_delivery import Ticking
from tests.destinations.conftest import batch_of

CONFIG = """
[warehouse]
path = "warehouse.duckdb"

[source]
users = { table = "users", id = "user_id" }

[destinations.ads]
type = "google-customer-match"
client_id = "cid"
client_secret = { file = "key.txt" }
refresh_token = { file = "key.txt" }
customer_id = "1234567890"
terms_of_service = "ACCEPTED"

[[audience]]
name  = "Vips"
where = "trait('vip') = true"
to    = [{ destination = "ads", list = "777", ids = { email = "email" } }]
"""
EVERYBODY = [f"u{n}" for n in range(6)]


def hashed(user):
    return hashlib.sha256(f"{user}@example.com".encode()).hexdigest()


@dataclass
class GoogleList:
    """A list whose requests are accepted at once and done later, in any order; as the vendor's pages have it.

    Attributes:
        there: member -> when it was added last.
        waiting: request -> what it does.
        lost: answers to removals of everybody that do not arrive.
        fails: so many requests that are done will have failed.
    """

    clock: Ticking
    there: dict[str, dt.datetime] = field(default_factory=dict)
    waiting: dict[str, dict] = field(default_factory=dict)
    said: dict[str, dict] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    lost: int = 0
    fails: int = 0

    def send(self, request):
        parts = urlsplit(request.url)
        self.clock.day += 1 / 86_400
        if request.method == "GET" and "requestStatus" in parts.path:
            return self._tell(parse_qs(parts.query)["requestId"][0])
        if request.method == "GET":
            return answer(200, b'{"id":"777"}', Date=format_datetime(self.clock.now(), usegmt=True))
        kind, name = parts.path.rpartition(":")[2], f"r{len(self.asked)}"
        self.asked.append(kind)
        self.waiting[name] = {"kind": kind, "at": self.clock.now(), **json.loads(request.content)}
        if kind == "removeAll" and self.lost:
            self.lost -= 1
            raise NoAnswerError
        return answer(200, json.dumps({"requestId": name}).encode())

    def _tell(self, name):
        status = {"requestStatus": "PROCESSING"} if name in self.waiting else self.said[name]
        return answer(200, json.dumps({"requestStatusPerDestination": [status]}).encode())

    def do(self, *, last=False):
        """The oldest request is done, or the newest."""
        if not self.waiting:
            return
        name = list(self.waiting)[-1 if last else 0]
        work = self.waiting.pop(name)
        if self.fails:
            self.fails -= 1
            counts = [{"reason": "PROCESSING_ERROR_REASON_INTERNAL_ERROR", "recordCount": "1"}]
            self.said[name] = {"requestStatus": "FAILED", "errorInfo": {"errorCounts": counts}}
            return
        members = [each["userData"]["userIdentifiers"][0]["emailAddress"] for each in work.get("audienceMembers", ())]
        match work["kind"]:
            case "ingest":
                self.there |= {each: max(work["at"], self.there.get(each, work["at"])) for each in members}
            case "remove":
                for each in members:
                    self.there.pop(each, None)
            case "removeAll":
                before = dt.datetime.fromisoformat(work["removeAsOfTime"])
                self.there = {each: at for each, at in self.there.items() if at >= before}
        self.said[name] = {"requestStatus": "SUCCESS"}

    def close(self):
        pass


class Company:
    """A workspace whose list is at Google."""

    def __init__(self, folder):
        self.folder, self.clock = folder, Ticking()
        self.list = GoogleList(self.clock)
        (folder / "key.txt").write_text("made-up", encoding="utf-8")
        (folder / "personas.toml").write_text(CONFIG, encoding="utf-8")
        self.want([])

    def want(self, users):
        self.wanted = set(users)
        small.set_vips(self.folder, users, EVERYBODY)

    def strangers(self, *names):
        self.list.there |= dict.fromkeys(names, self.clock.now())
        self.clock.day += 1 / 24

    def plan(self, mode="changes"):
        self.clock.day += 1
        self.workspace = small.opened(self.folder, self.clock, lambda _: self.list)
        return self.workspace.plan("vips", to="ads", mode=mode)

    def push(self, mode="changes"):
        plan = self.plan(mode)
        return plan.push(override=[guard.name for guard in plan.guards])

    def all_done(self):
        while self.list.waiting:
            self.list.do()

    def settle(self):
        """Google gets everything done, and is asked until nothing is left to say."""
        for _ in range(4):
            self.all_done()
            self.push()
        assert not self.list.waiting
        ((_, state),) = self.workspace.store.syncs()
        return state


@pytest.fixture
def company(tmp_path):
    return Company(tmp_path)


def members_of(users):
    return {hashed(user) for user in users}


def test_whoever_was_there_before_leaves_once_everyone_is_added(company):
    company.want(["u1", "u2"])
    company.push()
    company.all_done()
    company.strangers("stranger", "u2 by hand")
    company.want(["u2", "u3"])

    report = company.push("replace")
    assert (report.accepted, report.complete) == (3, False)
    company.all_done()
    assert set(company.list.there) == members_of(["u2", "u3"]) | {"stranger", "u2 by hand"}

    assert company.plan().changes.height == 0  # Google is asked, and told to remove whoever was there before
    assert company.list.asked[-1] == "removeAll"
    company.all_done()
    assert set(company.list.there) == members_of(["u2", "u3"])
    assert company.plan().syncs[0].held.height == 0
    assert company.settle().acknowledged.height == 2


def test_nobody_is_removed_before_google_has_added_everyone(company):
    company.strangers("stranger")
    company.want(["u1"])
    company.push("replace")
    for _ in range(3):
        company.plan()

    assert "removeAll" not in company.list.asked
    assert set(company.list.there) == {"stranger"}


def test_nobody_is_removed_where_google_failed_and_everyone_is_added_again(company):
    company.strangers("stranger")
    company.want(["u1", "u2"])
    company.push("replace")
    company.list.fails = 1
    company.all_done()

    assert set(company.plan().changes["cause"]) == {"outcome was unknown"}
    assert company.settle().acknowledged.height == 2
    assert set(company.list.there) == members_of(["u1", "u2"]) | {"stranger"}
    assert "removeAll" not in company.list.asked


@pytest.mark.parametrize("trouble", ["lost", "fails"])
def test_a_removal_that_failed_or_was_not_answered_is_asked_for_again(company, trouble):
    company.strangers("stranger")
    company.want(["u1"])
    company.push("replace")
    company.all_done()
    setattr(company.list, trouble, 1)
    company.plan()
    company.all_done()
    company.settle()

    assert company.list.asked.count("removeAll") == 2
    assert set(company.list.there) == members_of(["u1"])


def test_who_was_accepted_and_not_acknowledged_yet_is_not_removed_with_the_others(company):
    company.want(["u1", "u2"])
    company.push()
    report = company.push("replace")

    assert report.accepted == 2
    assert company.settle().acknowledged.height == 2
    assert set(company.list.there) == members_of(["u1", "u2"])


def test_who_leaves_while_google_is_at_it_leaves_once_that_is_known(company):
    company.want(["u1", "u2"])
    company.push("replace")
    company.want(["u2"])

    assert company.push().complete
    assert company.settle().acknowledged.height == 1
    assert set(company.list.there) == members_of(["u2"])


DOES = st.one_of(
    st.tuples(st.just("want"), st.sets(st.sampled_from(EVERYBODY))),
    st.tuples(st.just("push"), st.sampled_from(["changes", "changes", "full", "replace"])),
    st.tuples(st.just("done"), st.booleans()),
    st.tuples(st.sampled_from(["stranger", "lost", "fails"]), st.none()),
)


@settings(max_examples=times("replacements"))
@given(story=st.lists(DOES, max_size=9), last=st.sets(st.sampled_from(EVERYBODY), min_size=1))
def test_whatever_happens_the_last_replacement_leaves_exactly_those_who_are_wanted(tmp_path_factory, story, last):
    company = Company(tmp_path_factory.mktemp("company"))
    for does, what in story:
        match does:
            case "want":
                company.want(sorted(what))
            case "push":
                company.push(what)
            case "done":
                company.list.do(last=what)
            case "stranger":
                company.strangers(f"stranger {company.clock.day}")
            case trouble:
                setattr(company.list, trouble, 1)
    company.list.lost = company.list.fails = 0
    state = company.settle()
    assert {hashed(user) for user in company.wanted} <= set(company.list.there)
    company.want(sorted(last))
    company.push("replace")
    state = company.settle()

    assert set(company.list.there) == members_of(company.wanted)
    assert state.acknowledged.height == len(company.wanted)


def test_each_request_holds_as_many_as_google_takes(monkeypatch):
    monkeypatch.setattr(google, "MEMBERS", 2)
    secret = Secret("env", "NONE")
    settings = {"client_id": "c", "client_secret": secret, "refresh_token": secret, "customer_id": "1"}
    connection = find("google-customer-match").configure(
        "ads", {**settings, "user_list_id": "7", "terms_of_service": "ACCEPTED"}
    )
    people = [f"{n:064x}" for n in range(5)]
    lines = batch_of(
        [{"change": "enter", "message_id": each, "member": json.dumps({"emailAddress": each})} for each in people]
    )
    replacing = connection.replacement("list")
    (request,) = replacing.requests("list", lines, Computation("vips", "audience", "Vips"))
    receiver = GoogleList(Ticking())
    exchange, said = replacing.exchange("list", request, lines), None
    try:
        while True:
            said = receiver.send(exchange.send(said))
    except StopIteration as done:
        outcome = done.value

    sent = [[each["userData"] for each in work["audienceMembers"]] for work in receiver.waiting.values()]
    assert [len(each) for each in sent] == [2, 2, 1]
    assert [each["userIdentifiers"][0]["emailAddress"] for part in sent for each in part] == people
    assert (outcome.verdict, json.loads(outcome.handle)["adding"]) == ("accepted", ["r0", "r1", "r2"])
