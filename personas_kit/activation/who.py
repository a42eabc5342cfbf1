"""Who runs this process, for the history and for those who find a sync held."""

from __future__ import annotations

import getpass


def user_name() -> str:
    """The name of the user; ``somebody`` where its number has none, as in many containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"
