"""The parameters of a notebook that runs on a schedule, by whatever way the schedule hands them over.

Papermill writes a cell below the one with the tag ``parameters``. Others hand over texts: as arguments of the process
(a warehouse's own notebooks), or by the environment (``jupyter execute``, containers).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from types import SimpleNamespace

from personas_kit.errors import PersonasError

PREFIX = "PERSONAS_"
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def parameters(notebook: Mapping[str, object], **kinds: type) -> SimpleNamespace:
    """The parameters of a notebook, each of the type that is meant.

    An argument ``name=value`` of the process goes first, then the variable ``PERSONAS_NAME`` of the environment, then
    what the notebook says. A text is split at commas where a list is meant; ``none`` and nothing are None, or no list.

    >>> parameters({"keys": "big_buyers, vips", "approve": "guards"}, keys=list, approve=str)
    namespace(keys=['big_buyers', 'vips'], approve='guards')

    Args:
        notebook: the names of the notebook: ``globals()``.
        **kinds: of each parameter, by its name: ``str``, ``list``, ``bool``, ``int`` or ``float``.

    Raises:
        PersonasError: the notebook has no such name, or a text is not what is meant: a number, true or false.
    """
    arguments = dict(each.split("=", 1) for each in sys.argv[1:] if "=" in each)
    found: dict[str, object] = {}
    for name, kind in kinds.items():
        if name not in notebook:
            raise PersonasError(f"there is no parameter {name!r}", hint="give it a value in the cell of parameters")
        said = arguments.get(name, os.environ.get(PREFIX + name.upper(), notebook[name]))
        found[name] = _read(name, said, kind)
    return SimpleNamespace(**found)


def _read(name: str, said: object, kind: type) -> object:
    text = None if said is None else str(said).strip()
    absent = text is None or text.casefold() in {"", "none"}
    if kind is list:
        if isinstance(said, list | tuple):
            return list(said)
        return [] if absent else [each.strip() for each in str(text).split(",") if each.strip()]
    if absent:
        return None
    try:
        return _TRUTH[str(text).casefold()] if kind is bool else kind(text)
    except (KeyError, ValueError):
        raise PersonasError(
            f"the parameter {name} is {'true or false' if kind is bool else 'a number'}, not {text!r}",
            where=f"{name}=..., or {PREFIX}{name.upper()} in the environment",
        ) from None
