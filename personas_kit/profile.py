"""One user or account, with everything the kit knows about it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from personas_kit.display import Displayed
from personas_kit.masking import mask_json, mask_text, mask_value


@dataclass(frozen=True, slots=True, repr=False)
class Profile(Displayed):
    """A user or an account.

    Attributes:
        subject: ``user`` or ``account``.
        traits: of the source, and computed ones by key.
        audiences: key -> whether it is in.
        related: a user's accounts, an account's users.
        acknowledged: ``key -> destination (call)`` -> the value that the destination has.
    """

    subject: str
    id: str
    as_of: dt.datetime
    traits: Mapping[str, object]
    audiences: Mapping[str, bool]
    related: tuple[str, ...]
    acknowledged: Mapping[str, str]

    def to_dict(self) -> dict[str, object]:
        """As plain data, traits unmasked: you asked about this one person."""
        return {
            "subject": self.subject,
            "id": self.id,
            "as_of": self.as_of,
            "traits": dict(self.traits),
            "audiences": dict(self.audiences),
            "accounts" if self.subject == "user" else "users": list(self.related),
            "acknowledged": dict(self.acknowledged),
        }

    def sections(self) -> Iterator[tuple[str, Mapping[str, object]]]:
        """Titles and values for display, personal data masked."""
        yield "traits", {name: mask_value(name, value) for name, value in self.traits.items()}
        yield "audiences", {key: "in" if member else "out" for key, member in self.audiences.items()}
        others = "accounts" if self.subject == "user" else "users"
        yield others, {str(at + 1): mask_text(one) for at, one in enumerate(self.related[:20])}
        yield "acknowledged", {sync: mask_json(sync, value) for sync, value in self.acknowledged.items()}

    def __repr__(self) -> str:
        """One line."""
        audiences = ", ".join(key for key, member in self.audiences.items() if member) or "none"
        return f"{self.subject} {mask_text(self.id)}: audiences {audiences}; as of {self.as_of:%Y-%m-%d %H:%M} UTC"
