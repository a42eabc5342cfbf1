"""Makes personal data unreadable where a person only wants to see that it is there: samples, payloads, tables.

A column is personal if its name says so; e-mail addresses are found anywhere.
"""

from __future__ import annotations

import re

import polars as pl

_EMAIL = re.compile(r"(?P<one>[^\s@\"'<>])[^\s@\"'<>]*@(?P<two>[^\s@\"'<>.])[^\s@\"'<>]*(?P<end>\.[A-Za-z]{2,})\b")
_PRIVATE = re.compile(
    r"e?mail|phone|mobile|name|address|street|birth|dob\b|ssn|passport|iban|ip\b|token|secret", re.IGNORECASE
)
_PUBLIC = re.compile(r"(plan|product|event|company|account|domain|project|campaign)_?name|name_of", re.IGNORECASE)


def masked(frame: pl.DataFrame, keep: tuple[str, ...] = ("user_id", "account_id")) -> pl.DataFrame:
    """The frame with personal data made unreadable: columns whose name says so, and e-mail addresses anywhere.

    Args:
        frame: what is to be shown.
        keep: columns whose name says nothing: ids, and the ``name`` of an account. Addresses go from them, too.
    """
    return frame.with_columns(
        pl.col(name).map_elements(_mask_private if _is_private(name) else mask_text, return_dtype=pl.String).alias(name)
        for name, dtype in frame.schema.items()
        if dtype == pl.String and (name not in keep)
    ).with_columns(
        pl.col(name).map_elements(mask_text, return_dtype=pl.String).alias(name)
        for name, dtype in frame.schema.items()
        if dtype == pl.String and name in keep
    )


def mask_text(text: str) -> str:
    """E-mail addresses inside a text become ``j•••@e•••.com``."""
    return _EMAIL.sub(r"\g<one>•••@\g<two>•••\g<end>", text)


def _is_private(name: str) -> bool:
    return bool(_PRIVATE.search(name)) and not _PUBLIC.search(name)


def _mask_private(text: str) -> str:
    without = mask_text(text)
    return without if without != text else f"{text[:1]}•••"


def mask_value(name: str, value: object) -> object:
    """One value of a column, made unreadable if it is personal."""
    if not isinstance(value, str):
        return value
    return _mask_private(value) if _is_private(name) else mask_text(value)
