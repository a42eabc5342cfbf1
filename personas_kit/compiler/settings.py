"""What ``[source]`` of ``personas.toml`` says: names of tables and columns, all optional but the users' id.

Plain dataclasses; ``pydantic.TypeAdapter(SourceSettings)`` reads the parsed file into them and refuses other keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

_EXACT: dict[str, Any] = {"extra": "forbid"}


@dataclass(frozen=True)
class UserSettings:
    """The users: one line each, further columns are traits. Before ``since`` a user does not exist."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _EXACT
    table: str = ""
    id: str = ""
    since: str = ""


@dataclass(frozen=True)
class AccountSettings:
    """The accounts: one line each, further columns are traits. Before ``since`` an account does not exist."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _EXACT
    table: str = ""
    id: str = ""
    since: str = ""


@dataclass(frozen=True)
class MembershipSettings:
    """Which user belongs to which account, in ``valid_from <= t < valid_to``; a missing end is open."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _EXACT
    table: str = ""
    user: str = ""
    account: str = ""
    valid_from: str = ""
    valid_to: str = ""


@dataclass(frozen=True)
class IdentitySettings:
    """Which identifier is which user's; of ``type``, only ``anonymous_type`` resolves events."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _EXACT
    table: str = ""
    user: str = ""
    value: str = ""
    type: str = ""
    since: str = ""
    anonymous_type: str = "anonymous_id"


@dataclass(frozen=True)
class EventSettings:
    """The events: one ``table`` with the event's ``name`` in a column, or ``tables``: event name -> its own table.

    Properties are the other columns, or the keys of one JSON column ``properties``.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _EXACT
    table: str = ""
    tables: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    at: str = ""
    user: str = ""
    anonymous: str = ""
    account: str = ""
    id: str = ""
    properties: str = ""


@dataclass(frozen=True)
class SourceSettings:
    """``[source]``: where users, accounts, memberships, identities and events lie."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _EXACT
    timezone: str = ""
    preset: str = ""
    users: UserSettings = field(default_factory=UserSettings)
    accounts: AccountSettings | None = None
    memberships: MembershipSettings | None = None
    identities: IdentitySettings | None = None
    events: EventSettings | None = None
