"""What every destination of the kit keeps. A new module is held to it by lying in its folder."""

import importlib
import pkgutil
import re

import polars as pl
import pytest

import personas_kit.destinations as folder
from personas_kit.destinations import DESTINATIONS, find
from personas_kit.destinations.registry import SHARED, module_of
from personas_kit.errors import UnknownName
from personas_kit.testing import DestinationContract
from tests.destinations.conftest import FIXTURES, batch_of, connect, file_of

MODULES = {module.name for module in pkgutil.iter_modules(folder.__path__)} - SHARED
OWN = [slug for slug in sorted(DESTINATIONS) if module_of(slug) in MODULES]


class Kept(DestinationContract):
    """What anybody's destination keeps, and what is kept besides by those of the kit."""

    def test_the_docstring_says_what_is_odd_and_where_it_was_read(self):
        module = importlib.import_module(f"{folder.__name__}.{module_of(self.destination.slug)}")
        text = " ".join((module.__doc__ or "").split())

        assert "What is odd: " in text
        assert re.search(r"read 2026-1[12]-\d\d", text)


for _slug in OWN:
    if file_of(_slug).exists():
        _name = f"Test_{module_of(_slug)}"
        globals()[_name] = type(_name, (Kept,), {"destination": DESTINATIONS[_slug], "fixture": file_of(_slug)})


def test_every_module_is_a_destination_and_has_a_fixture():
    assert {module_of(slug) for slug in OWN} == MODULES
    assert {path.stem for path in FIXTURES.glob("*.json")} == {name.replace("_", "-") for name in MODULES}


def test_a_misspelt_destination_is_not_found_but_its_neighbour_is():
    with pytest.raises(UnknownName) as unknown:
        find("amplitued")
    assert unknown.value.near[0] == "amplitude"


def test_a_line_of_which_nothing_is_left_is_named():
    batch = batch_of([{"user_id": f"u{at}", "change": "enter", "value": "true"} for at in range(3)])

    assert list(connect("segment").refused("identify", batch, pl.Series(["{}", None, "{}"]))) == [1]
