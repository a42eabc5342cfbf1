"""AWS Lambda: a function is called with an array of messages.

What is odd: the call is asynchronous, so 202 means that it is queued, and not that the function ran or did well. One
that fails is run twice more, and may also run twice without failing: look at ``messageId``, and set a dead-letter queue
or a destination for failures. The payload was limited to 256 KB and is to 1 MB since 2025; 500 messages stay below the
former as a rule, and a 413 halves them.

Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html,
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html (read 2026-11-26).
"""

from http import HTTPStatus

from personas_kit.destinations import aws
from personas_kit.destinations.base import Destination, Limits, Setting
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Outcome
from personas_kit.destinations.webhook import posts


def _read(answer: Answer, _count: int) -> Outcome | None:
    """The body of a success is empty; the id that Lambda gave the request is the sign."""
    return ACKNOWLEDGED if answer.status == HTTPStatus.ACCEPTED and answer.header("x-amzn-requestid") else None


destination = Destination(
    slug="amazon-lambda",
    name="AWS Lambda",
    settings=aws.settings(
        Setting(
            "function",
            "name or ARN, also with :alias",
            identifies=True,
            pattern=r"[a-zA-Z0-9_.:$-]{1,256}",
            example="personas",
        )
    ),
    auth=aws.AwsSigned("lambda"),
    hosts=aws.hosts("lambda"),
    posts=posts("/2015-03-31/functions/{function}/invocations"),
    limits=Limits(items=500, bytes=1_000_000),
    outcomes=aws.outcomes(_read),
    headers={"x-amz-invocation-type": "Event"},
)
