"""What PostgreSQL and its driver say when they refuse, in words that may be shown, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from personas_kit.warehouses.frames import MESSAGE_LENGTH

#: What to do about an error, by its code. (https://www.postgresql.org/docs/current/errcodes-appendix.html)
HINTS: Mapping[str, str] = {
    "28P01": "check user and password of {name}: in pg_service.conf, the password file, or what `url` refers to",
    "28000": "the server refuses this user from here: its pg_hba.conf, or the role's LOGIN",
    "3D000": "check `database` under [warehouse], or dbname of {name}",
    "42501": "ask for the grant: GRANT USAGE ON SCHEMA ... and GRANT SELECT ON TABLE ... TO {role}",
    "42P01": "check the name; a table that was dropped or renamed has to be changed under [source], too",
    "42703": "a column was renamed or dropped: personas check says which of [source] or of the definitions names it",
    "53300": "the server has no connection left: close other sessions, or raise max_connections",
    "25006": "the kit only reads; let the owner of the data write it",
    "57P01": "somebody or a restart ended the session: run it again",
    "57P02": "the server crashed: run it again",
    "57P03": "the server is starting or stopping: run it again in a moment",
}
#: What a failure to connect says, by a piece of libpq's words: those name host, port and user, these do not.
FAILURES: Mapping[str, tuple[str, str]] = {
    "password authentication failed": ("the password is wrong", HINTS["28P01"]),
    "no password supplied": ("the server asks for a password, and there is none", HINTS["28P01"]),
    "pg_hba.conf": ("the server refuses this user from here", HINTS["28000"]),
    "is not permitted to log in": ("this role may not log in", HINTS["28000"]),
    "definition of service": (
        "there is no such service",
        "write a section [{name}] in ~/.pg_service.conf, or in the file that PGSERVICEFILE names",
    ),
    "does not exist": ("there is no such database or role", HINTS["3D000"]),
    "connection refused": ("nobody listens there", "is the server running? check host and port of {name}"),
    "could not translate host name": ("the name of the host is not known", "check host of {name}, and the network"),
    "name or service not known": ("the name of the host is not known", "check host of {name}, and the network"),
    "timeout": ("it does not answer", "check host and port of {name}, and the network: firewall, VPN, tunnel"),
    "too many": ("it has no connection left", HINTS["53300"]),
    "starting up": ("the server is starting", HINTS["57P03"]),
    "shutting down": ("the server is stopping", HINTS["57P03"]),
}

#: What follows a colon in quotes is a value of the data.
_VALUE = re.compile(r':\s*".*', re.DOTALL)


def words_of(message: str) -> str:
    """The words of a refusal, in one line, without the value that could not be read."""
    return _VALUE.sub("", " ".join(message.split()))[:MESSAGE_LENGTH]


def why_unreached(said: str) -> tuple[str, str]:
    """What kept a connection from being made, and what to do: the driver's own words name host, port and user."""
    known = (words for piece, words in FAILURES.items() if piece in said.casefold())
    return next(known, ("no connection", "try psql with the same settings: it says more than may be repeated here"))
