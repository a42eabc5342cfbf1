"""The destinations at AWS against moto's server: it checks every signature, and what arrived is read back from it."""

import base64
import contextlib
import hashlib
import io
import json
import logging
import sys
import zipfile

import httpx
import pytest

from personas_kit.activation.transport import HttpTransport, NotAllowedError
from personas_kit.destinations import Computation, find
from personas_kit.errors import ConfigError
from personas_kit.secret import Secret
from tests.destinations.conftest import batch_of

pytestmark = pytest.mark.usefixtures("tidied")

boto3 = pytest.importorskip("boto3", reason="boto3 is not installed")
moto = pytest.importorskip("moto.server", reason="moto[server] is not installed")

REGION = "eu-west-1"
BUYERS = Computation("buyers", "audience", "Buyers")
LINES = [
    {"user_id": "u1", "change": "enter", "value": "true", "message_id": "m1", "id_email": "jürgen@example.com"},
    {"user_id": "u2", "change": "enter", "value": "true", "message_id": "m2"},
]
PLACES = {
    "amazon-s3": {"bucket": "lake", "prefix": "personas/dt=all/"},
    "amazon-kinesis": {"stream": "stream"},
    "amazon-kinesis-firehose": {"stream": "delivery"},
    "amazon-eventbridge": {"bus": "bus", "source": "acme"},
    "amazon-lambda": {"function": f"arn:aws:lambda:{REGION}:123456789012:function:echo"},
}
KEYS = {"access_key_id": Secret("env", "KIT_KEY"), "secret_access_key": Secret("env", "KIT_SECRET")}
EVERYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
ANYBODY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
)


class Aws:
    """A server that plays AWS, and the keys of a user who may do anything."""

    def __init__(self, url):
        self.url = url
        self.keys = {"aws_access_key_id": "first", "aws_secret_access_key": "first"}
        with self.client("iam") as iam:
            iam.create_user(UserName="kit")
            iam.put_user_policy(UserName="kit", PolicyName="everything", PolicyDocument=EVERYTHING)
            made = iam.create_access_key(UserName="kit")["AccessKey"]
            self.role = iam.create_role(RoleName="kit", AssumeRolePolicyDocument=ANYBODY)["Role"]["Arn"]
            iam.put_role_policy(RoleName="kit", PolicyName="everything", PolicyDocument=EVERYTHING)
        self.keys = {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}

    def client(self, service):
        """A client of AWS's own library, as a context."""
        return contextlib.closing(boto3.client(service, endpoint_url=self.url, region_name=REGION, **self.keys))

    def push(self, slug, call="identify", lines=LINES, keys=KEYS, **settings):
        """Push lines by the transport that the kit uses. Returns what became of each request."""
        values = {**PLACES[slug], "aws_region": REGION, **keys, **settings}
        connection = find(slug).configure("it", values, url=self.url)
        transport = HttpTransport(connection)
        try:
            requests = connection.requests(call, batch_of(lines), BUYERS)
            return [
                connection.judge(call, transport.send(request), request.lines[1] - request.lines[0])
                for request in requests
            ]
        finally:
            transport.close()


@pytest.fixture(scope="module")
def server():
    running = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    _, port = running.get_host_and_port()
    url = f"http://127.0.0.1:{port}"
    httpx.post(f"{url}/moto-api/config", json={"lambda": {"use_docker": False}})
    aws = Aws(url)
    made(aws)
    httpx.post(f"{url}/moto-api/reset-auth", content=b"0")  # from here on signatures and permissions count
    yield aws
    httpx.post(f"{url}/moto-api/reset-auth", content=b"inf")
    running.stop()


def made(aws):
    """Everything that the destinations write to."""
    with aws.client("s3") as s3:
        for bucket in ("lake", "delivered"):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    with aws.client("kinesis") as kinesis:
        kinesis.create_stream(StreamName="stream", ShardCount=1)
    with aws.client("firehose") as firehose:
        firehose.create_delivery_stream(
            DeliveryStreamName="delivery",
            ExtendedS3DestinationConfiguration={"RoleARN": aws.role, "BucketARN": "arn:aws:s3:::delivered"},
        )
    with aws.client("sqs") as sqs:
        queue = sqs.create_queue(QueueName="matched")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    with aws.client("events") as events:
        events.create_event_bus(Name="bus")
        pattern = json.dumps({"source": ["acme"], "detail-type": ["track"]})
        events.put_rule(Name="tracks", EventBusName="bus", EventPattern=pattern)
        events.put_targets(Rule="tracks", EventBusName="bus", Targets=[{"Id": "queue", "Arn": arn}])
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as packed:
        packed.writestr("echo.py", "def handler(event, context): return event")
    with aws.client("lambda") as functions:
        functions.create_function(
            FunctionName="echo",
            Runtime="python3.13",
            Role=aws.role,
            Handler="echo.handler",
            Code={"ZipFile": code.getvalue()},
        )


@pytest.fixture
def aws(server, monkeypatch):
    monkeypatch.setenv("KIT_KEY", server.keys["aws_access_key_id"])
    monkeypatch.setenv("KIT_SECRET", server.keys["aws_secret_access_key"])
    return server


def verdicts(outcomes):
    return [outcome.verdict for outcome in outcomes]


def said(messages):
    return [(message["type"], message["userId"], message["messageId"]) for message in messages]


def test_a_batch_is_one_file_in_s3_and_again_the_same(aws):
    for _ in range(2):
        assert verdicts(aws.push("amazon-s3")) == ["acknowledged"]

    with aws.client("s3") as s3:
        (file,) = s3.list_objects_v2(Bucket="lake", Prefix="personas/dt=all/identify/")["Contents"]
        text = s3.get_object(Bucket="lake", Key=file["Key"])["Body"].read().decode()
    messages = [json.loads(line) for line in text.splitlines()]
    assert file["Key"].endswith(".ndjson")
    assert text.endswith("}\n")
    assert said(messages) == [("identify", "u1", "m1"), ("identify", "u2", "m2")]
    assert messages[0]["traits"] == {"buyers": True, "email": "jürgen@example.com"}


def test_a_file_for_s3_goes_with_its_checksum_which_is_signed(monkeypatch):
    monkeypatch.setenv("KIT_KEY", "key")
    monkeypatch.setenv("KIT_SECRET", "secret")
    connection = find("amazon-s3").configure("it", {"bucket": "lake", "aws_region": REGION, **KEYS})
    (request,) = connection.requests("identify", batch_of(LINES), BUYERS)
    message = httpx.Request(request.method, request.url, content=request.content, headers=dict(request.headers))

    signed = next(connection.auth().sync_auth_flow(message))

    checksum = hashlib.md5(request.content, usedforsecurity=False).digest()
    assert base64.b64decode(signed.headers["content-md5"]) == checksum
    assert "content-md5;" in signed.headers["authorization"]


def test_records_lie_in_a_kinesis_stream_under_the_id_of_the_user(aws):
    assert verdicts(aws.push("amazon-kinesis", "track", LINES * 251)) == ["acknowledged", "acknowledged"]

    with aws.client("kinesis") as kinesis:
        (shard,) = kinesis.list_shards(StreamName="stream")["Shards"]
        start = kinesis.get_shard_iterator(
            StreamName="stream", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        records = kinesis.get_records(ShardIterator=start)["Records"]
    tracks = [record for record in records if json.loads(record["Data"])["type"] == "track"]
    assert [record["PartitionKey"] for record in tracks] == ["u1", "u2"] * 251
    assert said(json.loads(record["Data"]) for record in tracks[:2]) == [("track", "u1", "m1"), ("track", "u2", "m2")]


def test_firehose_delivers_lines_of_json(aws):
    assert verdicts(aws.push("amazon-kinesis-firehose", "track")) == ["acknowledged"]

    with aws.client("s3") as s3:
        files = s3.list_objects_v2(Bucket="delivered")["Contents"]
        texts = [s3.get_object(Bucket="delivered", Key=file["Key"])["Body"].read().decode() for file in files]
    messages = [json.loads(line) for text in texts for line in text.splitlines()]
    tracks = [message for message in messages if message["type"] == "track"]
    assert said(tracks) == [("track", "u1", "m1"), ("track", "u2", "m2")]


def test_a_rule_of_eventbridge_matches_source_and_kind(aws):
    assert verdicts(aws.push("amazon-eventbridge")) == ["acknowledged"]
    assert verdicts(aws.push("amazon-eventbridge", "track", LINES * 6)) == ["acknowledged", "acknowledged"]

    events = []
    with aws.client("sqs") as sqs:
        queue = sqs.get_queue_url(QueueName="matched")["QueueUrl"]
        while got := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            events += [json.loads(each["Body"]) for each in got]
    assert len(events) == 12
    assert {(event["source"], event["detail-type"], event["time"]) for event in events} == {
        ("acme", "track", "2026-11-01T12:00:00Z")
    }
    assert min(said(event["detail"] for event in events)) == ("track", "u1", "m1")


def test_a_function_is_called_with_an_array(aws):
    assert verdicts(aws.push("amazon-lambda", "group", [{**LINES[0], "account_id": "a1"}])) == ["acknowledged"]


@pytest.mark.parametrize("slug", PLACES)
def test_temporary_keys_are_sent_with_their_token(slug, aws, monkeypatch):
    with aws.client("sts") as sts:
        lent = sts.assume_role(RoleArn=aws.role, RoleSessionName="kit")["Credentials"]
    monkeypatch.setenv("KIT_KEY", lent["AccessKeyId"])
    monkeypatch.setenv("KIT_SECRET", lent["SecretAccessKey"])
    monkeypatch.setenv("KIT_TOKEN", lent["SessionToken"])

    assert verdicts(aws.push(slug, session_token=Secret("env", "KIT_TOKEN"))) == ["acknowledged"]


@pytest.mark.parametrize("slug", PLACES)
def test_a_wrong_key_stops_the_push(slug, aws, monkeypatch):
    monkeypatch.setenv("KIT_SECRET", "wrong")

    (outcome,) = aws.push(slug)
    assert (outcome.verdict, outcome.reason.partition(":")[0]) == ("fatal", "SignatureDoesNotMatch")


@pytest.mark.parametrize(
    ("slug", "setting", "code"),
    [
        ("amazon-s3", "bucket", "NoSuchBucket"),
        ("amazon-kinesis", "stream", "ResourceNotFoundException"),
        ("amazon-kinesis-firehose", "stream", "ResourceNotFoundException"),
    ],
)
def test_a_place_that_is_not_there_stops_the_push(slug, setting, code, aws):
    (outcome,) = aws.push(slug, **{setting: "nowhere"})

    assert (outcome.verdict, outcome.reason.partition(":")[0]) == ("fatal", code)


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine on which AWS's own tools find no keys."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return tmp_path


def test_without_keys_those_of_the_machine_are_used(aws, bare):
    keys = "\n".join(f"{name} = {value}" for name, value in aws.keys.items())
    (bare / "credentials").write_text(f"[default]\n{keys}\n", encoding="utf-8")

    assert verdicts(aws.push("amazon-kinesis", keys={})) == ["acknowledged"]


@pytest.mark.usefixtures("bare")
def test_nothing_is_sent_without_keys(aws):
    with pytest.raises(NotAllowedError) as none:
        aws.push("amazon-kinesis", keys={})
    assert "no keys for AWS were found" in none.value.reason


def test_half_a_pair_of_keys_is_no_pair(aws):
    with pytest.raises(NotAllowedError) as half:
        aws.push("amazon-kinesis", keys={"access_key_id": KEYS["access_key_id"]})
    assert "go together" in half.value.reason


def test_keys_that_cannot_be_read_are_not_repeated(aws, bare, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "work")
    (bare / "config").write_text("[profile work]\ncredential_process = echo hunter2\n", encoding="utf-8")

    with pytest.raises(NotAllowedError) as unread:
        aws.push("amazon-kinesis", keys={})
    assert "cannot be read" in unread.value.reason
    assert "hunter2" not in unread.value.reason


def test_what_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "botocore", None)
    monkeypatch.setitem(sys.modules, "botocore.auth", None)
    connection = find("amazon-kinesis").configure("it", {"stream": "s", "aws_region": REGION})

    with pytest.raises(ConfigError) as missing:
        connection.auth()
    assert missing.value.hint == "pip install 'personas-kit[aws]'"


def test_the_token_is_in_no_log(monkeypatch, caplog):
    log = logging.getLogger("botocore")
    monkeypatch.setattr(log, "level", logging.NOTSET)
    for name in ("KIT_KEY", "KIT_SECRET", "KIT_TOKEN"):
        monkeypatch.setenv(name, f"canary-{name}")
    values = {"bucket": "lake", "aws_region": REGION, **KEYS, "session_token": Secret("env", "KIT_TOKEN")}
    connection = find("amazon-s3").configure("it", values)
    (request,) = connection.requests("identify", batch_of(LINES), BUYERS)
    message = httpx.Request(request.method, request.url, content=request.content, headers=dict(request.headers))

    with caplog.at_level(logging.DEBUG):
        signed = next(connection.auth().sync_auth_flow(message))
    log.setLevel(logging.NOTSET)

    assert signed.headers["x-amz-security-token"] == "canary-KIT_TOKEN"
    assert "canary" not in caplog.text


def test_what_firehose_gets_ends_with_a_line_break():
    connection = find("amazon-kinesis-firehose").configure("it", {"stream": "s", "aws_region": REGION})
    (request,) = connection.requests("identify", batch_of(LINES), BUYERS)

    ends = [base64.b64decode(record["Data"])[-2:] for record in request.body()["Records"]]
    assert ends == [b"}\n", b"}\n"]


@pytest.mark.parametrize("region", ["evil.com/", "eu-west-1.evil.com", "EU-WEST-1", ""])
def test_a_region_is_no_way_to_another_host(region):
    with pytest.raises(ConfigError, match="'aws_region' cannot be"):
        find("amazon-kinesis").configure("it", {"stream": "s", "aws_region": region})
