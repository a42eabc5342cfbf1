"""Chance that is the same everywhere: numbers made by mixing the bits of an index, in whole numbers only.

No generator of a library is used, since its numbers may change with the next version, and no floating point, since its
last digit may change with the machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

Number = int | pl.Expr


@dataclass(frozen=True, slots=True)
class Chance:
    """Draws for the rows of a frame, one stream per purpose.

    >>> import polars as pl
    >>> pl.select(Chance(7).below("coin", 2, pl.int_range(3, dtype=pl.UInt64))).height
    3
    """

    seed: int

    def draw(self, stream: str, index: pl.Expr) -> pl.Expr:
        """64 even random bits (UInt64) for each number of ``index``: SplitMix64, with the stream as its start.

        Source: Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014.
        """
        start = int.from_bytes(hashlib.blake2b(f"{self.seed}/{stream}".encode(), digest_size=8).digest(), "big")
        mixed = index.cast(pl.UInt64) * _bits(0x9E3779B97F4A7C15) + _bits(start)
        mixed = (mixed ^ (mixed // 2**30)) * _bits(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed // 2**27)) * _bits(0x94D049BB133111EB)
        return mixed ^ (mixed // 2**31)

    def below(self, stream: str, limit: Number, index: pl.Expr) -> pl.Expr:
        """Whole numbers (Int64) from 0 to ``limit - 1``, each as likely."""
        bound = limit.cast(pl.UInt64) if isinstance(limit, pl.Expr) else _bits(limit)
        return (self.draw(stream, index) % bound).cast(pl.Int64)

    def happens(self, stream: str, per_thousand: int, index: pl.Expr) -> pl.Expr:
        """True for so many of a thousand."""
        return self.below(stream, 1_000, index) < per_thousand

    def pick(self, stream: str, values: Sequence[Any], index: pl.Expr) -> pl.Expr:
        """One of the values; a value that stands there twice is twice as likely."""
        return pl.lit(pl.Series(values)).gather(self.below(stream, len(values), index))


def weighted(weights: dict[str, int]) -> list[str]:
    """Each value as often as its weight, for ``pick``."""
    return [value for value, weight in weights.items() for _ in range(weight)]


def _bits(number: int) -> pl.Expr:
    return pl.lit(number, dtype=pl.UInt64)
