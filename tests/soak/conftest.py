"""Months keep their state where the attacks do, and leave as little behind."""

import pytest

from tests.activation.attack.conftest import buried_dead, quick_path

__all__ = ["buried_dead", "quick_path"]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Who dies in this process cannot close what it had open, as a system does for a process that is gone."""
    item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))
