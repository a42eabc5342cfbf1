"""Worlds that are left out tell nothing, whatever anybody would have answered."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import get_args

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from personas_kit.activation.causes import Question, Role
from personas_kit.activation.judging import _told
from personas_kit.activation.telling import reduced, telling
from personas_kit.compiler.counterfactual import World
from personas_kit.definitions import Audience, trait

ROLES = get_args(Role)
CASE, COUNTED = SimpleNamespace(empty=None), SimpleNamespace(empty="0")
WORLDS = 5
taken = st.dictionaries(st.sampled_from(ROLES), st.integers(0, WORLDS - 1))


def causes(roles, says):
    """By the rules, where each world says so; ``says`` has the present one as ``world 0``."""
    lines = says.with_columns(pl.col(f"world {position}").alias(role) for role, position in roles.items())
    return lines.select(cause=pl.coalesce(*_told(roles), pl.lit("usual")))["cause"].to_list()


def everything_said():
    """Every way in which worlds can answer about a change: what is wanted is not what was acknowledged."""
    worlds = [f"world {position}" for position in range(WORLDS)]
    lines = [
        line
        for line in itertools.product([None, "1", "2"], repeat=WORLDS + 1)
        if line[0] != line[-1]
    ]  # fmt: skip
    said = pl.DataFrame(lines, schema=dict.fromkeys([*worlds, "acknowledged"], pl.String), orient="row")
    return said.with_columns(wanted="world 0", merged=pl.lit(value=False))


SAID = everything_said()


@given(taken)
def test_roles_that_are_left_out_tell_nothing(roles):
    assert causes(telling(roles, CASE), SAID) == causes(roles, SAID)


def test_where_everything_is_as_it_is_nothing_can_tell():
    assert telling({"then": 0, "quiet": 0, "edited": 0, "unsuppressed": 0}, CASE) == {}
    assert telling({"then": 1, "quiet": 1}, CASE) == {}  # nothing but who exists depends on the instant


def test_whoever_is_kept_out_is_known_of_those_whom_another_world_lists():
    roles = {"then": 1, "quiet": 1, "kept out": 2}
    assert telling(roles, CASE) == roles


def test_a_count_that_was_nothing_may_be_as_before_where_nobody_is_there_any_more():
    roles = {"then": 0, "quiet": 0}
    assert telling(roles, COUNTED) == roles


def test_worlds_that_are_the_same_are_asked_once_and_list_whom_any_of_them_lists():
    about = Audience("A", trait("vip").exists())
    now, aside = World(about, {}), World(about, {}, aside=True)
    question = Question(
        (now, aside, now, World(about, {}, quiet=1), World(about, {}, ago=1)),
        ({"kept out": 1, "unsuppressed": 2, "quiet": 3, "then": 4},),
        ("usual",),
    )
    once = reduced(question, [CASE], [0, 1, 1, 0, 4])

    assert once.worlds == (now, now, question.worlds[4])
    assert once.roles == ({"kept out": 1, "unsuppressed": 1, "quiet": 0, "then": 2},)
    assert not reduced(question, [CASE], [0, 0, 0, 0, 0]).asks
