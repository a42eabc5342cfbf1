"""Five destinations, each of which keeps what the vendor's would, by the requests that arrive.

Amplitude, Segment and Meta are the sandbox's stand-ins; HubSpot and Marketo are modelled here, from their documents.
All of them speak the sandbox's words: a request becomes an answer and effects. A book keeps the effects as they are
applied, and everything that was ever said.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from personas_kit.sandbox.effects import Effect, Handled, Incoming, bearer, json_reply
from personas_kit.sandbox.routes import route
from tests.soak.company import BEGIN

Place = tuple[str, str]
"""A call, and the key of the definition; or ``list`` and its id."""


@dataclass
class Said:
    """One change as it arrived.

    Attributes:
        hour: of the story; ``tick`` the instant that the run was for; ``run`` counts runs.
        outcome: ``done`` (applied, and its sender was told), ``refused``, or ``unclear``: whatever became of it, its
            sender was not told.
    """

    place: Place
    member: str
    value: object
    message: str
    hour: int
    tick: dt.datetime
    run: int
    outcome: str = "unclear"


@dataclass
class Vendor:
    """One account of one destination.

    Attributes:
        holds: place -> member -> value, of what is there; nothing that is false, 0 or null.
        said: everything that arrived, oldest first.
        refuses: members that are refused at the moment.
        conflicts: message ids that came with two contents.
    """

    name: str
    holds: dict[Place, dict[str, object]] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    conflicts: list[str] = field(default_factory=list)
    hour: int = 0
    tick: dt.datetime = BEGIN
    run: int = 0
    _seen: dict[str, str] = field(default_factory=dict)

    def handle(self, request: Incoming, now: float) -> Handled:
        """What the vendor makes of a request; nothing is applied yet."""
        del now
        return route(Incoming(request.method, request.path, request.headers, request.content, self._invalid(request)))

    def unauthorised(self) -> Handled:
        """The answer while the token is refused."""
        return Handled(json_reply(401, {"error": "unauthorized"}), "")

    def _invalid(self, request: Incoming) -> frozenset[int]:
        """The items that are refused, where the vendor looks at each."""
        if not self.refuses or request.path != "/2/httpapi":
            return frozenset()
        events = json.loads(request.content)["events"]
        return frozenset(at for at, event in enumerate(events) if event["user_id"] in self.refuses)

    # --- the book ----------------------------------------------------------------------------------------------------

    def note(self, handled: Handled, *, told: bool) -> list[Said]:
        """Write down what arrived, before it is applied or not."""
        outcome = ("done" if handled.effects else "refused") if told else "unclear"
        news = [
            Said(place, member, value, effect.message_id, self.hour, self.tick, self.run, outcome)
            for effect in handled.effects
            for place, member, value in changes_of(effect)
        ]
        self.said += news
        for effect in handled.effects:
            if effect.message_id and self._digest(effect) != effect.digest:
                self.conflicts.append(effect.message_id)
        return news

    def apply(self, handled: Handled) -> None:
        """It has happened."""
        for effect in handled.effects:
            if handled.dedupes and effect.message_id:
                if effect.message_id in self._applied:
                    continue
                self._applied.add(effect.message_id)
            for place, member, value in changes_of(effect):
                there = self.holds.setdefault(place, {})
                there[member] = value
                if not value:
                    del there[member]

    def _digest(self, effect: Effect) -> str:
        return self._seen.setdefault(effect.message_id, effect.digest)

    _applied: set[str] = field(default_factory=set)


def changes_of(effect: Effect) -> Iterable[tuple[Place, str, object]]:
    """What an effect says of whom."""
    match effect.kind:
        case "user":
            for key, value in effect.content.items():
                if key != "email":
                    yield ("identify", key), effect.subject, value
        case "account":
            for key, value in effect.content.items():
                yield ("group", key), effect.subject, value
        case "event":
            about = effect.content["properties"]
            key = about["audience_key"]
            yield ("track", key), effect.subject, about[key]
        case "add" | "remove":
            for entry in effect.content:
                yield ("list", effect.subject), entry[0][1], effect.kind == "add"


@dataclass
class HubSpot(Vendor):
    """Contacts by their addresses; properties have to be made first; a 207 names what was refused by its trace id."""

    properties: set[str] = field(default_factory=set)

    def handle(self, request: Incoming, now: float) -> Handled:
        parts = request.path.strip("/").split("/")
        if parts[1] == "properties":
            return self._property(request, parts)
        inputs = json.loads(request.content)["inputs"]
        names = {name for one in inputs for name in one["properties"]} - {"email"}
        if not names <= self.properties:
            body = {"status": "error", "errors": [{"code": "PROPERTY_DOESNT_EXIST"}]}
            return Handled(json_reply(400, body), "")
        good = [one for one in inputs if one["id"] not in self.refuses]
        traces = [one["objectWriteTraceId"] for one in inputs if one["id"] in self.refuses]
        effects = tuple(
            Effect("user", one["id"], {name: _plain(text) for name, text in one["properties"].items()},
                   one["objectWriteTraceId"], json.dumps(one, sort_keys=True))
            for one in good
        )  # fmt: skip
        body: dict[str, object] = {"status": "COMPLETE", "results": [{"id": one["id"]} for one in good]}
        if traces:
            why = {"category": "VALIDATION_ERROR", "context": {"objectWriteTraceId": traces}}
            body["errors"] = [{"status": "error", **why}]
        return Handled(json_reply(207 if traces else 200, body), "crm", effects, len(inputs))

    def _property(self, request: Incoming, parts: list[str]) -> Handled:
        if request.method == "POST":
            name = json.loads(request.content)["name"]
            self.properties.add(name)
            return Handled(json_reply(201, {"name": name}), "")
        known = parts[-1] in self.properties
        return Handled(json_reply(200 if known else 404, {"name": parts[-1]}), "")


def _plain(text: str) -> object:
    """A property's text as what it stands for."""
    return {"": None, "true": True, "false": False}.get(text, text) if not _is_number(text) else float(text)


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).lstrip("-").isdigit()


@dataclass
class Marketo(Vendor):
    """Leads by their addresses, lists by the leads' ids; tokens that last an hour; everything is answered by 200."""

    leads: dict[str, int] = field(default_factory=dict)
    tokens: dict[str, float] = field(default_factory=dict)

    def unauthorised(self) -> Handled:
        return Handled(json_reply(401, {"error": "invalid_client"}), "")

    def handle(self, request: Incoming, now: float) -> Handled:
        path, _, query = request.path.partition("?")
        if path == "/identity/oauth/token":
            token = f"token-{len(self.tokens)}"
            self.tokens[token] = now + 3_600
            return Handled(json_reply(200, {"access_token": token, "token_type": "bearer", "expires_in": 3_599}), "")
        if self.tokens.get(bearer(request.headers), 0) <= now:
            return _failed(602)
        if path == "/rest/v1/leads.json" and "_method=GET" in query:
            return self._found(request)
        if path == "/rest/v1/leads.json":
            return self._made(request)
        asked = [int(lead) for lead in parse_qs(query)["id"]]
        return self._listed(request.method, path.split("/")[4], asked)

    def _found(self, request: Incoming) -> Handled:
        wanted = parse_qs(request.content.decode())["filterValues"][0].split(",")
        rows = [{"id": self.leads[email], "email": email} for email in wanted if email in self.leads]
        return Handled(json_reply(200, {"success": True, "result": rows}), "")

    def _made(self, request: Incoming) -> Handled:
        rows: list[dict[str, object]] = []
        for each in json.loads(request.content)["input"]:
            email = each["email"]
            if email in self.refuses:
                rows.append({"status": "skipped", "reasons": [{"code": "1003", "message": "invalid"}]})
                continue
            status = "updated" if email in self.leads else "created"
            rows.append({"id": self.leads.setdefault(email, 1_000 + len(self.leads)), "status": status})
        return Handled(json_reply(200, {"success": True, "result": rows}), "")

    def _listed(self, method: str, place: str, asked: list[int]) -> Handled:
        email = {lead: email for email, lead in self.leads.items()}
        there = self.holds.get(("list", place), {})
        rows: list[dict[str, object]] = []
        for lead in asked:
            if method == "DELETE" and email[lead] not in there:
                rows.append({"id": lead, "status": "skipped", "reasons": [{"code": "1015", "message": "not there"}]})
            else:
                rows.append({"id": lead, "status": "added" if method == "POST" else "removed"})
        entries = [[["email", email[lead]]] for lead in asked]
        effect = Effect("add" if method == "POST" else "remove", place, entries)
        return Handled(json_reply(200, {"success": True, "result": rows}), "marketing", (effect,), len(asked))


def _failed(code: int) -> Handled:
    errors = [{"code": str(code), "message": ""}]
    return Handled(json_reply(200, {"success": False, "errors": errors}), "")


MAKES: dict[str, Callable[[str], Vendor]] = {
    "analytics": Vendor, "gateway": Vendor, "ads": Vendor, "crm": HubSpot, "marketing": Marketo,
}  # fmt: skip
