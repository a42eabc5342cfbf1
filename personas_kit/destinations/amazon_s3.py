"""Amazon S3: the messages as files of lines of JSON.

What is odd: an object is written whole or not at all, and nothing is ever appended, so each request is one object. Its
name is a hash of its content: a repeated request writes the same object over itself, and a batch that is cut otherwise
after a crash leaves some messages in two files. Skip what has a ``messageId`` that was seen. Path style is used, which
works for every name of a bucket, and with stores that speak S3's dialect at a ``url`` of their own; a directory bucket
(S3 Express) takes no path style. Each object goes with its checksum (``Content-MD5``), which a bucket with Object Lock
wants; what is locked there cannot be written over, so a repeated request adds a version. A bucket in another region
answers with a redirect (301).

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html (read 2026-11-27), .../ErrorResponses.html
(read 2026-11-26).
"""

from http import HTTPStatus

from personas_kit.destinations import aws
from personas_kit.destinations.base import Destination, Limits, Post, Setting
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Outcome
from personas_kit.destinations.webhook import MESSAGES

PATH = "/{bucket}/{prefix}%s/{digest}.ndjson"


def _read(answer: Answer, _count: int) -> Outcome | None:
    """The body of a success is empty; the object's tag is the sign."""
    return ACKNOWLEDGED if answer.status == HTTPStatus.OK and answer.header("etag") else None


destination = Destination(
    slug="amazon-s3",
    name="Amazon S3",
    settings=aws.settings(
        Setting(
            "bucket", "its name", identifies=True, pattern=r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", example="my-bucket"
        ),
        Setting(
            "prefix",
            "folders that the files go into, each with its slash",
            default="",
            identifies=True,
            pattern=r"(?:[A-Za-z0-9_=-][A-Za-z0-9_.=-]*/)*",
            example="personas/",
        ),
    ),
    auth=aws.AwsSigned("s3"),
    hosts=aws.hosts("s3"),
    posts={
        call: Post(PATH % call, message, ("", "\n"), method="PUT", separator="\n", content_type="application/x-ndjson")
        for call, message in MESSAGES.items()
    },
    limits=Limits(items=50_000, bytes=64_000_000, item_bytes=1_000_000),
    outcomes=aws.outcomes(_read),
)
