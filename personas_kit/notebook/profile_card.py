"""The card of one user or account."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from personas_kit.display import renders
from personas_kit.masking import mask_text
from personas_kit.notebook import html
from personas_kit.profile import Profile


@renders("Profile")
def profile_card(profile: Profile) -> str:
    """The HTML of a profile, personal data masked."""
    sections = [
        html.details(title, f"{len(values)}", html.table(_table(values)), opened=title != "users")
        for title, values in profile.sections()
        if values
    ]
    return html.card(
        html.title(mask_text(profile.id), profile.subject, f"as of {profile.as_of:%Y-%m-%d %H:%M} UTC"), *sections
    )


def _table(values: Mapping[str, object]) -> pl.DataFrame:
    return pl.DataFrame({"": list(values), " ": [html.shown(value) for value in values.values()]})
