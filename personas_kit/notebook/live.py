"""Whether a person sits at a front end that can show widgets, and hear what that person does.

A notebook that papermill or nbclient executes has a kernel and nobody to click: it gets the static card alone, which is
what its reader will see. There is no documented way to ask for that, so the kernel's own mark is looked at: it takes
input only from a front end that has somebody to ask. ``PERSONAS_WIDGETS=0`` or ``=1`` says it instead.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import Protocol

from personas_kit.errors import PersonasError

VARIABLE = "PERSONAS_WIDGETS"
NEEDED = "anywidget"


class Handle(Protocol):
    """An output that can be changed."""

    def update(self, data: object, *, raw: bool) -> None:
        """Show this instead."""


def attended() -> bool:
    """Whether a widget would be seen, and could be used."""
    said = os.environ.get(VARIABLE)
    if said in {"0", "1"}:
        return said == "1"
    return importlib.util.find_spec(NEEDED) is not None and (_in_a_kernel() or _in_marimo())


def watched() -> bool:
    """Whether the outputs of this kernel are looked at while it runs; papermill and nbclient have nobody."""
    return _in_a_kernel()


def check_usable(what: str) -> None:
    """There is nothing but a widget to show for some things.

    Raises:
        PersonasError: widgets are not installed.
    """
    if importlib.util.find_spec(NEEDED) is None:
        raise PersonasError(f"{what} needs anywidget, which is not installed", hint='pip install "personas-kit[lab]"')


def kernel() -> object | None:
    """The kernel that runs this; None elsewhere."""
    ipython = sys.modules.get("IPython")
    return getattr(ipython.get_ipython(), "kernel", None) if ipython is not None else None


def _in_a_kernel() -> bool:
    found = kernel()
    return found is not None and bool(getattr(found, "_allow_stdin", True))


def _in_marimo() -> bool:
    marimo = sys.modules.get("marimo")
    return marimo is not None and bool(marimo.running_in_notebook())
