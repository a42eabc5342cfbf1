"""Audiences and computed traits from your own warehouse: defined in a notebook, pushed exactly to where they are used.

>>> import personas_kit as pk
>>> from personas_kit import event
>>> pk.Audience("Buyers", event("Order Completed").within(days=30).count() >= 1)
Audience('Buyers', event('Order Completed').within(30 days).count() >= 1, key='buyers')

``pk.open()`` opens the workspace of ``personas.toml``; ``pk.demo()`` opens a generated company to try things on.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from personas_kit import destinations, testing
    from personas_kit.company import open_demo as demo
    from personas_kit.definitions import (
        AccountAudience,
        AccountTrait,
        Audience,
        SqlAudience,
        SqlTrait,
        Trait,
        account_trait,
        all_users,
        any_user,
        event,
        from_dict,
        holdout,
        in_audience,
        no_user,
        parse,
        prop,
        split,
        top,
        trait,
        users,
    )
    from personas_kit.errors import PersonasError
    from personas_kit.notebook.parameters import parameters
    from personas_kit.opening import open_workspace as open  # noqa: A004  (pk.open() is the name of the surface)
    from personas_kit.opening import sql_file
    from personas_kit.secret import Secret
    from personas_kit.workspace import Workspace

__all__ = [
    "AccountAudience",
    "AccountTrait",
    "Audience",
    "PersonasError",
    "Secret",
    "SqlAudience",
    "SqlTrait",
    "Trait",
    "Workspace",
    "account_trait",
    "all_users",
    "any_user",
    "demo",
    "destinations",
    "event",
    "from_dict",
    "holdout",
    "in_audience",
    "no_user",
    "open",
    "parameters",
    "parse",
    "prop",
    "split",
    "sql_file",
    "testing",
    "top",
    "trait",
    "users",
]

#: What needs a warehouse or a network, or shows results.
_WORKING = {
    "Workspace": ("personas_kit.workspace", "Workspace"),
    "demo": ("personas_kit.company", "open_demo"),
    "destinations": ("personas_kit.destinations", ""),
    "open": ("personas_kit.opening", "open_workspace"),
    "parameters": ("personas_kit.notebook.parameters", "parameters"),
    "sql_file": ("personas_kit.opening", "sql_file"),
    "testing": ("personas_kit.testing", ""),
}
_BESIDE = {"PersonasError": "personas_kit.errors", "Secret": "personas_kit.secret"}


def __getattr__(name: str) -> object:
    """Every name is loaded when it is asked for, so that importing the package is quick."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    path, attribute = _BESIDE.get(name, "personas_kit.definitions"), name
    if name in _WORKING:
        path, attribute = _WORKING[name]
        importlib.import_module("personas_kit.notebook")  # registers how results look
    module = importlib.import_module(path)
    found = globals()[name] = getattr(module, attribute) if attribute else module
    return found


def __dir__() -> list[str]:
    """The public surface, for tab completion."""
    return __all__
