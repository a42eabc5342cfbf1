"""Tab completes behind names of the catalogue: ``ws.events.order_completed["<TAB>``.

Before IPython shows what follows, it has to look the object up, which it does only where it knows that this has no
effects. What the catalogue looks up it keeps, so its classes are named to IPython: where IPython has the list of such
classes, which is no documented interface. Where it has not, Tab still completes the first name.
"""

from __future__ import annotations

import contextlib
import sys
from types import ModuleType

from personas_kit.catalogue import Catalogue, Event


def name_lookups() -> None:
    """Name the classes of the catalogue to IPython, if it is loaded."""
    guarded: ModuleType | None = None
    if "IPython" in sys.modules:
        with contextlib.suppress(ImportError):  # one that guards nothing, or guards it otherwise
            from IPython.core import guarded_eval  # noqa: PLC0415  (only where it is loaded)

            guarded = guarded_eval
    limited = getattr(guarded, "EVALUATION_POLICIES", {}).get("limited")
    attributes, items = getattr(limited, "allowed_getattr", None), getattr(limited, "allowed_getitem", None)
    if isinstance(attributes, set) and isinstance(items, set):
        attributes.add(Catalogue)
        items.update({Catalogue, Event})


name_lookups()
