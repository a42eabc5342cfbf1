"""Audiences and computed traits from your own warehouse: defined in a notebook, pushed exactly to where they are used.

>>> import personas_kit as pk
>>> from personas_kit import event
>>> pk.Audience("Order Completed last 30days", event("Order Completed").within(days=30).count() >= 1)
Audience('Order Completed last 30days', event('Order Completed').within(30 days).count() >= 1, key='order_completed_last_30days')

``pk.open()`` opens the workspace of ``personas.toml``; ``pk.demo()`` opens a generated company to try things on.
"""

from personas_kit import notebook as _notebook  # noqa: F401  (registers how results look)
from personas_kit.definitions import (
    AccountAudience,
    AccountTrait,
    Audience,
    Trait,
    account_trait,
    all_users,
    any_user,
    event,
    in_audience,
    no_user,
    parse,
    prop,
    trait,
)
from personas_kit.demo import open_demo as demo
from personas_kit.errors import PersonasError
from personas_kit.opening import open_workspace as open  # noqa: A004  (pk.open() is the name of the surface)
from personas_kit.secret import Secret
from personas_kit.workspace import Workspace

__all__ = [
    "AccountAudience",
    "AccountTrait",
    "Audience",
    "PersonasError",
    "Secret",
    "Trait",
    "Workspace",
    "account_trait",
    "all_users",
    "any_user",
    "demo",
    "event",
    "in_audience",
    "no_user",
    "open",
    "parse",
    "prop",
    "trait",
]
