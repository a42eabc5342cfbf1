"""Why each change of a plan is due: literal worlds, each told by what has happened since the last push."""

from __future__ import annotations

import datetime as dt
import io
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest import mock

import duckdb
import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from rich.console import Console

import personas_kit as pk
from personas_kit import (
    AccountAudience,
    AccountTrait,
    Audience,
    SqlAudience,
    Trait,
    any_user,
    event,
    in_audience,
    no_user,
    trait,
)
from personas_kit.activation.causes import CAUSES, EDITED, MERGED, MOST_IDS, MOVED, NEW, TIME, UPSTREAM, WITHDRAWN, Case
from personas_kit.activation.due import Occasion
from personas_kit.activation.forgetting import Forgotten
from personas_kit.activation.planning import Draft
from personas_kit.activation.state import SyncState, reject_frame, unknown_frame
from personas_kit.activation.sync import Sync
from personas_kit.activation.wanted import wanted_by
from personas_kit.cli.terminal import show_plan
from personas_kit.clock import SystemClock
from personas_kit.compiler import bind, compile_definition
from personas_kit.compiler.settings import UserSettings
from personas_kit.config import Config, SyncSettings, WarehouseSettings
from personas_kit.definitions import Definition
from personas_kit.destinations import Computation, find
from personas_kit.insight import otherwise
from personas_kit.insight.otherwise import Otherwise
from personas_kit.reading import Reader
from personas_kit.sandbox import Sandbox
from personas_kit.secret import Secret
from personas_kit.testing import happened
from personas_kit.warehouses.base import Estimate
from personas_kit.warehouses.duckdb import DuckDB
from tests import small
from tests.activation.test_delivery import Ticking
from tests.compiler.by_hand import Claim, Facts, Happened, Subject
from tests.compiler.conftest import schema_of
from tests.compiler.test_by_hand import (
    AS_OF,
    REGISTRY,
    SETTINGS,
    _load,
    combined,
    compared,
    facts,
    of_accounts,
    of_members,
    of_users,
    values,
)
from tests.compiler.test_counterfactual import quiet as without
from tests.compiler.test_history import LAYOUTS

ORDER, CLOSED = "Order Completed", "Account Closed"
orders = event(ORDER).within(days=30).count()
BEFORE, PUSHED = "2026-03-25", "2026-03-31"
#: Events that somebody else did long ago: that there are such is known.
LONG_AGO = [
    happened("nobody", name, "2020-01-01") for name in (ORDER, CLOSED, "Added", "Complained", "Paid", "Unsubscribed")
]
PEOPLE = {"u1": {"email": "u1@example.com"}, "u2": {"email": "u2@example.com"}}
COMPANIES = {
    "users": PEOPLE,
    "accounts": {"a1": {"kind": "company"}, "a2": {"kind": "company"}},
    "memberships": [("u1", "a1", "2026-01-01", None), ("u2", "a2", "2026-01-01", None)],
}


@dataclass(frozen=True, kw_only=True)
class Story:
    """A definition is pushed, then something happens, and the next plan says why.

    Attributes:
        given: what there is at the push.
        of: what is pushed; ``edited`` is what it means afterwards, if that is something else.
        with_: what it refers to; ``with_edited`` as above.
        then: what happens.
        calls: by which the plan is made; they all have to say the same.
        says: member -> its change (or its value), and the cause.
    """

    of: Definition
    says: Mapping[str, tuple[object, str]]
    given: Mapping[str, object] = field(default_factory=dict)
    then: Mapping[str, object] = field(default_factory=dict)
    edited: Definition | None = None
    with_: Sequence[Definition] = ()
    with_edited: Sequence[Definition] = ()
    how: Mapping[str, object] = field(default_factory=lambda: {"send": ["identify"]})


def bought(user, at=BEFORE, **more):
    return happened(user, ORDER, at, **more)


buyers = Audience("Buyers", orders >= 1)
early = Audience("Early", event(ORDER).between(days=(90, 30)).count() >= 1)
quiet = Audience("Quiet", event(ORDER).within(days=30).count() == 0)
vips = Audience("Vips", trait("vip") == True)  # noqa: E712
renewing = Audience("Renewing", trait("renews_on").within_next(days=7))
left_behind = Audience("Left behind", event("Added").not_then(event(ORDER).within(days=7)).count() >= 1)
lively = AccountAudience("Lively", any_user(orders >= 1))
companies = AccountAudience("Companies", trait("kind") == "company")
revenue = Trait("Revenue", event(ORDER).within(days=30).sum("revenue"))
seats = AccountTrait("Seats held", trait("seats"))
fans = Audience("Fans", in_audience("buyers") & (trait("vip") == True))  # noqa: E712

TIME_PASSES: dict[str, Story] = {
    "a window ends": Story(of=buyers, given={"events": [bought("u1")]}, then={"days": 25}, says={"u1": ("exit", TIME)}),
    "a window begins": Story(
        of=early, given={"events": [bought("u1")]}, then={"days": 24}, says={"u1": ("enter", TIME)}
    ),
    "a window of something that did not happen begins": Story(
        of=quiet, given={"events": [bought("u1")]}, then={"days": 25}, says={"u1": ("enter", TIME)}
    ),
    "a date comes near": Story(
        of=renewing,
        given={"users": {"u1": {"renews_on": dt.datetime(2026, 4, 20, tzinfo=dt.UTC)}, "u2": {"renews_on": None}}},
        then={"days": 14},
        says={"u1": ("enter", TIME)},
    ),
    "what could have followed is over": Story(
        of=left_behind,
        given={"events": [happened("u1", "Added", "2026-03-30"), bought("u2")]},
        then={"days": 8},
        says={"u1": ("enter", TIME)},
    ),
    "a window ends for one, and others do things that do not count": Story(
        of=Audience("Two", orders >= 2),
        given={"events": [bought("u1"), bought("u1"), bought("u2")]},
        then={"days": 25, "events": [bought("u1", "2026-04-10"), bought("u2", "2026-04-10")]},
        says={"u1": ("exit", TIME)},
    ),
    "a value loses what is old": Story(
        of=revenue,
        given={"events": [bought("u1", revenue=20.0), bought("u1", "2026-03-30", revenue=5.0)]},
        then={"days": 25},
        says={"u1": ("5.0", TIME)},
    ),
    "a value is nothing any more": Story(
        of=Trait("Last", event(ORDER).within(days=30).last("revenue")),
        given={"events": [bought("u1", revenue=20.0), bought("u2", "2026-03-30", revenue=1.0)]},
        then={"days": 25},
        says={"u1": ("null", TIME)},
    ),
    "an account is quiet for long": Story(
        of=lively,
        given={**COMPANIES, "events": [bought("u1")]},
        then={"days": 25},
        says={"u1": ("exit", TIME)},
    ),
    "an account by itself": Story(
        of=lively,
        given={**COMPANIES, "events": [bought("u1")]},
        then={"days": 25},
        how={"send": ["group"]},
        says={"a1": ("exit", TIME)},
    ),
    "the users of an account whose last member has gone": Story(
        of=AccountAudience("Empty", no_user(trait("email").exists())),
        given={**COMPANIES, "memberships": [("u1", "a1", "2026-01-01", "2026-04-05"), ("u2", "a2")]},
        then={"days": 10},
        how={"send": ["group"]},
        says={"a1": ("enter", TIME)},
    ),
}

NEW_DATA: dict[str, Story] = {
    "an event comes": Story(
        of=buyers, then={"days": 1, "events": [bought("u1", "2026-04-01")]}, says={"u1": ("enter", NEW)}
    ),
    "an event comes, about which there is nothing but quiet": Story(
        of=quiet, then={"days": 1, "events": [bought("u1", "2026-04-01")]}, says={"u1": ("exit", NEW)}
    ),
    "an event comes late": Story(of=buyers, then={"days": 1, "events": [bought("u1")]}, says={"u1": ("enter", NEW)}),
    "a trait is set, and another is taken away": Story(
        of=vips,
        given={"users": {"u1": {"vip": True}, "u2": {"vip": False}}},
        then={"days": 1, "users": {"u1": {"vip": False}, "u2": {"vip": True}}},
        says={"u1": ("exit", NEW), "u2": ("enter", NEW)},
    ),
    "a user comes": Story(of=quiet, then={"days": 1, "users": ["u9"]}, says={"u9": ("enter", NEW)}),
    "a window ends, and an event comes that would have kept a value as it was": Story(
        of=revenue,
        given={"events": [bought("u1", revenue=20.0)]},
        then={"days": 25, "events": [bought("u1", "2026-04-20", revenue=7.0)]},
        says={"u1": ("7.0", NEW)},
    ),
    "a text": Story(
        of=Trait("Colour", event(ORDER).last("colour")),
        given={"events": [bought("u1", colour="red")]},
        then={"days": 1, "events": [bought("u1", "2026-04-01", colour='"blue')]},
        says={"u1": ('"\\"blue"', NEW)},
    ),
    "a list": Story(
        of=Trait("Colours", event(ORDER).unique("colour")),
        given={"events": [bought("u1", colour="red")]},
        then={"days": 1, "events": [bought("u1", "2026-04-01", colour="blue")]},
        says={"u1": ('["blue","red"]', NEW)},
    ),
    "an account does something": Story(
        of=lively,
        given=COMPANIES,
        then={"days": 1, "events": [bought("u1", "2026-04-01")]},
        says={"u1": ("enter", NEW)},
    ),
    "an account becomes a company": Story(
        of=companies,
        given={**COMPANIES, "accounts": {"a1": {"kind": "person"}, "a2": {"kind": "company"}}},
        then={"days": 1, "accounts": {"a1": {"kind": "company"}}},
        says={"u1": ("enter", NEW)},
    ),
    "a value of an account": Story(
        of=seats,
        given={**COMPANIES, "accounts": {"a1": {"seats": 3}, "a2": {"seats": 4}}},
        then={"days": 1, "accounts": {"a1": {"seats": 5}}},
        says={"u1": ("5", NEW)},
    ),
    "SQL of one's own": Story(
        of=SqlAudience("Listed", "SELECT user_id FROM users WHERE email LIKE 'new%'"),
        then={"days": 1, "users": {"u1": {"email": "new@example.com"}}},
        says={"u1": ("enter", NEW)},
    ),
}

EDITS: dict[str, Story] = {
    "fewer are enough": Story(
        of=Audience("Buyers", orders >= 2),
        edited=buyers,
        given={"events": [bought("u1")]},
        then={"days": 1},
        says={"u1": ("enter", EDITED)},
    ),
    "more are needed": Story(
        of=buyers,
        edited=Audience("Buyers", orders >= 2),
        given={"events": [bought("u1")]},
        then={"days": 1},
        says={"u1": ("exit", EDITED)},
    ),
    "at the same second": Story(
        of=buyers,
        edited=Audience("Buyers", orders >= 2),
        given={"events": [bought("u1")]},
        says={"u1": ("exit", EDITED)},
    ),
    "a value of another kind": Story(
        of=Trait("Said", event(ORDER).within(days=30).count()),
        edited=Trait("Said", event(ORDER).last("colour")),
        given={"events": [bought("u1", colour="red")]},
        then={"days": 1},
        says={"u1": ('"red"', EDITED)},
    ),
    "an account's condition": Story(
        of=companies,
        edited=AccountAudience("Companies", any_user(trait("email") == "u1@example.com")),
        given=COMPANIES,
        then={"days": 1},
        says={"u2": ("exit", EDITED)},
    ),
    "a name is no meaning": Story(
        of=buyers,
        edited=Audience("Those who bought", orders >= 1, key="buyers"),
        given={"events": [bought("u1")]},
        then={"days": 25},
        says={"u1": ("exit", TIME)},
    ),
    "what it refers to": Story(
        of=fans,
        with_=[buyers],
        with_edited=[Audience("Buyers", orders >= 2)],
        given={"users": {"u1": {"vip": True}, "u2": {"vip": False}}, "events": [bought("u1")]},
        then={"days": 1},
        says={"u1": ("exit", UPSTREAM)},
    ),
    "a trait that a value refers to": Story(
        of=Trait("Doubled", event("Paid").where(trait("orders") >= 1).count()),
        with_=[Trait("Orders", orders)],
        with_edited=[Trait("Orders", event(ORDER).within(days=2).count())],
        given={"events": [bought("u1"), happened("u1", "Paid", BEFORE)]},
        then={"days": 1},
        says={"u1": ("0", UPSTREAM)},
    ),
    "itself and what it refers to, each for its part": Story(
        of=fans,
        edited=Audience("Fans", in_audience("buyers") & (trait("vip") == True) & (trait("old") == False)),  # noqa: E712
        with_=[buyers],
        with_edited=[Audience("Buyers", orders >= 2)],
        given={
            "users": {"u1": {"vip": True, "old": False}, "u2": {"vip": True, "old": True}},
            "events": [bought("u1"), bought("u2"), bought("u2")],
        },
        then={"days": 1},
        says={"u1": ("exit", UPSTREAM), "u2": ("exit", EDITED)},
    ),
    "itself and what it refers to, together": Story(
        of=Audience("Either", in_audience("buyers") | (trait("vip") == True)),  # noqa: E712
        edited=Audience("Either", in_audience("buyers") | (trait("vip") == False)),  # noqa: E712
        with_=[buyers],
        with_edited=[Audience("Buyers", orders >= 2)],
        given={"users": {"u1": {"vip": True}, "u2": {"vip": None}}, "events": [bought("u1")]},
        then={"days": 1},
        says={"u1": ("exit", EDITED)},
    ),
}

CONSENT: dict[str, Story] = {
    "consent is withdrawn": Story(
        of=Audience("Buyers", orders >= 1, unless=trait("consent") == False),  # noqa: E712
        given={"users": {"u1": {"consent": True}, "u2": {"consent": True}}, "events": [bought("u1"), bought("u2")]},
        then={"days": 1, "users": {"u1": {"consent": False}}},
        says={"u1": ("exit", WITHDRAWN)},
    ),
    "somebody unsubscribes": Story(
        of=Audience("Buyers", orders >= 1, unless=event("Unsubscribed").count() >= 1),
        given={"events": [bought("u1"), happened("u2", "Unsubscribed", BEFORE)]},
        then={"days": 1, "events": [happened("u1", "Unsubscribed", "2026-04-01")]},
        says={"u1": ("exit", WITHDRAWN)},
    ),
    "a suppression ends": Story(
        of=Audience("Buyers", orders >= 1, unless=event("Complained").within(days=7).count() >= 1),
        given={"events": [bought("u1"), happened("u1", "Complained", "2026-03-30")]},
        then={"days": 7},
        says={"u1": ("enter", WITHDRAWN)},
    ),
    "what it refers to keeps people out": Story(
        of=fans,
        with_=[Audience("Buyers", orders >= 1, unless=trait("consent") == False)],  # noqa: E712
        given={"users": {"u1": {"vip": True, "consent": True}}, "events": [bought("u1")]},
        then={"days": 1, "users": {"u1": {"consent": False}}},
        says={"u1": ("exit", WITHDRAWN)},
    ),
    "an account closes": Story(
        of=AccountAudience("Lively", any_user(orders >= 1), unless=any_user(event(CLOSED).count() >= 1)),
        given={**COMPANIES, "events": [bought("u1"), happened("u2", CLOSED, BEFORE)]},
        then={"days": 1, "events": [happened("u1", CLOSED, "2026-04-01")]},
        says={"u1": ("exit", WITHDRAWN)},
    ),
    "a user of an account withdraws": Story(
        of=AccountAudience("Companies", companies.where, unless_user=trait("consent") == False),  # noqa: E712
        given={**COMPANIES, "users": {"u1": {"consent": True}, "u2": {"consent": None}}},
        then={"days": 1, "users": {"u1": {"consent": False}}},
        says={"u1": ("exit", WITHDRAWN)},
    ),
    "the suppression of a user of an account ends": Story(
        of=AccountAudience("Companies", companies.where, unless_user=event("Complained").within(days=7).count() >= 1),
        given={**COMPANIES, "events": [happened("u1", "Complained", "2026-03-30")]},
        then={"days": 7},
        says={"u1": ("enter", WITHDRAWN)},
    ),
    "consent comes back: of a trait nobody knows what it was": Story(
        of=Audience("Buyers", orders >= 1, unless=trait("consent") == False),  # noqa: E712
        given={"users": {"u1": {"consent": False}}, "events": [bought("u1")]},
        then={"days": 1, "users": {"u1": {"consent": True}}},
        says={"u1": ("enter", NEW)},
    ),
}

MOVES: dict[str, Story] = {
    "somebody leaves a company, and somebody joins": Story(
        of=companies,
        given=COMPANIES,
        then={
            "days": 2,
            "users": {"u3": {"email": "u3@example.com"}},
            "memberships": [
                ("u1", "a1", "2026-01-01", "2026-04-01"),
                ("u2", "a2", "2026-01-01", None),
                ("u3", "a2", "2026-04-01", None),
            ],
        },
        says={"u1": ("exit", MOVED), "u3": ("enter", MOVED)},
    ),
    "a membership ends by its date": Story(
        of=companies,
        given={**COMPANIES, "memberships": [("u1", "a1", None, "2026-04-05"), ("u2", "a2")]},
        then={"days": 10},
        says={"u1": ("exit", MOVED)},
    ),
    "a value goes with the account": Story(
        of=seats,
        given={**COMPANIES, "accounts": {"a1": {"seats": 3}, "a2": {"seats": 4}}},
        then={
            "days": 2,
            "memberships": [
                ("u1", "a1", None, "2026-04-01"),
                ("u1", "a2", "2026-04-01", None),
                ("u2", "a2", "2026-01-01", "2026-04-01"),
            ],
        },
        says={"u1": ("4", MOVED), "u2": ("null", MOVED)},
    ),
    "what unless_user refers to is edited": Story(
        of=AccountAudience("Companies", companies.where, unless_user=in_audience("buyers")),
        with_=[Audience("Buyers", orders >= 2)],
        with_edited=[buyers],
        given={**COMPANIES, "events": [bought("u1")]},
        then={"days": 2},
        says={"u1": ("exit", UPSTREAM)},
    ),
    "the accounts themselves do not move": Story(
        of=AccountAudience("Held by Ann", any_user(trait("email") == "u1@example.com")),
        given=COMPANIES,
        then={"days": 2, "memberships": [("u1", "a1", None, "2026-04-01"), ("u2", "a2", "2026-01-01", None)]},
        how={"send": ["group"]},
        says={"a1": ("exit", TIME)},
    ),
}

#: Two causes could be named, and the first one is.
PRECEDENCE: dict[str, Story] = {
    "consent before an edit that makes no difference": Story(
        of=Audience("Buyers", orders >= 1, unless=trait("consent") == False),  # noqa: E712
        edited=Audience("Buyers", event(ORDER).within(days=60).count() >= 1, unless=trait("consent") == False),  # noqa: E712
        given={"users": {"u1": {"consent": True}}, "events": [bought("u1")]},
        then={"days": 1, "users": {"u1": {"consent": False}}},
        says={"u1": ("exit", WITHDRAWN)},
    ),
    "an edit before consent: unless is added": Story(
        of=buyers,
        edited=Audience("Buyers", orders >= 1, unless=trait("consent") == False),  # noqa: E712
        given={"users": {"u1": {"consent": False}}, "events": [bought("u1")]},
        then={"days": 1},
        says={"u1": ("exit", EDITED)},
    ),
    "what is upstream before consent: unless is added there": Story(
        of=fans,
        with_=[buyers],
        with_edited=[Audience("Buyers", orders >= 1, unless=trait("consent") == False)],  # noqa: E712
        given={"users": {"u1": {"vip": True, "consent": False}}, "events": [bought("u1")]},
        then={"days": 1},
        says={"u1": ("exit", UPSTREAM)},
    ),
    "consent before moving": Story(
        of=AccountAudience("Companies", companies.where, unless_user=event("Unsubscribed").count() >= 1),
        given={**COMPANIES, "memberships": [("u1", "a1", None, "2026-04-01"), ("u1", "a2"), ("u2", "a2")]},
        then={"days": 2, "events": [happened("u1", "Unsubscribed", "2026-04-02")]},
        says={"u1": ("exit", WITHDRAWN)},
    ),
    "moving before consent: there is nothing left to keep anybody out of": Story(
        of=AccountAudience("Companies", companies.where, unless_user=event("Unsubscribed").count() >= 1),
        given={**COMPANIES, "memberships": [("u1", "a1", None, "2026-04-01"), ("u2", "a2")]},
        then={"days": 2, "events": [happened("u1", "Unsubscribed", "2026-04-02")]},
        says={"u1": ("exit", MOVED)},
    ),
    "consent before a window that has ended as well": Story(
        of=Audience("Buyers", orders >= 1, unless=trait("consent") == False),  # noqa: E712
        given={"users": {"u1": {"consent": True}}, "events": [bought("u1")]},
        then={"days": 25, "users": {"u1": {"consent": False}}},
        says={"u1": ("exit", WITHDRAWN)},
    ),
    "an edit before a window: the old one would have been long enough": Story(
        of=Audience("Buyers", event(ORDER).within(days=60).count() >= 1),
        edited=buyers,
        given={"events": [bought("u1")]},
        then={"days": 25},
        says={"u1": ("exit", EDITED)},
    ),
    "a window before an edit: the old one has ended as well": Story(
        of=buyers,
        edited=Audience("Buyers", event(ORDER).within(days=20).count() >= 1),
        given={"events": [bought("u1")]},
        then={"days": 25},
        says={"u1": ("exit", TIME)},
    ),
    "an event before an edit: the old one would have let in as well": Story(
        of=Audience("Buyers", orders >= 2),
        edited=buyers,
        given={"events": [bought("u1")]},
        then={"days": 1, "events": [bought("u1", "2026-04-01")]},
        says={"u1": ("enter", NEW)},
    ),
    "an edit before what is upstream, that would do it as well": Story(
        of=fans,
        edited=Audience("Fans", in_audience("buyers") & (trait("vip") == False)),  # noqa: E712
        with_=[buyers],
        with_edited=[Audience("Buyers", orders >= 2)],
        given={"users": {"u1": {"vip": False}, "u2": {"vip": True}}, "events": [bought("u2"), bought("u1")]},
        then={"days": 1, "events": [bought("u1", "2026-04-01")]},
        says={"u1": ("enter", EDITED), "u2": ("exit", EDITED)},
    ),
    "an edit before moving": Story(
        of=AccountAudience("Companies", trait("kind").exists()),
        edited=AccountAudience("Companies", trait("kind") == "person"),
        given={**COMPANIES, "memberships": [("u1", "a1", None, "2026-04-01"), ("u1", "a2"), ("u2", "a2")]},
        then={"days": 2},
        says={"u1": ("exit", EDITED), "u2": ("exit", EDITED)},
    ),
    "moving before an edit, that makes no difference": Story(
        of=companies,
        edited=AccountAudience("Companies", trait("kind").exists()),
        given={**COMPANIES, "memberships": [("u1", "a1", None, "2026-04-01"), ("u2", "a2")]},
        then={"days": 2},
        says={"u1": ("exit", MOVED)},
    ),
    "time before moving: the account has been quiet for long, too": Story(
        of=lively,
        given={
            **COMPANIES,
            "memberships": [("u1", "a1", None, "2026-04-01"), ("u2", "a2")],
            "events": [bought("u1"), bought("u2", "2026-03-31")],
        },
        then={"days": 25},
        says={"u1": ("exit", TIME)},
    ),
    "an event before moving: the account was not in it before either": Story(
        of=AccountAudience("Lively", any_user(orders >= 1)),
        given={**COMPANIES, "memberships": [("u1", "a1", None, None)]},
        then={
            "days": 2,
            "memberships": [("u1", "a1", None, None), ("u2", "a1", "2026-04-01", None)],
            "events": [bought("u1", "2026-04-02")],
        },
        says={"u1": ("enter", NEW), "u2": ("enter", NEW)},
    ),
}

STORIES = TIME_PASSES | NEW_DATA | EDITS | CONSENT | MOVES | PRECEDENCE


@pytest.fixture
def opened():
    """Opens workspaces, and closes them."""
    made = []

    def open_(story, destinations=None):
        given = {"users": PEOPLE, **story.given}
        given["events"] = [*LONG_AGO, *given.get("events", [])]
        made.append(
            pk.testing.workspace(
                as_of=PUSHED,
                definitions=[*story.with_, story.of],
                destinations=destinations or {"analytics": "segment", "ads": "facebook-custom-audiences"},
                **given,
            )
        )
        return made[-1]

    yield open_
    for each in made:
        each.close()


def told(workspace, story, **how):
    """Push, let happen what happens, and plan again."""
    how = {"to": "analytics", **(how or story.how)}
    workspace.push(story.of, **how)
    workspace.add(*story.with_edited, story.edited or story.of)
    workspace.later(**story.then)
    return workspace.plan(story.edited or story.of, **how)


def said_by(sync):
    """Member -> its change, or its value, and the cause."""
    lines = sync.lines.select(pl.col("member").cast(pl.String), pl.col("change").cast(pl.String), "value", "cause")
    return {member: (value if change == "set" else change, cause) for member, change, value, cause in lines.iter_rows()}


@pytest.mark.parametrize("name", STORIES)
def test_a_change_has_the_first_cause_without_which_it_would_not_be(opened, name):
    story = STORIES[name]
    (sync,) = told(opened(story), story).syncs

    assert said_by(sync) == story.says
    assert sync.unasked == ""
    assert set(sync.causes) <= set(CAUSES)


CALLS: dict[str, Mapping[str, object]] = {
    "identify and track": {"send": ["identify", "track"]},
    "a list": {"to": "ads", "list": "1", "ids": {"email": "email"}},
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "name",
    [
        "a window ends",
        "an event comes",
        "more are needed",
        "somebody unsubscribes",
        "somebody leaves a company, and somebody joins",
    ],
)
def test_every_call_says_the_same(opened, name, call):
    story = STORIES[name]
    plan = told(opened(story), story, **CALLS[call])

    for sync in plan.syncs:
        said = said_by(sync)
        assert sorted(said.values()) == sorted(story.says.values())
        assert call == "a list" or said == story.says


# --------------------------------------------------------------------------------------------------------- merged users

MERGES = """
[warehouse]
path = "warehouse.duckdb"

[source]
users = {{ table = "users", id = "user_id" }}
identities = {{ table = "known_as", user = "user_id", value = "id_value", type = "id_type" }}

[destinations.analytics]
type = "segment"
url  = "{url}"
write_key = {{ file = "key.txt" }}

[destinations.ads]
type = "facebook-custom-audiences"
url  = "{url}"
access_token = {{ file = "key.txt" }}

[[audience]]
name  = "Vips"
where = "trait('vip') = true"
to    = [
    {{ destination = "analytics", send = ["identify", "track"] }},
    {{ destination = "ads", list = "1", ids = {{ email = "email" }} }},
]

[[trait]]
name  = "Tier"
value = "trait('level')"
to    = [{{ destination = "analytics", send = ["identify"] }}]
"""


def people(folder, *lines, known_as=None):
    """Users of id, address, vip and level, and who is known as what: by default each by its id and address."""
    known_as = {user: [] for user, *_ in lines} | (known_as or {})
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.execute("create or replace table users (user_id varchar, email varchar, vip boolean, level integer)")
        connection.execute("create or replace table known_as (user_id varchar, id_type varchar, id_value varchar)")
        connection.executemany("insert into users values (?, ?, ?, ?)", [list(line) for line in lines])
        for user, email, *_ in lines:
            ids = [("user_id", user), ("email", email)]
            ids += [("email" if "@" in each else "user_id", each) for each in known_as[user]]
            connection.executemany("insert into known_as values (?, ?, ?)", [[user, *each] for each in ids])


ANN, BEN, CAT = (
    ("ann", "ann@example.com", True, 3),
    ("ben", "ben@example.com", True, 1),
    ("cat", "cat@example.com", True, 2),
)
ANNE = ("anne", "anne@example.com", False, None)
#: Ann has become part of Anne, who is a vip by that.
MERGED_ANNE = (("anne", "anne@example.com", True, 3), BEN, CAT), {"anne": ["ann", "ann@example.com"]}


@pytest.fixture
def sandbox():
    with Sandbox() as running:
        yield running


@pytest.fixture
def folder(tmp_path, sandbox):
    (tmp_path / "key.txt").write_text("made-up", encoding="utf-8")
    (tmp_path / "personas.toml").write_text(MERGES.format(url=sandbox.url), encoding="utf-8")
    people(tmp_path, ANN, ANNE, BEN, CAT)
    return tmp_path


@pytest.fixture
def clock():
    return Ticking()


def merged(folder, clock, lines, known_as):
    """Everything is pushed, then users are merged, a day passes, and another process looks."""
    small.opened(folder, clock).run(approve="guards", override=["first_sync"])
    people(folder, *lines, known_as=known_as)
    clock.day += 1
    return small.opened(folder, clock)


def test_merged_users_are_corrected_everywhere_and_no_event_says_so(folder, clock, sandbox):
    workspace = merged(folder, clock, *MERGED_ANNE)
    before = list(sandbox.events())
    plan = workspace.plan("vips")

    identify, track, listed = plan.syncs
    said = {"ann": ("exit", MERGED), "anne": ("enter", MERGED)}
    assert (said_by(identify), said_by(track)) == (said, said)
    assert sorted(said_by(listed).values()) == sorted(said.values())
    assert [(sync.silent, sync.to_send) for sync in plan.syncs] == [(0, 2), (2, 0), (0, 2)]
    assert {sample["call"] for sample in plan.payloads()} == {"identify", "list"}

    report = plan.push()
    assert (report.complete, report.acknowledged) == (True, 6)
    assert list(sandbox.events()) == before
    assert small.received(sandbox) == {"anne", "ben", "cat"}
    assert sandbox.users()["ann"]["vips"] is False
    assert small.on_the_list(sandbox) == 3
    held = {
        str(sync): set(state.acknowledged["member"]) for sync, state in workspace.store.syncs() if sync.key == "vips"
    }
    assert [members for name, members in held.items() if "list" not in name] == [{"anne", "ben", "cat"}] * 2
    clock.day += 1
    assert small.opened(folder, clock).plan("vips").changes.height == 0


def test_on_a_schedule_each_destination_knows_of_it_by_itself(folder, clock, sandbox):
    workspace = merged(folder, clock, *MERGED_ANNE)
    before = list(sandbox.events())
    run = workspace.run(approve="guards")

    causes = {line.destination: set(line.report.changes["cause"]) for line in run.lines if line.key == "vips"}
    assert causes == {"analytics": {MERGED}, "ads": {MERGED}}
    assert list(sandbox.events()) == before


def test_a_value_goes_to_whom_it_belongs_now(folder, clock):
    (sync,) = merged(folder, clock, *MERGED_ANNE).plan("tier").syncs

    assert said_by(sync) == {"ann": ("null", MERGED), "anne": ("3", MERGED)}


def test_the_events_of_others_are_sent_before_those_that_are_noted(folder, clock, sandbox):
    dan = ("dan", "dan@example.com", True, 1)
    lines, known_as = MERGED_ANNE
    workspace = merged(folder, clock, [*lines[:2], dan], known_as)  # and Cat has gone
    plan = workspace.plan("vips", to="analytics", send=["track"])
    before = len(sandbox.events())

    (track,) = plan.syncs
    assert said_by(track) == {
        "ann": ("exit", MERGED), "cat": ("exit", NEW), "anne": ("enter", MERGED), "dan": ("enter", NEW),
    }  # fmt: skip
    assert track.lines["cause"].to_list() == [NEW, NEW, MERGED, MERGED]
    report = plan.push()
    assert (report.complete, report.acknowledged) == (True, 4)
    sent = [(each["event"], each["user_id"]) for each in sandbox.events()[before:]]
    assert sorted(sent) == [("Audience Entered", "dan"), ("Audience Exited", "cat")]


def test_a_merge_comes_before_an_edit_and_after_consent(folder, clock):
    before = (folder / "personas.toml").read_text(encoding="utf-8")
    was = before.replace("trait('vip') = true", "trait('email').starts_with('ann@')")
    (folder / "personas.toml").write_text(was, encoding="utf-8")
    small.opened(folder, clock).run(approve="guards", override=["first_sync"])
    (folder / "personas.toml").write_text(was.replace("ann@", "ann"), encoding="utf-8")
    lines, known_as = MERGED_ANNE
    people(folder, *lines, known_as=known_as)
    clock.day += 1
    workspace = small.opened(folder, clock)

    (edited,) = workspace.plan("vips", to="analytics", send=["identify"]).syncs
    assert said_by(edited) == {"ann": ("exit", MERGED), "anne": ("enter", MERGED)}
    workspace.store.forget("ann")
    (forgotten,) = workspace.plan("vips", to="analytics", send=["identify"]).syncs
    assert said_by(forgotten) == {"ann": ("exit", WITHDRAWN), "anne": ("enter", MERGED)}


NO_MERGES = {
    "the user is still there": (((*ANN[:2], False, 3), MERGED_ANNE[0][0], BEN, CAT), {"anne": ["ann"]}),
    "nobody is known by the id": ((MERGED_ANNE[0][0], BEN, CAT), {"anne": ["anna"]}),
    "a new address is no other user": (
        (("ann", "new@example.com", True, 3), ANNE, BEN, CAT), {"ann": ["ann@example.com"]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NO_MERGES)
def test_what_looks_like_a_merge_and_is_none(folder, clock, name):
    plan = merged(folder, clock, *NO_MERGES[name]).plan("vips")

    assert plan.changes.height
    assert MERGED not in set(plan.changes["cause"])


def test_who_leaves_after_the_merge_leaves_by_an_event(folder, clock):
    workspace = merged(folder, clock, *MERGED_ANNE)
    workspace.plan("vips").push()
    people(folder, ("anne", "anne@example.com", False, 3), BEN, CAT, known_as=MERGED_ANNE[1])
    clock.day += 1

    causes = small.opened(folder, clock).plan("vips").changes.select("call", "member", "cause")
    assert set(causes["cause"]) == {NEW}
    assert set(causes.filter(pl.col("call") != "list")["member"]) == {"anne"}


# ------------------------------------------------------------------------------------------- what the state alone tells


def test_who_was_forgotten_leaves_for_that_reason_and_nobody_is_asked(opened, asked):
    story = Story(of=buyers, given={"events": [bought("u1"), bought("u2")]}, then={"days": 1}, says={})
    workspace = opened(story)
    workspace.push(buyers, to="analytics")
    workspace.store.forget("u1")
    workspace.later(days=1)
    asked.clear()
    plan = workspace.plan(buyers, to="analytics")

    assert [said_by(sync) for sync in plan.syncs] == [{"u1": ("exit", WITHDRAWN)}] * 2
    assert not whys(asked)


def test_who_was_forgotten_leaves_a_list_for_that_reason(opened):
    story = Story(of=buyers, given={"events": [bought("u1"), bought("u2")]}, says={})
    workspace = opened(story)
    how = {"to": "ads", "list": "1", "ids": {"email": "email"}}
    workspace.push(buyers, **how)
    workspace.store.forget("u1")
    workspace.later(days=1, users={"u2": {"email": "other@example.com"}})

    assert sorted(said_by(workspace.plan(buyers, **how).syncs[0]).values()) == [
        ("enter", NEW),
        ("exit", NEW),
        ("exit", WITHDRAWN),
    ]


def test_who_is_to_be_forgotten_and_who_was_in_a_definition_that_goes(opened):
    workspace = opened(Story(of=buyers, given={"events": [bought("u1"), bought("u2")]}, says={}))
    workspace.push(buyers, to="analytics", send=["identify"])
    leaving = [workspace._leaving._leaving(*each) for each in workspace.store.syncs()]

    forgotten = workspace._planner.exits(leaving, only=["u1"])
    assert said_by(forgotten.syncs[0]) == {"u1": ("exit", WITHDRAWN)}
    assert said_by(workspace.remove("buyers").syncs[0]) == {"u1": ("exit", EDITED), "u2": ("exit", EDITED)}


def test_what_the_state_tells_stays_so(opened):
    story = Story(of=buyers, given={"events": [bought("u1")]}, says={})
    workspace = opened(story)
    first = workspace.plan(buyers, **HOW)
    assert said_by(first.syncs[0]) == {"u1": ("enter", "first push")}
    workspace.push(buyers, **HOW)
    workspace.later(days=1, events=[bought("u2", "2026-04-01")])

    again = workspace.plan(buyers, mode="full", **HOW)
    assert said_by(again.syncs[0]) == {"u1": ("enter", "full re-sync"), "u2": ("enter", NEW)}
    adopted = workspace.plan(buyers, mode="adopt", **HOW)
    assert (said_by(adopted.syncs[0]), adopted.syncs[0].to_send) == ({"u2": ("enter", "adopted")}, 0)


# -------------------------------------------------------------------------------------------------- asking for causes

HOW = {"to": "analytics", "send": ["identify"]}


@pytest.fixture
def asked(monkeypatch):
    """The statements that the warehouse is asked."""
    statements = []
    query = DuckDB.query

    def counted(self, statement, *args, **more):
        statements.append(statement)
        return query(self, statement, *args, **more)

    monkeypatch.setattr(DuckDB, "query", counted)
    return statements


def whys(statements):
    """Those that ask how things would stand otherwise."""
    return [each for each in statements if " AS w1" in each]


def test_one_statement_tells_the_causes_of_a_plan_and_none_is_asked_where_nothing_changes(opened, asked):
    workspace = opened(Story(of=buyers, given={"events": [bought("u1")]}, says={}))
    workspace.plan(buyers, to="analytics")
    assert len(whys(asked)) == 0  # a first push has a cause already
    workspace.push(buyers, to="analytics")
    workspace.push(buyers, to="ads", list="1", ids={"email": "email"})
    workspace.later(days=1)
    workspace.plan(buyers, to="analytics")
    workspace.preview(buyers)
    assert len(whys(asked)) == 0

    workspace.later(days=30, events=[bought("u2", "2026-04-20")])
    workspace.preview(buyers)
    assert len(whys(asked)) == 0
    workspace._previewed.clear()
    asked.clear()
    plan = workspace.plan(buyers, to="analytics")
    with_changes = len(asked)
    assert (len(plan.syncs), len(whys(asked))) == (2, 1)
    plan.push()
    asked.clear()
    assert workspace.plan(buyers, to="analytics").changes.height == 0
    assert len(asked) == with_changes - 1


@pytest.mark.parametrize(
    ("name", "statements"),
    [
        ("a trait is set, and another is taken away", 0),  # nothing depends on the instant, and nothing begins
        ("SQL of one's own", 0),
        ("a user comes", 1),
        ("a date comes near", 1),
        ("an account becomes a company", 1),  # there are memberships, and somebody might have moved
        ("consent is withdrawn", 1),
    ],
)
def test_nobody_is_asked_what_could_tell_nothing(opened, asked, name, statements):
    workspace = opened(STORIES[name])
    told(workspace, STORIES[name], **HOW)

    assert len(whys(asked)) == statements


def test_nobody_is_asked_where_nothing_but_who_exists_depends_on_the_instant(opened, asked):
    columns = {"created": dt.datetime(2026, 3, 1, tzinfo=dt.UTC), "vip": True}
    workspace = opened(Story(of=vips, says={}, given={"users": {"u1": columns, "u2": columns | {"vip": False}}}))
    workspace._reader.config = replace(
        workspace.config, source=replace(workspace.config.source, users=UserSettings("users", "user_id", "created"))
    )
    workspace._reader.forget()
    workspace.push(vips, **HOW)
    workspace.later(days=1, users={"u2": {"vip": True}, "u9": {"vip": True}})
    plan = workspace.plan(vips, **HOW)

    assert said_by(plan.syncs[0]) == {"u2": ("enter", NEW), "u9": ("enter", NEW)}
    assert len(whys(asked)) == 0


def test_syncs_that_were_pushed_at_different_times_are_told_apart_in_one_statement(opened, asked):
    workspace = opened(Story(of=buyers, given={"events": [bought("u1")]}, says={}))
    scheduled = replace(
        workspace._scheduled_as(buyers),
        to=(
            SyncSettings(destination="analytics", send=("identify",)),
            SyncSettings(destination="ads", list="1", ids={"email": "email"}),
        ),
    )
    workspace._scheduled["buyers"] = scheduled
    workspace.push(buyers, to="ads")  # u1 alone
    workspace.later(days=20, events=[bought("u2", "2026-04-15")])
    workspace.push(buyers, to="analytics")  # both
    workspace.add(Audience("Buyers", event(ORDER).within(days=20).count() >= 1))
    workspace.later(days=1)
    asked.clear()
    identify, listed = workspace.plan("buyers").syncs

    assert said_by(identify) == {"u1": ("exit", EDITED)}
    assert sorted(said_by(listed).values()) == [("enter", NEW), ("exit", EDITED)]
    assert len(whys(asked)) == 1


def test_where_the_warehouse_may_not_be_asked_the_state_tells_and_the_plan_says_so(opened, monkeypatch):
    story = STORIES["a window ends"]
    workspace = opened(story)
    workspace.push(story.of, **HOW)
    workspace.later(**story.then)
    limit = {"max_bytes": 2 * len(workspace.sql(story.of).bound)}
    limited = workspace.config.warehouse.model_copy(update=limit)
    workspace._reader.config = replace(workspace.config, warehouse=limited)
    monkeypatch.setattr(DuckDB, "estimate", lambda self, statement, params: Estimate(len(statement)))
    plan = workspace.plan(story.of, **HOW)

    assert said_by(plan.syncs[0]) == {"u1": ("exit", NEW)}
    assert plan.syncs[0].unasked.startswith("the query of 'buyers' would read")
    assert plan.push(override=["empty_result"]).complete


def test_what_cannot_be_asked_any_more_is_taken_for_the_edit(opened):
    was = Audience("Buyers", trait("email").exists())
    workspace = opened(Story(of=was, says={}))
    workspace.push(was, **HOW)
    workspace.add(buyers)
    workspace.later(days=1, events=[bought("u1", "2026-04-01")])
    workspace._handle.execute("ALTER TABLE users RENAME COLUMN email TO mail")
    plan = workspace.plan("buyers", **HOW)

    assert said_by(plan.syncs[0]) == {"u2": ("exit", EDITED)}
    assert plan.syncs[0].unasked == "what the definition meant at the last push cannot be asked any more"


def test_a_meaning_that_was_not_kept_is_taken_for_an_edit(opened):
    workspace = opened(Story(of=buyers, given={"events": [bought("u1")]}, says={}))
    workspace.push(buyers, **HOW)
    with sqlite3.connect(workspace.store._journal.path) as state:
        state.execute("update sync set meaning = '', fingerprint = 'of the past'")
    workspace.later(days=30, events=[bought("u2", "2026-04-20")])
    plan = workspace.plan(buyers, **HOW)

    assert said_by(plan.syncs[0]) == {"u1": ("exit", TIME), "u2": ("enter", EDITED)}
    assert "not kept" in plan.syncs[0].unasked


# -------------------------------------------------------------------------------------------------------- being told it


def in_terminal(plan):
    console = Console(width=200, record=True, file=io.StringIO())
    show_plan(plan, console)
    return console.export_text()


def test_a_plan_says_how_many_changes_have_which_cause(opened):
    given = {"users": ["u1", "u2", "u3"], "events": [bought("u1"), bought("u2")]}
    story = Story(of=buyers, given=given, then={"days": 25, "events": [bought("u3", "2026-04-20")]}, says={})
    workspace = opened(story)
    first = workspace.plan(buyers, **HOW)
    plan = told(workspace, story)

    words = "2 time passing, 1 new data"
    assert plan.syncs[0].causes == {TIME: 2, NEW: 1}
    assert f"analytics identify: +1 -2 ({words})" in repr(plan)
    assert plan.to_dict()["syncs"][0]["causes"] == {TIME: 2, NEW: 1}
    assert words in plan._repr_html_()
    assert f"why  analytics identify: {words}" in in_terminal(plan)
    assert repr(first).endswith("identify: +2, first push")
    assert "why" not in in_terminal(first)


def test_a_plan_says_what_is_noted_and_not_sent_and_what_nobody_was_asked(folder, clock):
    plan = merged(folder, clock, *MERGED_ANNE).plan("vips", to="analytics")
    parts = [replace(part, unasked="it would read 3 TB") for part in plan.syncs]
    notes = ["analytics track: 2 changes of merged users are noted, and not sent", "it would read 3 TB"]

    for said in (replace(plan, syncs=tuple(parts))._repr_html_(), in_terminal(replace(plan, syncs=tuple(parts)))):
        assert [note for note in notes if note not in said] == []


# ------------------------------------------------------------------------------------------------------------ any world


NOW = AS_OF.replace(tzinfo=dt.UTC)
KEY = Secret("env", "KEY")
SEGMENT = find("segment").configure("analytics", {"write_key": KEY})
META = find("facebook-custom-audiences").configure("ads", {"access_token": KEY, "audience_id": "1"})
PLACES = {"identify": (SEGMENT, {}), "track": (SEGMENT, {}), "group": (SEGMENT, {}), "list": (META, {"email": "plan"})}
spans = st.sampled_from([1, 3_600, 3_601, 86_400, 172_800])


def known(of):
    """With an event of each name, of nobody, long ago."""
    at = AS_OF - dt.timedelta(days=3_650)
    long_ago = [Happened(name, None, None, at, "e0", None, None) for name in ("Paid", "Seen")]
    return replace(of, events=(*of.events, *long_ago))


def reader_of(handle, definitions, layout="all"):
    config = Config(Path("personas.toml"), WarehouseSettings(), Path(".personas"), LAYOUTS[layout])
    return Reader(config, DuckDB(connection=handle), SystemClock(), lambda: definitions)


def found_by(handle, definition, as_of, layout="all"):
    """The members of a definition, with what identifiers are made of."""
    reader = reader_of(handle, {**REGISTRY, definition.key: definition}, layout)
    return reader.find([definition], as_of, {definition.key: frozenset({"plan"})})[definition.key]


def acknowledged(call, found, since):
    """What a destination has that everybody of these was pushed to."""
    connection, ids = PLACES[call]
    wanted = wanted_by(call, found.members, connection, ids, "list").members
    columns = ["member", "value"] if "value" in wanted.columns else ["member"]
    members = wanted.select(columns).drop_nulls()
    kind = members.schema["member"]
    return SyncState(
        members, unknown_frame([], kind), reject_frame([], kind), target=connection.target, last_as_of=since,
        fingerprint=found.fingerprint, meaning=found.meaning,
    )  # fmt: skip


def drafted(call, definition, found, state):
    """The plan of a sync but for its causes, and the case it makes."""
    connection, ids = PLACES[call]
    sync, about = Sync(definition.key, connection.name, call), Computation(definition.key, definition.kind, "A")
    wanted = wanted_by(call, found.members, connection, ids, "list")

    def draft(causes=None):
        occasion = Occasion("plan", NOW)
        own = (found.fingerprint, found.meaning)
        return Draft(sync, connection, about, *own, wanted, state, occasion).plan(causes)

    return draft, Case(draft(), ids, "list", wanted.empty)


def causes_of(reader, found, cases):
    """The causes, which are those that all worlds would tell if everything were asked."""
    causes = Otherwise(reader)(found, cases, Forgotten())
    with mock.patch.object(otherwise, "reduced", lambda question, cases, alike: question):
        every = Otherwise(reader)(found, cases, Forgotten())
    for less, all_ in zip(causes, every, strict=True):
        assert sorted(less.of.rows()) == sorted(all_.of.rows())
        assert less.unasked == all_.unasked
    return causes


def explained(before, after, was, definition, span, calls, layout="all"):
    """Plans of the same sync with the causes that the state tells, and with those that the warehouse tells."""
    since = NOW - dt.timedelta(seconds=span)
    with duckdb.connect() as then, duckdb.connect() as now:
        _load(then, known(before))
        _load(now, known(after))
        old, found = found_by(then, was, since, layout), found_by(now, definition, NOW, layout)
        drafts = [drafted(call, definition, found, acknowledged(call, old, since)) for call in calls]
        open_ = [(draft, case) for draft, case in drafts if case.open.height]
        reader = reader_of(now, {**REGISTRY, definition.key: definition}, layout)
        causes = causes_of(reader, found, [case for _, case in open_]) if open_ else []
        return [(case.part, draft(own)) for (draft, case), own in zip(open_, causes, strict=True)]


@pytest.mark.timeout(900)
@settings(
    max_examples=max(10, settings().max_examples // 8), phases=[each for each in Phase if each is not Phase.explain]
)
@given(facts(), facts(), of_users, of_users, of_members, of_accounts, of_members, values, spans)
def test_causes_change_no_change_and_every_change_has_one(
    before, after, users, others, unless, accounts, kept_out, values, span
):
    of_account, *of_user = values
    pairs = [
        (Audience("A", users), Audience("A", users, unless=unless), ["identify", "track", "list"]),
        (Audience("A", users, unless=unless), Audience("A", others, unless=unless), ["identify", "list"]),
        (
            AccountAudience("A", accounts, unless_user=kept_out),
            AccountAudience("A", accounts, unless_user=kept_out),
            ["identify", "group", "list"],
        ),
        (AccountTrait("T", of_account), AccountTrait("T", of_account), ["identify", "group"]),
        *((Trait("T", each), Trait("T", each), ["identify"]) for each in of_user),
    ]
    for was, definition, calls in pairs:
        for plain, told in explained(before, after, was, definition, span, calls):
            columns = ["member", "change", "value", "timestamp"]
            order = "member"
            assert told.lines.sort(order).select(columns).rows() == plain.lines.sort(order).select(columns).rows()
            assert set(told.lines["cause"]) <= set(CAUSES)
            assert told.unasked == ""
            assert told.silent == (0 if told.sync.call != "track" else told.causes.get(MERGED, 0))


of_traits = combined(compared(trait("plan"), "text"))
unless = st.none() | of_traits


@pytest.mark.timeout(900)
@settings(
    max_examples=max(10, settings().max_examples // 5), phases=[each for each in Phase if each is not Phase.explain]
)
@given(facts(), facts(), of_traits, of_traits, unless, unless, st.booleans(), spans, st.sampled_from(["all", *LAYOUTS]))
def test_where_worlds_are_the_same_the_causes_are_those_that_all_of_them_would_tell(
    before, after, users, others, unless, was_unless, edited, span, layout
):
    other, other_unless = (others, was_unless) if edited else (users, unless)
    listed = "SELECT DISTINCT user_id FROM {} WHERE user_id IS NOT NULL"
    pairs = [
        (Audience("A", other, unless=other_unless), Audience("A", users, unless=unless), ["identify", "list"]),
        (
            AccountAudience("A", any_user(other), unless_user=other_unless),
            AccountAudience("A", any_user(users), unless_user=unless),
            ["identify", "group", "list"],
        ),
        (AccountAudience("A", no_user(other)), AccountAudience("A", no_user(users)), ["identify", "group"]),
        (Trait("T", trait("plan")), Trait("T", trait("plan")), ["identify"]),
        (SqlAudience("A", listed.format("users")), SqlAudience("A", listed.format("events")), ["identify", "list"]),
    ]
    for was, definition, calls in pairs:
        explained(before, after, was, definition, span, calls, layout)  # which holds one against the other


@pytest.mark.timeout(900)
@settings(max_examples=settings().max_examples // 3, phases=[each for each in Phase if each is not Phase.explain])
@given(facts(), of_users, of_users, spans)
def test_the_cause_is_what_each_world_says_by_itself(after, users, others, span):
    """The same data then and now: whoever changes was edited, or time has passed, or something came."""
    was, definition = Audience("A", users), Audience("A", others)
    since = NOW - dt.timedelta(seconds=span)
    with duckdb.connect() as handle, duckdb.connect() as still:
        _load(handle, known(after))
        _load(still, known(without(after, span)))
        source = bind(SETTINGS, schema_of(handle))

        def members(of, as_of, where=handle):
            sql = compile_definition(of, source, REGISTRY).sql("duckdb", as_of)
            return {user for (user,) in where.execute(sql.bound, sql.params).fetchall()}

        had, has = members(was, since), members(definition, NOW)
        without_edit, nothing_new = members(was, NOW), members(was, NOW, still)
    expected = {}
    for user in had ^ has:
        by_time = (user in nothing_new) == (user in has)
        expected[user] = EDITED if (user in without_edit) == (user in had) else TIME if by_time else NEW

    plans = explained(after, after, was, definition, span, ["identify"])
    said = {member: cause for _, told in plans for member, (_, cause) in said_by(told).items()}
    same = was.fingerprint == definition.fingerprint
    assert said == ({user: NEW if cause == EDITED else cause for user, cause in expected.items()} if same else expected)


def test_nobody_looks_for_merged_users_among_very_many():
    nobody = Facts((), (), (), (), (), AS_OF)
    plans = Audience("A", trait("plan").exists())
    with duckdb.connect() as handle:
        _load(
            handle, known(replace(nobody, users=(Subject("u1", None, "pro"),), claims=(Claim("u1", "id", "u2", None),)))
        )
        found = found_by(handle, plans, NOW)
        state = acknowledged("identify", found, NOW - dt.timedelta(days=1))
        gone = pl.DataFrame({"member": [f"u{number}" for number in range(2, 2 + MOST_IDS + 1)]})
        told = []
        for acked in (gone, gone.tail(MOST_IDS), gone.head(MOST_IDS)):
            draft, case = drafted("identify", plans, found, replace(state, acknowledged=acked))
            told += [draft(each) for each in Otherwise(reader_of(handle, REGISTRY))(found, [case], Forgotten())]

    assert [part.causes.get(MERGED, 0) for part in told] == [0, 0, 2]  # u2 has become u1, who enters
    assert [part.unasked for part in told] == ["more than 5,000 members change: nobody looked for merged users", "", ""]
