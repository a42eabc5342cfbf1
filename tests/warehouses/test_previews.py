"""What every warehouse says of who members are, and what a preview leaves unasked where asking is paid for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from personas_kit.definitions import AccountAudience, Audience, any_user, event, trait
from personas_kit.errors import DefinitionError
from personas_kit.facets import Part
from tests.warehouses.test_data_lint import SHOP, opened, statements

if TYPE_CHECKING:
    from tests.warehouses.conftest import Backend

__all__ = ["statements"]
PEOPLE = '[source]\nusers = { table = "people", id = "user_id" }\n'
ZOE = {
    "text_": "Zoë \N{PARTY POPPER} O'Neill", "integer_": "5 to 9", "float_": "0.1 to 0.2", "decimal_": "10 to 20",
    "boolean_": "yes", "timestamp_": "2026-01", "timestamp_tz_": "2026-01", "date_": "2026-01",
}  # fmt: skip
zoe = Audience("Zoe", trait("text_").contains("Neill"))
adults = Audience("Adults", trait("age") >= 18)
buyers = Audience("Buyers", event("Order Completed").count() >= 1)
pros = AccountAudience("Pros", any_user(trait("plan") == "pro"))


def test_a_trait_of_every_type_is_counted_alike(backend: Backend, tmp_path: Path) -> None:
    workspace = opened(backend, tmp_path, PEOPLE)

    found = workspace.preview(zoe, by=[*ZOE])

    assert found.population == 3
    for breakdown, own in zip(found.facets.breakdowns, ZOE.values(), strict=True):
        member = next(part for part in breakdown.parts if part.count)
        assert member == Part(own, 1, 1.0, 1 / 3), breakdown.trait
        assert [part.usual for part in breakdown.parts] == pytest.approx([1 / 3] * 3), breakdown.trait
        assert breakdown.parts[-1].name in {"no value", own, "empty text", "no"}


def test_lists_and_documents_are_no_values_to_count(backend: Backend, tmp_path: Path) -> None:
    workspace = opened(backend, tmp_path, PEOPLE)

    for name in ("list_", "json_"):
        with pytest.raises(DefinitionError, match="no values to count"):
            workspace.preview(zoe, by=name)


def test_a_breakdown_costs_no_statement_of_its_own(backend: Backend, tmp_path: Path, statements: list[str]) -> None:
    workspace = opened(backend, tmp_path, SHOP)
    workspace.add(buyers, pros)
    free = backend.warehouse.dialect != "snowflake"

    found = workspace.preview(adults, by=["plan", "name"])

    own = [json.loads(tag)["key"] for tag in statements if tag]
    found_by = "3 definitions" if free else "adults"
    assert [key for key in own if key not in {"lint", "events"}] == [
        "population", found_by, "adults", *(["adults"] if free else []),
    ]  # fmt: skip
    assert [part.name for part in found.facets.breakdowns[0].parts] == ["pro", "free", "no value"]


def test_where_reading_costs_only_what_was_previewed_is_compared(
    backend: Backend, tmp_path: Path, statements: list[str]
) -> None:
    workspace = opened(backend, tmp_path, SHOP)
    workspace.add(buyers, pros)
    free = backend.warehouse.dialect != "snowflake"

    first = workspace.preview(adults).facets
    workspace.preview(buyers)
    second = workspace.preview(adults).facets

    assert first.overlap is not None
    assert second.overlap is not None
    assert first.overlap.left_out == (() if free else ("buyers", "pros"))
    assert second.overlap.left_out == (() if free else ("pros",))
    assert [(part.name, part.count) for part in second.overlap.parts if part.name == "buyers"] == [("buyers", 1)]
    assert (second.trend is not None) == free
    assert bool(second.notes) != free
