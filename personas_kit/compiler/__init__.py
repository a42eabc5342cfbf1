"""PURE: a definition and a source become one SQL tree, rendered for any dialect and instant. Runs nothing."""

from personas_kit.compiler.bind import bind
from personas_kit.compiler.compile import (
    compile_definition,
    compile_event_names,
    compile_lookup,
    compile_memberships,
    compile_population,
)
from personas_kit.compiler.own_sql import compile_own_problems
from personas_kit.compiler.query import SQL, Query
from personas_kit.compiler.settings import SourceSettings
from personas_kit.compiler.several import Several, compile_several
from personas_kit.compiler.sizes import compile_sizes
from personas_kit.compiler.source import Column, Schema, Source, Table

__all__ = [
    "SQL",
    "Column",
    "Query",
    "Schema",
    "Several",
    "Source",
    "SourceSettings",
    "Table",
    "bind",
    "compile_definition",
    "compile_event_names",
    "compile_lookup",
    "compile_memberships",
    "compile_own_problems",
    "compile_population",
    "compile_several",
    "compile_sizes",
]
