"""Where a request may go: how a url may be written, what a name may mean, and that it means it once."""

import ipaddress
from collections import deque

import httpx
import pytest

from personas_kit.activation.courier import Courier
from personas_kit.activation.pacing import Pacer
from personas_kit.activation.stopping import Stop
from personas_kit.activation.transport import HttpTransport, NotAllowedError
from personas_kit.clock import SystemClock
from personas_kit.config import load
from personas_kit.destinations import DESTINATIONS, Computation, Request
from personas_kit.destinations.addresses import checked_url, kind_of
from personas_kit.errors import ConfigError
from tests.destinations.conftest import batch_of, settings_of
from tests.security.receivers import PUBLIC, Receiver, Rerouted, hook, segment

ALLOWED, PRIVATE, REFUSED = "allowed", "allowed if allow_private", "refused"

#: Every url is decided when it is written; what a name means is looked at when it is connected to.
URLS = [
    # plain
    ("https://receiver.example", ALLOWED),
    ("https://receiver.example/", ALLOWED),
    ("https://receiver.example/in/a%20b?", REFUSED),
    ("https://receiver.example/in/a%20b", ALLOWED),
    ("HTTPS://receiver.example", REFUSED),
    ("https://Receiver.Example", ALLOWED),
    ("https://xn--bcher-kva.example", ALLOWED),
    ("https://bücher.example", REFUSED),
    ("https://receiver。example", REFUSED),  # a full stop of another script, which some parsers take for a dot
    ("https://ⓡeceiver.example", REFUSED),
    ("https://intranet", ALLOWED),  # what it means is looked at later
    ("ftp://receiver.example", REFUSED),
    ("file:///etc/passwd", REFUSED),
    ("gopher://127.0.0.1:6379/_SET", REFUSED),
    ("receiver.example", REFUSED),
    ("//receiver.example", REFUSED),
    ("https:receiver.example", REFUSED),
    ("https:///receiver.example", REFUSED),
    ("", REFUSED),
    # what hides a host
    ("https://user@receiver.example", REFUSED),
    ("https://user:secret@receiver.example", REFUSED),
    ("https://receiver.example@evil.example", REFUSED),
    ("https://receiver.example\\@evil.example", REFUSED),
    ("https://evil.example#@receiver.example", REFUSED),
    ("https://evil.example?@receiver.example", REFUSED),
    ("https://receiver.example?key=1", REFUSED),
    ("https://receiver.example#part", REFUSED),
    ("https://receiver.example/\r\nX-Injected: 1", REFUSED),
    ("https://receiver.example/a b", REFUSED),
    ("\thttps://receiver.example", REFUSED),
    ("https://receiver.example/in\n", REFUSED),
    ("https://receiver%2eexample", REFUSED),
    ("https://receiver.example/%zz", REFUSED),
    # names that are none
    ("https://receiver.example.", REFUSED),
    ("https://.receiver.example", REFUSED),
    ("https://receiver..example", REFUSED),
    ("https://-receiver.example", REFUSED),
    ("https://receiver_1.example", REFUSED),
    (f"https://{'a' * 64}.example", REFUSED),
    (f"https://{'a.' * 130}example", REFUSED),
    # ports
    ("https://receiver.example:443", ALLOWED),
    ("https://receiver.example:8443", ALLOWED),
    ("https://receiver.example:80", ALLOWED),
    ("https://receiver.example:", REFUSED),
    ("https://receiver.example:0", REFUSED),
    ("https://receiver.example:22", REFUSED),
    ("https://receiver.example:25", REFUSED),
    ("https://receiver.example:0443", REFUSED),
    ("https://receiver.example:65536", REFUSED),
    ("https://receiver.example:https", REFUSED),
    # this machine
    ("http://127.0.0.1:8765", ALLOWED),
    ("http://localhost:8765/in", ALLOWED),
    ("http://[::1]:8765", ALLOWED),
    ("http://127.0.0.2:8765", REFUSED),
    ("http://localhost.example:8765", REFUSED),
    ("http://receiver.example", REFUSED),
    ("http://10.0.0.5", REFUSED),
    ("https://127.0.0.1", PRIVATE),
    ("https://[::1]", PRIVATE),
    ("https://[::ffff:127.0.0.1]", PRIVATE),
    # other spellings of 127.0.0.1
    ("https://2130706433", REFUSED),
    ("https://017700000001", REFUSED),
    ("https://0x7f000001", REFUSED),
    ("https://0x7f.1", REFUSED),
    ("https://0177.0.0.1", REFUSED),
    ("https://127.1", REFUSED),
    ("https://127.0.0.1.", REFUSED),
    ("https://127.0.0.01", REFUSED),
    ("https://①②⑦.0.0.1", REFUSED),
    ("https://1.2.3.4.5", REFUSED),
    ("https://256.1.1.1", REFUSED),
    ("https://receiver.0x", REFUSED),
    # addresses
    ("https://93.184.216.34", ALLOWED),
    ("https://[2606:2800:220:1:248:1893:25c8:1946]", ALLOWED),
    ("https://10.0.0.5", PRIVATE),
    ("https://192.168.1.1:8443", PRIVATE),
    ("https://100.64.0.1", PRIVATE),
    ("https://[fd12:3456::1]", PRIVATE),
    ("https://0.0.0.0", REFUSED),
    ("https://169.254.169.254", REFUSED),
    ("https://[::ffff:169.254.169.254]", REFUSED),
    ("https://[::ffff:a9fe:a9fe]", REFUSED),
    ("https://[fd00:ec2::254]", REFUSED),
    ("https://[fe80::1%25eth0]", REFUSED),
    ("https://[fe80::1]", REFUSED),
    ("https://[::]", REFUSED),
    ("https://[::1", REFUSED),
    ("https://[1:2]", REFUSED),
]


@pytest.mark.parametrize(("url", "verdict"), URLS)
def test_how_a_url_may_be_written(url, verdict):
    for private in (False, True):
        if verdict == ALLOWED or (verdict == PRIVATE and private):
            assert checked_url(url, allow_private=private) == url.rstrip("/")
        else:
            with pytest.raises(ConfigError, match="this url is not allowed") as raised:
                checked_url(url, allow_private=private)
            assert ("allow_private = true" in raised.value.hint) == (verdict == PRIVATE)
            assert not url.strip("/") or url not in str(raised.value)


@pytest.mark.parametrize(("url", "verdict"), [case for case in URLS if case[1] != REFUSED])
def test_what_sends_reads_an_allowed_url_the_same_way(url, verdict):
    read = httpx.URL(url)
    host = url.split("://")[1].split("/")[0].lower()

    assert host in {read.netloc.decode(), f"{read.netloc.decode()}:443"}
    assert (read.username, read.query, read.fragment) == ("", b"", "")


@pytest.mark.parametrize("url", [None, 7, {"env": "HOOK"}, ["https://receiver.example"]])
def test_a_url_is_a_text(url):
    with pytest.raises(ConfigError, match="this url is not allowed"):
        checked_url(url)


@pytest.mark.parametrize("slug", sorted(DESTINATIONS))
def test_the_hosts_that_destinations_bring_along_are_allowed_and_public(slug):
    settings = {name: str(value) for name, value in settings_of(slug).items()}
    defaults = {each.name: each.default for each in DESTINATIONS[slug].settings}
    for host in DESTINATIONS[slug].hosts.values():
        filled = host.format_map({**defaults, **settings})
        assert checked_url(filled) == filled
        assert filled.startswith("https://")


# ------------------------------------------------------------------------------------------------------------ addresses

WHICH = {
    "public": """8.8.8.8 1.1.1.1 93.184.216.34 172.15.255.255 172.32.0.0 100.63.255.255 100.128.0.0 2606:4700::1111
        2a00:1450::1 ::ffff:8.8.8.8 64:ff9b::8.8.8.8""",
    "private": """10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 100.64.0.1 100.127.255.255 fc00::1
        fdff::1 ::ffff:10.0.0.1 64:ff9b::10.0.0.1""",
    "loopback": "127.0.0.1 127.255.255.254 ::1 ::ffff:127.0.0.1 64:ff9b::7f00:1",
    "never": """0.0.0.0 0.1.2.3 169.254.0.1 169.254.169.254 192.0.0.8 192.0.2.1 192.88.99.1 198.18.0.1 198.51.100.1
        203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 100.100.100.200 168.63.129.16 fd00:ec2::254
        fd20:ce::254 :: ::127.0.0.1 ::8.8.8.8 ::ffff:0.0.0.0 64:ff9b::169.254.169.254 64:ff9b:1::8.8.8.8 100::1
        2001::1 2001:db8::1 2002:7f00:1:: 2002:808:808::1 3fff::1 4000::1 5f00::1 fe80::1 fe80::1%eth0 fec0::1
        ff02::1""",
}
KINDS = [(address, kind) for kind, addresses in WHICH.items() for address in addresses.split()]


@pytest.mark.parametrize(("address", "kind"), KINDS)
def test_the_kind_of_an_address(address, kind):
    assert kind_of(ipaddress.ip_address(address)) == kind


@pytest.mark.parametrize(("address", "kind"), [case for case in KINDS if case[1] != "public"])
def test_an_address_that_is_not_public_is_refused_wherever_it_stands_among_the_others(address, kind):
    for order in ([address], [PUBLIC, address], [address, PUBLIC], [PUBLIC, "2606:4700::1111", address]):
        with Receiver() as receiver, pytest.raises(NotAllowedError) as raised:
            reach(hook("https://receiver.example"), receiver, order)
        assert receiver.requests == []
        assert ("allow_private = true" in raised.value.reason) == (kind != "never")
        assert address not in raised.value.reason


def reach(connection, receiver, *answers, requests=1):
    """Send so many requests, each over a connection of its own; names are answered from a list, then no more."""
    resolver, sockets = deque(answers), Rerouted(receiver.port)
    transport = HttpTransport(connection, resolve=lambda *_: resolver.popleft(), sockets=sockets)
    try:
        for _ in range(requests):
            transport.send(Request("POST", connection.home, {"content-type": "application/json"}, b"[]"))
            for wire in transport._open:
                wire.close()
    finally:
        transport.close()
    return sockets.dialled


@pytest.fixture
def plain(monkeypatch):
    """Leaves TLS out, so that the way to a public host can end at a receiver of the test."""
    monkeypatch.setattr("personas_kit.activation.network._Stream.start_tls", lambda stream, *_, **__: stream)


def test_a_name_that_means_something_else_the_next_moment_gains_nothing(plain):
    with Receiver() as receiver:
        dialled = reach(hook("https://receiver.example"), receiver, [PUBLIC], ["127.0.0.1"])
        assert dialled == [(PUBLIC, 443)]  # what was checked is what was connected to; nobody asked again

        with pytest.raises(NotAllowedError):
            reach(hook("https://receiver.example"), receiver, [PUBLIC], ["127.0.0.1"], requests=2)
    assert len(receiver.requests) == 2


@pytest.mark.parametrize("address", ["10.0.0.5", "192.168.1.1", "100.64.0.1", "fd12::1", "127.0.0.1", "::1", PUBLIC])
def test_a_company_may_allow_its_own_network(plain, address):
    with Receiver() as receiver:
        dialled = reach(hook("https://receiver.example", allow_private=True), receiver, [address])
    assert dialled == [(address, 443)]


@pytest.mark.parametrize("address", ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "fe80::1", "ff02::1"])
def test_nobody_may_allow_what_hands_out_credentials(address):
    with Receiver() as receiver, pytest.raises(NotAllowedError, match="no receiver can have"):
        reach(hook("https://receiver.example", allow_private=True), receiver, [address])


@pytest.mark.parametrize("address", [PUBLIC, "10.0.0.5", "169.254.169.254"])
def test_plain_http_stays_on_this_machine_whatever_localhost_means(address):
    for private in (False, True):
        with Receiver() as receiver, pytest.raises(NotAllowedError):
            reach(hook("http://localhost:8080", allow_private=private), receiver, ["127.0.0.1", address])
        assert receiver.requests == []


@pytest.mark.parametrize("address", ["10.0.0.5", "127.0.0.1", "169.254.169.254"])
def test_the_own_host_of_a_destination_is_looked_at_too(address):
    with Receiver() as receiver, pytest.raises(NotAllowedError):
        reach(segment(), receiver, [address])
    assert receiver.requests == []


def test_where_nothing_may_go_stops_the_push_with_a_hint_and_leaves_nothing_in_doubt():
    clock, connection = SystemClock(), hook("https://receiver.example")
    batch = batch_of([{"user_id": "u1", "change": "enter", "value": "true", "message_id": "m1"}])
    batch = batch.with_columns(was_unknown=False)
    computation = Computation("vips", "audience", "Vips")
    requests = connection.requests("identify", batch, computation)
    transport = HttpTransport(connection, resolve=lambda *_: ["10.0.0.5"])
    courier = Courier(connection, "identify", computation, transport, clock, Pacer((), None, clock), Stop())
    tally = courier.deliver(batch, requests, [0])

    assert (tally.fatal, tally.unsent, tally.unknown) == (True, {0}, set())
    assert "allow_private = true" in tally.stopped
    assert "10.0.0.5" not in tally.stopped


# ------------------------------------------------------------------------------------------------------------- settings

FILE = """
[warehouse]
path = "w.duckdb"
[source]
users = {{ table = "users", id = "user_id" }}
[destinations.hook]
type = "webhook"
{more}
"""


def configured(tmp_path, more):
    file = tmp_path / "personas.toml"
    file.write_text(FILE.format(more=more), encoding="utf-8")
    return load(file).destinations["hook"].connect(None, "")


def test_a_private_receiver_is_allowed_in_the_file_and_is_the_same_account(tmp_path):
    public = configured(tmp_path, 'url = "https://receiver.example"')
    private = configured(tmp_path, 'url = "https://receiver.example"\nallow_private = true')

    assert (public.allow_private, private.allow_private) == (False, True)
    assert public.target == private.target


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ('url = "https://10.0.0.5"', "it lies inside a private network"),
        ('url = "https://receiver.example"\nallow_private = "yes"', "it is true or false"),
        ('url = { env = "HOOK" }', "this url is not allowed"),
        ('url = "http://receiver.example"', "plain http goes to this machine only"),
    ],
)
def test_what_the_file_may_not_say(tmp_path, more, what):
    with pytest.raises(ConfigError, match=what) as raised:
        configured(tmp_path, more)
    assert "personas.toml: destinations.hook" in raised.value.where
