"""Durations and sizes as a person writes them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_LONGEST = 36_500 * 86_400
_SIZES = {"M": 10**6, "G": 10**9, "T": 10**12}


def duration(text: object) -> int:
    """``"1h"`` in seconds; also ``s``, ``m`` and ``d``."""
    found = re.fullmatch(r"\s*(\d+)\s*([smhd])\s*", text) if isinstance(text, str) else None
    if not found or not int(found[1]):
        raise ValueError(f'{text!r} is not a duration: write "30s", "15m", "1h" or "1d"')
    seconds = int(found[1]) * _UNITS[found[2]]
    if seconds > _LONGEST:
        raise ValueError(f"a duration is at most {_LONGEST // _UNITS['d']} days")
    return seconds


def size(text: object) -> int:
    """``"50 GB"`` in bytes; also ``MB`` and ``TB``, by thousands."""
    found = re.fullmatch(r"\s*(\d+)\s*([MGT])B\s*", text) if isinstance(text, str) else None
    if not found or not int(found[1]):
        raise ValueError(f'{text!r} is not a size: write "500 MB", "50 GB" or "1 TB"')
    return int(found[1]) * _SIZES[found[2]]


Duration = Annotated[int, BeforeValidator(duration)]
Size = Annotated[int, BeforeValidator(size)]
