"""Identifiers the way Meta wants them before they are hashed, as polars expressions.

Source: Meta, Custom Audiences, "customer file" rules (read 2026-11-23). Hashes are lowercase hex SHA-256 of UTF-8,
unsalted. What is a hash already (64 hex digits) passes through in lower case: hashing it twice would match nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl
import polars_hash

_HASH = r"^[0-9a-fA-F]{64}$"


@dataclass(frozen=True, slots=True)
class Identifier:
    """How one kind of identifier is sent: under which name, made uniform how, hashed or not.

    ``alone`` says that it identifies a person without the others; a country or a first name does not.
    """

    name: str
    uniform: Callable[[pl.Expr], pl.Expr]
    hashed: bool = True
    alone: bool = False

    def cell(self, value: pl.Expr) -> pl.Expr:
        """What is sent for a column of texts; null where nothing is left of it."""
        text = value.str.strip_chars()
        uniform = self.uniform(text)
        usable = pl.when(uniform != "").then(uniform)
        if not self.hashed:
            return usable
        return pl.when(text.str.contains(_HASH)).then(text.str.to_lowercase()).otherwise(_sha256(usable))


def _sha256(text: pl.Expr) -> pl.Expr:
    """Null stays null."""
    hashed: pl.Expr = polars_hash.concat_str(text).chash.sha2_256()
    return hashed


def _lower(text: pl.Expr) -> pl.Expr:
    return text.str.to_lowercase()


def _digits(text: pl.Expr) -> pl.Expr:
    """Digits with the country code, no plus, no leading zeros."""
    return text.str.replace_all(r"[^0-9]", "").str.strip_chars_start("0")


def _letters(text: pl.Expr) -> pl.Expr:
    """Lower case without punctuation; letters beyond ASCII stay."""
    return text.str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}\s]", "").str.strip_chars()


def _packed(text: pl.Expr) -> pl.Expr:
    """Lower case letters only."""
    return text.str.to_lowercase().str.replace_all(r"[^\p{L}]", "")


def _zip(text: pl.Expr) -> pl.Expr:
    """Lower case without spaces; the first five digits of an American one."""
    packed = text.str.to_lowercase().str.replace_all(r"\s", "")
    return pl.when(packed.str.contains(r"^\d{5}(-?\d{4})?$")).then(packed.str.head(5)).otherwise(packed)


def _country(text: pl.Expr) -> pl.Expr:
    """Two letters. ``USA`` is understood; other long forms are the source's to correct (``Germany`` is not ``ge``)."""
    packed = _packed(text)
    return pl.when(packed == "usa").then(pl.lit("us")).otherwise(packed)


def _as_is(text: pl.Expr) -> pl.Expr:
    return text


META: Mapping[str, Identifier] = {
    "email": Identifier("EMAIL", _lower, alone=True),
    "phone": Identifier("PHONE", _digits, alone=True),
    "first_name": Identifier("FN", _letters),
    "last_name": Identifier("LN", _letters),
    "city": Identifier("CT", _packed),
    "state": Identifier("ST", _packed),
    "zip": Identifier("ZIP", _zip),
    "country": Identifier("COUNTRY", _country),
    "extern_id": Identifier("EXTERN_ID", _as_is, hashed=False, alone=True),
    "mobile_advertiser_id": Identifier("MADID", _lower, hashed=False, alone=True),
}
