"""What the state holds of people: while a plan is under way, and when it is over."""

import json
import re

import polars as pl

from tests.security.canaries import PEOPLE, canaries_in, secrets_in


def kept(folder):
    """Every file of the state by its place: its bytes, and what stands in it where that is packed."""
    texts, state = {}, folder / ".personas"
    for path in sorted(state.rglob("*")):
        if path.is_file():
            name = path.relative_to(state).as_posix()
            texts[name] = path.read_bytes().decode("latin-1")
            if path.suffix == ".parquet":
                texts[name] += str(pl.read_parquet(path).to_dicts())
    return texts


def test_while_a_plan_is_under_way_its_traits_lie_in_its_own_file_and_nowhere_else(workspace, folder):
    seen = []
    workspace.plan("vips").push(progress=lambda _: seen.append(kept(folder)))

    with_people = {name for texts in seen for name, text in texts.items() if canaries_in(text)}
    assert with_people  # the canaries can be found
    assert {name.split("/")[0] for name in with_people} == {"plans"}
    assert [secrets_in(text) for texts in seen for text in texts.values() if secrets_in(text)] == []


def test_after_a_plan_no_trait_is_left_and_lists_hold_hashes(workspace, folder):
    workspace.plan("vips").push()
    workspace.plan("teams").push()

    assert list((folder / ".personas" / "plans").glob("*")) == []
    assert {name: canaries_in(text) for name, text in kept(folder).items() if canaries_in(text)} == {}
    (ads,) = (state for sync, state in workspace.store.syncs() if sync.call == "list")
    members = [json.loads(member) for member in ads.acknowledged["member"]]
    assert len(members) == PEOPLE
    assert all(re.fullmatch("[0-9a-f]{64}", value) for member in members for value in member.values())


def test_the_value_of_a_trait_is_kept_since_the_next_push_compares_with_it(workspace, folder):
    workspace.plan("last_phone").push()
    with_people = {
        name.split("/")[-1].split("-")[0]: canaries_in(text) for name, text in kept(folder).items() if canaries_in(text)
    }

    assert set(with_people) == {"last_phone"}
    assert all(found.startswith("a telephone number") for found in with_people["last_phone"])
