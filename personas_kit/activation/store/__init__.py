"""What each destination acknowledged, kept so that a crash at any instant loses nothing.

One protocol over two kinds of places: ``local.py``, a folder on this machine; ``warehouse.py``, a schema of the
warehouse, for teams. Read ``tables.py`` for what a place has to offer. ``looking.py`` reads and changes nothing,
``pushing.py`` is the life of a plan, ``store.py`` is what is left: the history, and what a person does by hand.
"""

from personas_kit.activation.store.local import LocalStore
from personas_kit.activation.store.store import Store
from personas_kit.activation.store.warehouse import WarehouseStore

__all__ = ["LocalStore", "Store", "WarehouseStore"]
