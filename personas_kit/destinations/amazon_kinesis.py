"""Amazon Kinesis Data Streams, by PutRecords.

What is odd: a 200 may hide records that failed; each has its own row. Throttled ones are tried again, and may then
follow later ones of the same user: the order of a stream is not that of the sync. Nothing is deduplicated: look at
``messageId``. The user's id (for a group, the account's) chooses the shard, unless the stream's record distribution
strategy is ``AUTO``: then it is ignored, and changes of one user lie in any shard. A stream takes records of 1 MiB
unless it was told to take more, and 500 of them or 10 MiB in a request; 5 MB are used. A shard takes 1,000 records and
1 MB a second.

Source: https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html,
.../API_PutRecordsRequestEntry.html, as botocore 1.44.8 has them (read 2026-11-27),
https://docs.aws.amazon.com/streams/latest/dev/large-records.html (read 2026-11-26).
"""

import polars as pl

from personas_kit.destinations import aws
from personas_kit.destinations.base import Call, Destination, Fields, Limits
from personas_kit.destinations.encode import Json, obj

LONGEST_KEY = 256


def _record(call: Call, c: Fields, message: pl.Expr) -> Json:
    who = c.account_id if call == "group" else c.user_id
    return obj(PartitionKey=who.str.head(LONGEST_KEY), Data=message.str.encode("base64"))


destination = Destination(
    slug="amazon-kinesis",
    name="Amazon Kinesis",
    settings=aws.settings(aws.stream(128)),
    auth=aws.AwsSigned("kinesis"),
    hosts=aws.hosts("kinesis"),
    posts=aws.posts(_record, aws.into_stream("StreamName")),
    limits=Limits(items=500, bytes=5_000_000, item_bytes=1_000_000),
    outcomes=aws.outcomes(aws.for_each("Records", "SequenceNumber")),
    headers={"x-amz-target": "Kinesis_20131202.PutRecords"},
)
