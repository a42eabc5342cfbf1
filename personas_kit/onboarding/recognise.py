"""What the tables of a warehouse seem to be, by their names and the names and types of their columns. Reads no line.

The layouts of products are told by their tables; everything else is a home-grown layout, put together from a table of
users and one of events. What names do not tell (which event has which table, what an anonymous id is called) is left to
``proposal``, which asks the warehouse.
"""

from __future__ import annotations

from personas_kit.compiler.source import Schema, Table
from personas_kit.onboarding.home_grown import Named, home_grown
from personas_kit.onboarding.layout import Layout, Place, Shelf
from personas_kit.onboarding.products import product


def recognise(schema: Schema, named: Named | None = None) -> list[Layout]:
    """Every layout that has at least users or events, the most complete first.

    Args:
        schema: what introspection found.
        named: tables that a person named, by the part that they hold; then there is one layout, a home-grown one.
    """
    tables = {table.parts: table for table in schema.values()}
    everything = Shelf(schema, (), list(tables.values()))
    if named:
        found = home_grown(everything, named)
        return [found] if found else []
    places: dict[Place, list[Table]] = {}
    for table in tables.values():
        places.setdefault(table.parts[:-1], []).append(table)
    shelves = [Shelf(schema, place, several) for place, several in places.items()]
    layouts = [layout for shelf in shelves if (layout := product(shelf) or home_grown(shelf, {})) is not None]
    if not any(layout.whole for layout in layouts) and (across := home_grown(everything, {})) is not None:
        layouts = [across]
    return sorted(layouts, key=lambda of: (of.whole, bool(of.beside), of.parts), reverse=True)
