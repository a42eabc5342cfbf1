"""Which addresses may be sent to: how a ``url`` may be written, and what kind of place an IP address is.

A url is read by one strict pattern, so that nothing depends on how a parser mends what is odd: no user, no query, no
number written another way, one spelling for each address. What a name means is found out when a connection is opened
(``personas_kit.activation.network``), and held against ``kind_of``.

The kinds of IP addresses are a table of our own, since the one in Python's library differs between its versions.
Source: the special-purpose address registries of IANA, https://www.iana.org/assignments/iana-ipv4-special-registry and
.../iana-ipv6-special-registry (read 2026-11-23); the addresses at which clouds hand out credentials:
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html (169.254.169.254, fd00:ec2::254),
https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16, Alibaba's 100.100.100.200 as
cloud-init has it, and Google's fd20:ce::254 (all read 2026-11-26).
"""

from __future__ import annotations

import ipaddress
import re
from typing import Literal

from personas_kit.errors import ConfigError

Kind = Literal["public", "private", "loopback", "never"]
"""``private``: within a company; ``loopback``: this machine; ``never``: no receiver can be there."""

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address

ALLOW_PRIVATE = "allow_private = true"
"""What a person writes into a destination's block whose receiver lies inside the company."""

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""Where plain http may go."""

LEAST_PORT = 1024
WELL_KNOWN_PORTS = frozenset({80, 443})
"""Below ``LEAST_PORT`` only these: nobody takes events where mail, shells and databases listen."""

_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?",
    re.ASCII,
)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_LONGEST_NAME, _MOST_PORTS = 253, 65_535

#: The first network that holds an address says its kind; one in none of them is public (IPv6: not assigned, never).
_KINDS: tuple[tuple[str, Kind], ...] = (
    # Where clouds hand out credentials, whatever else holds of the networks around them.
    ("100.100.100.200/32", "never"),
    ("168.63.129.16/32", "never"),
    ("fd00:ec2::/32", "never"),
    ("fd20:ce::254/128", "never"),
    # This machine, and networks of companies; 100.64.0.0/10 is between carriers and in private meshes.
    ("127.0.0.0/8", "loopback"),
    ("::1/128", "loopback"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "private"),
    ("172.16.0.0/12", "private"),
    ("192.168.0.0/16", "private"),
    ("fc00::/7", "private"),
    # Unspecified, link-local, protocols, documentation, benchmarks, multicast, reserved.
    ("0.0.0.0/8", "never"),
    ("169.254.0.0/16", "never"),
    ("192.0.0.0/24", "never"),
    ("192.0.2.0/24", "never"),
    ("192.88.99.0/24", "never"),
    ("198.18.0.0/15", "never"),
    ("198.51.100.0/24", "never"),
    ("203.0.113.0/24", "never"),
    ("224.0.0.0/4", "never"),
    ("240.0.0.0/4", "never"),
    ("2001::/23", "never"),  # protocols, Teredo among them
    ("2001:db8::/32", "never"),
    ("2002::/16", "never"),  # 6to4
    ("3fff::/20", "never"),
    ("2000::/3", "public"),
    ("::/0", "never"),
)
_NETWORKS = tuple((ipaddress.ip_network(network), kind) for network, kind in _KINDS)
#: IPv6 addresses that are an IPv4 address in their last 32 bits: mapped ones, and those that a NAT64 translates.
_EMBEDDING = tuple(ipaddress.IPv6Network(network) for network in ("::ffff:0:0/96", "64:ff9b::/96"))


def kind_of(address: Ip) -> Kind:
    """What kind of place an address is. One that carries an IPv4 address is as that one."""
    if isinstance(address, ipaddress.IPv6Address) and any(address in network for network in _EMBEDDING):
        return kind_of(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    return next((kind for network, kind in _NETWORKS if address in network), "public")


def kinds_allowed(scheme: str, *, allow_private: bool) -> frozenset[Kind]:
    """The kinds of places that a connection may go to: plain http to this machine only, https to the outside."""
    if scheme == "http":
        return frozenset({"loopback"})
    return frozenset({"public", "private", "loopback"}) if allow_private else frozenset({"public"})


def literal(host: str) -> Ip | None:
    """The address that a host is, in the one spelling that is allowed; None for a name."""
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None


def checked_url(url: object, *, allow_private: bool = False) -> str:
    """The url of a destination as a person wrote it, without a slash at its end.

    Raises:
        ConfigError: it is not allowed. It is not repeated: a secret may stand in it.
    """
    why = _wrong(url, allow_private=allow_private)
    if why:
        raise ConfigError(f"this url is not allowed: {why[0]}", hint=why[1])
    return str(url).rstrip("/")


_SHAPE = "write https://host/path, or http://localhost:port; no user, no ?query: secrets go into settings"


def _wrong(url: object, *, allow_private: bool) -> tuple[str, str] | None:
    """What is wrong with a url, and what to write instead; None if nothing is."""
    found = _URL.fullmatch(url) if isinstance(url, str) else None
    if found is None:
        return "it is not an address of the form https://host/path", _SHAPE
    scheme, host, port = found["scheme"], found["host"].lower(), int(found["port"] or 443)
    if port > _MOST_PORTS or (port < LEAST_PORT and port not in WELL_KNOWN_PORTS):
        return "no receiver listens at this port", "leave it out, or use 80, 443 or one from 1024"
    if scheme == "http" and host not in LOCAL_NAMES:
        return "plain http goes to this machine only", _SHAPE
    address = literal(host)
    if address is None:
        return _wrong_name(host)
    kind = kind_of(address)
    if kind in kinds_allowed(scheme, allow_private=allow_private):
        return None
    if kind == "never":
        return "no receiver can have this address", _SHAPE
    return "it lies inside a private network", f"if that is right, add {ALLOW_PRIVATE} beside it"


def _wrong_name(host: str) -> tuple[str, str] | None:
    labels = host.split(".")
    if host.startswith("[") or _NUMBER.fullmatch(labels[-1]):
        return "its address is written in an unusual way", "write four decimal numbers, or a name"
    if len(host) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, labels)):
        return "its host is not a name", "write it in letters, digits, dots and hyphens; other scripts as xn--..."
    return None
