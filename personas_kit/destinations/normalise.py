"""Identifiers the way Meta and Google want them before they are hashed, as polars expressions.

Hashes are lowercase hex SHA-256 of UTF-8, unsalted. What is a hash already (64 hex digits) passes through in lower
case: hashing it twice would match nobody. The two vendors hash the same person differently (Google's phone number has a
plus, Meta's has none): a column that is hashed already fits one of them. What cannot be an identifier becomes null: one
bad identifier fails Google's whole request.

A vendor's rules and its own library disagree in places. What is done here, for both:

* Leading zeros of a phone number are dropped, as Meta's rules say: ``0044`` is dialled, and is no country code. Neither
  library does. No country code is added: nobody here knows the country.
* Letters beyond ASCII stay in names, as both vendors' rules say. Meta's business library deletes them.
* Nothing is guessed from words: ``California`` is not ``ca``, ``January`` is no month, ``Smith Jr.`` keeps its suffix.
  The source is where that is put right.

For Meta, its rules are followed where its library does otherwise: a dot at the end of an address stays, a British
postal code has no space, an id of one's own keeps its capitals, the id of a device is not hashed. Names lose their
spaces, as in all of its code. Of a city and a state only the letters from a to z are left, as its rules and its code
say; how others are written with these is for the source to say. A phone number without its country code will do where
``country`` goes with it.

For Google, spaces inside an address are removed, as its formatting page says; its library refuses the address. The
page and the library leave the punctuation of names, and so does this; the reference of the API says "no punctuation".

Source: https://developers.facebook.com/documentation/ads-commerce/marketing-api/audiences/guides/custom-audiences and
https://github.com/facebook/capi-param-builder, Meta's own code for events (read 2026-11-27),
https://developers.google.com/data-manager/api/devguides/concepts/formatting (read 2026-11-26).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl
import polars_hash

_HASH = r"^[0-9a-fA-F]{64}$"
_DEVICE = r"(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_NOBODYS_DEVICE = r"^[0-]*$"
_GMAIL = ("gmail.com", "googlemail.com")


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
        return value.map_batches(self._sent, return_dtype=pl.String, is_elementwise=True)

    def _sent(self, column: pl.Series) -> pl.Series:
        """Step by step: as one expression the text would be made uniform again for each place where it is looked at."""
        cells = column.alias("text").to_frame().select(pl.col("text").str.strip_chars())
        cells = cells.with_columns(uniform=self.uniform(pl.col("text")))
        usable = pl.when(pl.col("uniform") != "").then("uniform")
        if not self.hashed:
            return cells.select(usable).to_series()
        given = pl.when(pl.col("text").str.contains(_HASH)).then("text").str.to_lowercase()
        return cells.select(pl.coalesce(given, _sha256(usable))).to_series()


def _sha256(text: pl.Expr) -> pl.Expr:
    """Null stays null."""
    hashed: pl.Expr = polars_hash.concat_str(text).chash.sha2_256()
    return hashed


def _lower(text: pl.Expr) -> pl.Expr:
    return text.str.to_lowercase()


def _digits(text: pl.Expr) -> pl.Expr:
    """Digits with the country code, no plus, no leading zeros."""
    return text.str.replace_all(r"[^0-9]+", "").str.strip_chars_start("0")


def _letters(text: pl.Expr) -> pl.Expr:
    """Lower case without punctuation and spaces; letters beyond ASCII stay, with their marks."""
    return text.str.to_lowercase().str.replace_all(r"[\p{P}\p{S}\s]", "")


def _packed(text: pl.Expr) -> pl.Expr:
    """Lower case letters from a to z only."""
    return text.str.to_lowercase().str.replace_all(r"[^a-z]", "")


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


def _matching(text: pl.Expr, pattern: str) -> pl.Expr:
    """The texts that look like this; null for others."""
    return pl.when(text.str.contains(pattern)).then(text)


def _gender(text: pl.Expr) -> pl.Expr:
    return _matching(text.str.to_lowercase().str.head(1), "^[mf]$")


def _year(text: pl.Expr) -> pl.Expr:
    return _matching(text, r"^(19|20)\d\d$")


def _month(text: pl.Expr) -> pl.Expr:
    return _matching(text.str.zfill(2), r"^(0[1-9]|1[0-2])$")


def _day(text: pl.Expr) -> pl.Expr:
    return _matching(text.str.zfill(2), r"^(0[1-9]|[12]\d|3[01])$")


def _initial(text: pl.Expr) -> pl.Expr:
    return _letters(text).str.head(1)


def _somebodys_device(text: pl.Expr) -> pl.Expr:
    """Zeros are what a device says whose owner is not to be followed: millions share them."""
    return pl.when(~text.str.contains(_NOBODYS_DEVICE)).then(text)


def _device(text: pl.Expr) -> pl.Expr:
    return _somebodys_device(text.str.to_lowercase())


def _device_uuid(text: pl.Expr) -> pl.Expr:
    return _somebodys_device(_matching(text, _DEVICE))


def _google_email(text: pl.Expr) -> pl.Expr:
    """Lower case without spaces; at Gmail without dots and without what follows a plus."""
    whole = _matching(text.str.to_lowercase().str.replace_all(r"\s", ""), "^[^@]+@[^@]+$")
    user, domain = whole.str.extract("^([^@]+)"), whole.str.extract("([^@]+)$")
    bare = user.str.replace(r"\+.*", "").str.replace_all(".", "", literal=True)
    name = pl.when(domain.is_in(_GMAIL)).then(bare).otherwise(user)
    return pl.when(name != "").then(pl.concat_str(name, pl.lit("@"), domain))


def _e164(text: pl.Expr) -> pl.Expr:
    """Plus and digits."""
    digits = _digits(text)
    return pl.when(digits != "").then(pl.concat_str(pl.lit("+"), digits))


def _region(text: pl.Expr) -> pl.Expr:
    """Two capitals."""
    return _matching(text.str.to_uppercase(), "^[A-Z]{2}$")


def as_given(name: str, *, alone: bool = True) -> Identifier:
    """An id as the source has it, under this name."""
    return Identifier(name, _as_is, hashed=False, alone=alone)


def small_address(name: str = "email") -> Identifier:
    """An email address in small letters, not hashed, under this name."""
    return Identifier(name, _lower, hashed=False, alone=True)


META: Mapping[str, Identifier] = {
    "email": Identifier("EMAIL", _lower, alone=True),
    "phone": Identifier("PHONE", _digits, alone=True),
    "gender": Identifier("GEN", _gender),
    "birth_year": Identifier("DOBY", _year),
    "birth_month": Identifier("DOBM", _month),
    "birth_day": Identifier("DOBD", _day),
    "first_name": Identifier("FN", _letters),
    "first_initial": Identifier("FI", _initial),
    "last_name": Identifier("LN", _letters),
    "city": Identifier("CT", _packed),
    "state": Identifier("ST", _packed),
    "zip": Identifier("ZIP", _zip),
    "country": Identifier("COUNTRY", _country),
    "extern_id": as_given("EXTERN_ID"),
    "mobile_advertiser_id": Identifier("MADID", _device, hashed=False, alone=True),
}

GOOGLE: Mapping[str, Identifier] = {
    "email": Identifier("emailAddress", _google_email, alone=True),
    "phone": Identifier("phoneNumber", _e164, alone=True),
    "first_name": Identifier("givenName", _lower),
    "last_name": Identifier("familyName", _lower),
    "zip": Identifier("postalCode", _as_is, hashed=False),
    "country": Identifier("regionCode", _region, hashed=False),
    "mobile_advertiser_id": Identifier("mobileId", _device_uuid, hashed=False, alone=True),
    "user_id": as_given("userId"),
}
