"""What the kit's state says of a sync, in the words of the vendors: who is there, and with which value."""

from __future__ import annotations

import json

import polars as pl

from personas_kit.activation.state import SyncState
from personas_kit.activation.sync import Sync
from tests.soak.definitions import Held

Where = tuple[str, str, str]
"""The vendor, the call, and the key of the definition; or the id of the list."""


def place_of(sync: Sync) -> Where:
    """Where a sync's members are."""
    return sync.destination, sync.call, sync.place if sync.call == "list" else sync.key


def plain(member: str) -> str:
    """The address alone, where a member is one."""
    return str(next(iter(json.loads(member).values()))) if member.startswith("{") else member


def acknowledged(state: SyncState) -> dict[str, object]:
    """Who is acknowledged, and with which value; nobody whose value says nothing."""
    frame = state.acknowledged
    if "value" not in frame.columns:
        return dict.fromkeys(map(plain, frame["member"].cast(pl.String)), True)
    values = ((plain(str(member)), json.loads(value)) for member, value in frame.select("member", "value").iter_rows())
    return {member: float(value) for member, value in values if value}


def said(value: str) -> object:
    """A value as a vendor keeps it: nothing for null, 0 and false."""
    return json.loads(value) or None


def unknown_of(state: SyncState) -> set[str]:
    """Who is unknown."""
    return set(map(plain, state.unknown["member"].cast(pl.String)))


def different(one: Held, other: Held, state: SyncState) -> set[str]:
    """Who is not alike, but for whom the destination refuses."""
    refused = set(map(plain, state.rejects["member"].cast(pl.String)))
    return {who for who in one.keys() | other.keys() if not same(one.get(who), other.get(who)) and who not in refused}


def same(one: object, other: object) -> bool:
    """Whether two values say the same: nothing, 0 and false are alike."""
    if not one or not other:
        return not one and not other
    return abs(float(one) - float(other)) < 1e-6  # type: ignore[arg-type]
