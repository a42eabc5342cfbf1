"""Slack: a message to a channel about who entered and who left. It says how many, and never who.

What is odd: a push is told in one message for those who left and one for those who entered, however many they are. An
error comes as 200 with ``"ok": false``. An incoming webhook would do as well, but its address is a secret as a whole;
a bot token is a secret that goes by header, so it is what is used. The bot needs the scope chat:write, and has to be
in the channel. Slack takes about one message a second per channel, and knows no key for a repeated one: a message whose
answer got lost may stand there twice. A name is escaped: it cannot mention anybody.

Source: https://docs.slack.dev/reference/methods/chat.postMessage, https://docs.slack.dev/apis/web-api/rate-limits
(read 2026-11-26).
"""

import html
import json
from http import HTTPStatus

from personas_kit.destinations.auth import Bearer
from personas_kit.destinations.base import Destination, Fields, Limits, Post, Probe, Rate, Setting
from personas_kit.destinations.encode import Json, raw
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Outcome, Outcomes, code

AGAIN = frozenset({
    *("ratelimited", "rate_limited", "internal_error", "fatal_error", "request_timeout", "service_unavailable"),
    *("org_login_required", "team_added_to_org"),
})  # fmt: skip


def _nothing(c: Fields) -> Json:
    """A single change says nothing: the message is around them all."""
    return raw(c.message_id.str.head(0))


def _digest(c: Fields) -> tuple[str, str]:
    entered = int(c.lines.select(c.entering.sum()).item())
    counts = {"entered": entered, "left": c.lines.height - entered}
    said = ", ".join(f"{count:,} {verb}" for verb, count in counts.items() if count)
    text = f"*{html.escape(c.name, quote=False)}*: {said}"
    return json.dumps({"channel": c.settings["channel"], "text": text}, ensure_ascii=False), ""


def _problem(answer: Answer) -> str:
    return "" if answer.at("ok") is True else code(answer.at("error")) or "refused"


def _read(answer: Answer, _count: int) -> Outcome | None:
    if answer.status != HTTPStatus.OK or not isinstance(answer.at("ok"), bool):
        return None
    problem = _problem(answer)
    return Outcome("retry" if problem in AGAIN else "fatal", problem) if problem else ACKNOWLEDGED


destination = Destination(
    slug="slack",
    name="Slack",
    settings=(
        Setting("bot_token", "of an app with chat:write, xoxb-...", secret=True),
        Setting("channel", "its id, such as C0123456789", identifies=True),
    ),
    auth=Bearer("bot_token"),
    hosts={"": "https://slack.com"},
    posts={
        "track": Post(
            "/api/chat.postMessage",
            _nothing,
            _digest,
            separator="",
            content_type="application/json; charset=utf-8",
        )
    },
    limits=Limits(items=10**9, bytes=100_000),
    outcomes=Outcomes(read=_read),
    rates=(Rate(1, 1),),
    probe=Probe("/api/auth.test", method="POST", says=_problem),
)
