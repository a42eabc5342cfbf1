"""The card of one user or account."""

from __future__ import annotations

from collections.abc import Mapping

from personas_kit.display import renders
from personas_kit.masking import mask_text
from personas_kit.notebook import html
from personas_kit.profile import Profile

_WRAPPED = "overflow-wrap:break-word;min-width:0"


@renders("Profile")
def profile_card(profile: Profile) -> str:
    """The HTML of a profile, personal data masked: audiences, traits, what is related, what destinations have."""
    found = dict(profile.sections())
    inside = sum(profile.audiences.values())
    others = "accounts" if profile.subject == "user" else "users"
    sections = [
        ("Audiences", f"in {inside:,} of {len(profile.audiences):,}", _audiences(profile.audiences)),
        ("Traits", f"{len(profile.traits):,}", _traits(found["traits"])),
        (others.capitalize(), f"{len(profile.related):,}", _related(profile, found[others])),
        ("Acknowledged", "what the destinations have", _acknowledged(found["acknowledged"])),
    ]
    head = html.title(mask_text(profile.id), profile.subject, f"as of {profile.as_of:%Y-%m-%d %H:%M} UTC")
    return html.card(head, *(html.details(name, faint, body, opened=True) for name, faint, body in sections if body))


def _audiences(audiences: Mapping[str, bool]) -> str:
    """Those that it is in first."""
    marks = {True: f'<b style="color:{html.GREEN}">✓</b>', False: "✗"}
    lines = "".join(
        f'<div style="{_WRAPPED}{"" if inside else ";" + html.FAINT}">{marks[inside]} {html.text(key)}</div>'
        for key, inside in sorted(audiences.items(), key=lambda each: not each[1])
    )
    return f'<div style="display:flex;flex-wrap:wrap;gap:4px 24px">{lines}</div>' if lines else ""


def _traits(values: Mapping[str, object]) -> str:
    """Names over values, as many beside each other as there is place for."""
    cells = "".join(
        f'<div style="width:170px;{_WRAPPED}"><div style="{html.FAINT};font-size:11px">{html.text(name)}</div>'
        f"<div>{html.text(mask_text(html.shown(value)))}</div></div>"
        for name, value in values.items()
    )
    return f'<div style="display:flex;flex-wrap:wrap;gap:8px 16px">{cells}</div>' if cells else ""


def _related(profile: Profile, some: Mapping[str, object]) -> str:
    more = len(profile.related) - len(some)
    rest = f' <span style="{html.FAINT}">and {more:,} more</span>' if more else ""
    return f'<div style="{_WRAPPED}">{html.text(", ".join(map(str, some.values())))}{rest}</div>' if some else ""


def _acknowledged(values: Mapping[str, object]) -> str:
    return "".join(
        f'<div style="{_WRAPPED}">{html.text(sync)}: <b>{html.text(html.shown(value))}</b></div>'
        for sync, value in values.items()
    )
