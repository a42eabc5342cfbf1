"""The parameters of a notebook that runs on a schedule, by whatever way the schedule hands them over.

Papermill writes a cell below the one with the tag ``parameters``. Others hand over texts: as arguments of the process
(a warehouse's own notebooks), or by the environment (``jupyter execute``, containers).
"""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace

from personas_kit.errors import PersonasError

PREFIX = "PERSONAS_"
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def parameters(**given: object) -> SimpleNamespace:
    """The parameters as they are meant: of the type that each has in the notebook.

    An argument ``name=value`` of the process goes first, then the variable ``PERSONAS_NAME`` of the environment, then
    what the notebook says. A text where the notebook has a list is split at commas; ``none`` and nothing are None, or
    the empty list.

    >>> parameters(definitions=["big_buyers"], approve="guards")
    namespace(definitions=['big_buyers'], approve='guards')

    Args:
        **given: the notebook's own values, by name.

    Raises:
        PersonasError: a text is not what the notebook's value is: a number, true or false.
    """
    arguments = dict(each.split("=", 1) for each in sys.argv[1:] if "=" in each)
    said = {name: arguments.get(name, os.environ.get(PREFIX + name.upper())) for name in given}
    return SimpleNamespace(
        **{name: value if said[name] is None else _read(name, said[name], value) for name, value in given.items()}
    )


def _read(name: str, said: str | None, usual: object) -> object:
    text = (said or "").strip()
    try:
        match usual:
            case list() | tuple():
                return [] if text.casefold() == "none" else [each.strip() for each in text.split(",") if each.strip()]
            case bool():
                return _TRUTH[text.casefold()]
            case int() | float():
                return type(usual)(text)
            case _:
                return None if text.casefold() in {"", "none"} else text
    except (KeyError, ValueError):
        kind = "true or false" if isinstance(usual, bool) else "a number"
        raise PersonasError(
            f"the parameter {name} is {kind}, not {text!r}", where=f"{name}=... or {PREFIX}{name.upper()}"
        ) from None
