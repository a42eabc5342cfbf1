"""What Snowflake says when it refuses, in one line that may be shown, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from personas_kit.warehouses.frames import MESSAGE_LENGTH

#: What to do about an error, by a piece of its words; the first that fits.
_HINTS: Mapping[str, str] = {
    "incorrect username or password": "check user and password, key or token under [{name}] in connections.toml",
    "not found in config files": "connections.toml (in ~/.snowflake or $SNOWFLAKE_HOME) has no section [{name}]",
    "failed to parse toml": "mend that line of the file",
    # https://docs.snowflake.com/en/user-guide/key-pair-auth-troubleshooting, read 2026-11-23
    "jwt token": "the key, user or account under [{name}] do not fit each other, or the clock here is wrong; an "
    "administrator sees why: SELECT SYSTEM$GET_LOGIN_FAILURE_DETAILS('<the id in brackets>')",
    "token is invalid": "make a new token and put it where [{name}] of connections.toml reads it",
    "token has expired": "log in again: a new token, or `authenticator` = the single sign-on, under [{name}]",
    "token expired": "make a new token and put it where [{name}] of connections.toml reads it",
    "multi-factor": "on a schedule nobody can answer: use a key pair, a token or a workload identity under [{name}]",
    "is not allowed to access snowflake": "the account's network policy does not know this machine: its administrator "
    "can add it, or work from inside the VPN",
    "user access disabled": "an administrator has to enable the user: ALTER USER ... SET DISABLED = FALSE",
    "temporarily locked": "too many wrong logins: wait a quarter of an hour, or ask an administrator",
    "invalid identifier": "a column was renamed or dropped: personas check says which of [source] or of the "
    "definitions names it",
    "warehouse does not exist": "check `warehouse`; if it is right: GRANT USAGE ON WAREHOUSE ... TO ROLE {role}",
    "current database": "set `database` for the connection",
    "no active warehouse": "set `warehouse` for the connection, start it (ALTER WAREHOUSE ... RESUME), "
    "or grant it: GRANT USAGE ON WAREHOUSE ... TO ROLE {role}",
    # https://docs.snowflake.com/en/sql-reference/transactions, "Resource locking", read 2026-11-27
    "has locked table": "somebody else is writing there: run it again in a moment",
    "cannot be resumed": "its owner can raise the quota of the resource monitor, or name another `warehouse`",
    "suspended": "its owner can start it: ALTER WAREHOUSE ... RESUME",
    "does not exist": "check the name; if it is right, {role} may not see it: "
    "GRANT SELECT ON TABLE ... TO ROLE {role}, and USAGE on its database and schema",
    "insufficient privileges": "ask for the grant: GRANT SELECT ON TABLE ... TO ROLE {role}",
    "failed to login": "check `account` under [{name}] in connections.toml, and the network: proxy, VPN, policy",
    "http request failed": "check the network and run it again: nothing was left half-done",
    "next batch": "the answer was damaged on its way: run it again, nothing was left half-done",
}

#: What the connector and the server put before and after the words of an error.
_CODES = re.compile(r"^(?:[0-9a-f]{8}-[0-9a-f-]{27}: |\d{6}: |\d{6} \(\w{5}\): )+")
_HEADING = re.compile(r" error:$|error line \d+ at position \d+$")
_QUERY_ID = re.compile(r" ?\((?:sfqid|request_id)=[0-9a-f-]+\)$")
#: A value of the data that could not be read, such as ``Numeric value 'abc' is not recognized``.
_VALUE = re.compile(r"\b(?P<what>(?:\w+ )?value|date|time|timestamp|string|variant value) '[^']*'", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://\S+")


def words_of(message: str) -> str:
    """What an error says, in one line: no codes, no heading such as ``SQL compilation error:``, no value."""
    plain = _QUERY_ID.sub("", _CODES.sub("", message.strip()))
    lines = [line.strip() for line in plain.splitlines() if line.strip()]
    said = next((line for line in lines if not _HEADING.search(line)), "no reason given")
    return _VALUE.sub(r"\g<what> '...'", _ADDRESS.sub("its address", said))[:MESSAGE_LENGTH].rstrip()


def hint_for(said: str, *, name: str, role: str) -> str:
    """What to do about an error that says this; empty where nothing is known."""
    found = next((hint for piece, hint in _HINTS.items() if piece in said.casefold()), "")
    return found.format(name=name, role=role)
