"""Amazon Data Firehose, which was called Kinesis Data Firehose, by PutRecordBatch.

What is odd: a 200 may hide records that failed; each has its own row. Records are joined where they are delivered, so
each ends with a line break: files in S3 are lines of JSON. Sending again may deliver twice: look at ``messageId``. A
stream that reads from Kinesis takes no records of others. A record holds 1,000 KiB and a request 500 records or 4 MiB.

Source: https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html,
https://docs.aws.amazon.com/firehose/latest/dev/limits.html (read 2026-11-26).
"""

import polars as pl

from personas_kit.destinations import aws
from personas_kit.destinations.base import Call, Destination, Fields, Limits
from personas_kit.destinations.encode import Json, obj


def _record(_call: Call, _c: Fields, message: pl.Expr) -> Json:
    return obj(Data=pl.concat_str(message, pl.lit("\n")).str.encode("base64"))


destination = Destination(
    slug="amazon-kinesis-firehose",
    name="Amazon Data Firehose",
    settings=aws.settings(aws.stream(64)),
    auth=aws.AwsSigned("firehose"),
    hosts=aws.hosts("firehose"),
    posts=aws.posts(_record, aws.into_stream("DeliveryStreamName")),
    limits=Limits(items=500, bytes=4_000_000, item_bytes=1_000_000),
    outcomes=aws.outcomes(aws.for_each("RequestResponses", "RecordId")),
    headers={"x-amz-target": "Firehose_20150804.PutRecordBatch"},
)
