"""A key that was an audience's becomes a trait's, or the other way round."""

import pytest

import personas_kit as pk
from personas_kit.errors import PlanError
from personas_kit.sandbox import Sandbox
from tests import small

AUDIENCE = pk.Audience("Shifty", pk.trait("vip") == True)  # noqa: E712  (an expression)
TRAIT = pk.Trait("Shifty", pk.trait("email"))


@pytest.fixture
def sandbox():
    with Sandbox() as receiver:
        yield receiver


@pytest.fixture
def workspace(tmp_path, sandbox):
    small.make(tmp_path, sandbox.url, ["ann", "bob"])
    return small.opened(tmp_path)


def pushed(workspace, definition):
    plan = workspace.plan(definition, to="analytics", send=["identify"], mode="full")
    return plan.push(override=[guard.name for guard in plan.guards])


def given(sandbox):
    """What the receiver has."""
    return {user: traits.get("shifty") for user, traits in sandbox.users().items()}


@pytest.mark.parametrize(("first", "then"), [(AUDIENCE, TRAIT), (TRAIT, AUDIENCE)])
def test_while_somebody_is_there_it_is_refused(workspace, first, then):
    pushed(workspace, first)

    with pytest.raises(PlanError, match="when it was pushed last, and is") as refused:
        workspace.plan(then, to="analytics", send=["identify"])
    assert "personas remove shifty --to analytics" in refused.value.hint


@pytest.mark.parametrize(
    ("first", "then", "has"),
    [(AUDIENCE, TRAIT, "ann@example.com"), (TRAIT, AUDIENCE, True)],
)
def test_once_everyone_is_out_it_goes_as_what_it_is(workspace, sandbox, first, then, has):
    pushed(workspace, first)
    workspace.add(first)
    workspace.remove("shifty").push()

    assert pushed(workspace, then).complete
    assert given(sandbox)["ann"] == has
    again = workspace.plan(then, to="analytics", send=["identify"])
    assert again.changes.height == 0


def test_after_a_reset_as_well(workspace, sandbox):
    pushed(workspace, AUDIENCE)
    workspace.reset("shifty", to="analytics", confirm="shifty")

    assert pushed(workspace, TRAIT).complete
    assert given(sandbox) == {"ann": "ann@example.com", "bob": "bob@example.com"}
