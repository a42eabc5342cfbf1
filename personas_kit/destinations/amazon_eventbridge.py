"""Amazon EventBridge: events on a bus of your own, by PutEvents.

What is odd: a 200 may hide events that failed; each has its own row, and one on a bus that is not there counts as
taken and is gone. Ten events are the most in a request. ``DetailType`` is the kind of the message (``track``), so that
a rule can match it; the message is ``Detail``, JSON within JSON. Events are not deduplicated: look at ``messageId``. A
``Source`` that begins with ``aws.`` is AWS's own. A request takes 1 MB since January 2026, and took 256 KB before: one
event is kept to the latter, which every region has. Buses of the newer kind (``event-busv2`` in their ARN) have an API
of their own, and cannot be reached.

Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html,
.../API_PutEventsResultEntry.html, https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html,
https://aws.amazon.com/blogs/compute/more-room-to-build-serverless-services-now-support-payloads-up-to-1-mb (read
2026-11-26), https://docs.aws.amazon.com/eventbridgev2/latest/APIReference/API_PutEvents.html (read 2026-11-27).
"""

import polars as pl

from personas_kit.destinations import aws
from personas_kit.destinations.base import Call, Destination, Fields, Limits, Setting
from personas_kit.destinations.encode import Json, obj


def _entry(call: Call, c: Fields, message: pl.Expr) -> Json:
    return obj(
        EventBusName=c.settings["bus"],
        Source=c.settings["source"],
        DetailType=call,
        Time=c.epoch,
        Detail=message,
    )


destination = Destination(
    slug="amazon-eventbridge",
    name="Amazon EventBridge",
    settings=aws.settings(
        Setting("bus", "name or ARN", default="default", identifies=True),
        Setting("source", "for rules to match", default="personas-kit", pattern=r"(?!aws\.).{1,256}"),
    ),
    auth=aws.AwsSigned("events"),
    hosts=aws.hosts("events"),
    posts=aws.posts(_entry, ('{"Entries":[', "]}")),
    limits=Limits(items=10, bytes=1_000_000, item_bytes=256_000),
    outcomes=aws.outcomes(aws.for_each("Entries", "EventId")),
    headers={"x-amz-target": "AWSEvents.PutEvents"},
    parallel=4,
)
