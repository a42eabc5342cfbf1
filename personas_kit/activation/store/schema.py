"""The tables of the state, and which version of them this is."""

from __future__ import annotations

import importlib.resources
import re

VERSION = 2


def statements(file: str = "schema.sql") -> list[str]:
    """The statements that make the tables, in order; those of another file of this folder."""
    text = importlib.resources.files("personas_kit.activation.store").joinpath(file).read_text(encoding="utf-8")
    bare = re.sub(r"--[^\n]*", "", text)
    return [statement.strip() for statement in bare.split(";") if statement.strip()]
