"""The dialect that Segment, RudderStack and their likes share: one message per change, in a batch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import polars as pl

from personas_kit.destinations.base import Call, Computation, Fields, Post
from personas_kit.destinations.encode import Json, constant, obj

ENVELOPE = ('{"batch":[', "]}")
"""A batch; ``sentAt`` is left out, so that a repeated delivery has the same bytes."""


def identify(c: Fields) -> Json:
    """The value as a trait of the user, with the identifiers that are mapped."""
    return obj(
        type="identify",
        messageId=c.message_id,
        userId=c.user_id,
        timestamp=c.timestamp,
        traits=c.traits,
        context=_context(c),
        **_integrations(c.computation),
    )


def track(c: Fields) -> Json:
    """Audience Entered or Audience Exited; identifiers go into ``context.traits``, where destinations look for them."""
    traits = {"traits": obj(c.identifiers)} if c.ids else {}
    return obj(
        type="track",
        messageId=c.message_id,
        userId=c.user_id,
        timestamp=c.timestamp,
        event=c.event,
        properties=c.properties,
        context=_context(c, traits),
        **_integrations(c.computation),
    )


def group(c: Fields) -> Json:
    """The value as a trait of the account. No user did it, and some gateways refuse a call without one."""
    return obj(
        type="group",
        messageId=c.message_id,
        groupId=c.account_id,
        anonymousId=pl.concat_str(pl.lit("account:"), c.account_id),
        timestamp=c.timestamp,
        traits=c.own_traits,
        context=_context(c),
        **_integrations(c.computation),
    )


def posts(path: str) -> Mapping[Call, Post]:
    """The three calls, at one address."""
    return {
        "identify": Post(path, identify, ENVELOPE),
        "track": Post(path, track, ENVELOPE),
        "group": Post(path, group, ENVELOPE),
    }


def _context(c: Fields, more: Mapping[str, Json] | None = None) -> Json:
    """``context.personas`` as destinations of Segment Personas read it; the id is ours, and the same in every run."""
    about = c.computation
    kind = "audience" if about.kind.endswith("audience") else "trait"
    prefix = "aud" if kind == "audience" else "tra"
    computed = {
        "computation_class": kind,
        "computation_id": f"{prefix}_{hashlib.sha256(about.key.encode()).hexdigest()[:27]}",
        "computation_key": about.key,
    }
    return obj({"personas": constant(computed), **(more or {})})


def _integrations(computation: Computation) -> Mapping[str, Json]:
    """Only the destinations named, where any are named; else the gateway's own routing."""
    if not computation.integrations:
        return {}
    return {"integrations": constant({"All": False, **dict.fromkeys(computation.integrations, True)})}
