"""What a test had to leave open is closed before the next one begins, and warns in nobody else's test."""

from __future__ import annotations

import gc
import warnings


def tidy_up() -> None:
    """Close what nobody holds any more, without a word."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
