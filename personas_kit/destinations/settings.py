"""The settings of a destination: what there is to say, and whether it was said rightly."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from personas_kit.errors import ConfigError, nearest


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of a destination.

    Attributes:
        secret: it is a reference, never a value.
        default: used when it is not given; a setting without one is required, unless ``optional``.
        choices: what it may be.
        identifies: it says which account (or list) is meant: another value is another account.
        pattern: what the whole of it looks like (letters and digits are those of ASCII); needed where it becomes a part
            of the host.
        example: one that fits the pattern.
        about: for people.
    """

    name: str
    about: str
    secret: bool = False
    default: str | None = None
    optional: bool = False
    choices: tuple[str, ...] = ()
    identifies: bool = False
    pattern: str = ""
    example: str = ""


def naming_list(name: str, what: str, *, optional: bool = False, pattern: str = "") -> Setting:
    """The setting that says which list is meant; ``optional`` where the destination takes other calls, too.

    Args:
        name: of the setting.
        what: it is, for people: ``number of a contact list``.
        optional: it may be left out.
        pattern: what the whole of it looks like.
    """
    about = f"{what}; usually given per definition as list"
    return Setting(name, about, optional=optional, identifies=True, pattern=pattern)


LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
"""What a setting may be that is one part of a host's name."""


def checked(settings: Sequence[Setting], values: Mapping[str, object], slug: str) -> dict[str, object]:
    """The value of every setting.

    Raises:
        ConfigError: one is unknown, missing, or not what it should be.
    """
    known = {setting.name: setting for setting in settings}
    for name in values:
        if name not in known:
            near = nearest(name, known)
            hint = f"did you mean {near[0]!r}?" if near else f"{slug} takes: {', '.join(known) or 'none'}"
            raise ConfigError(f"{slug} has no setting {name!r}", hint=hint)
    return {name: _value(setting, values.get(name)) for name, setting in known.items()}


def _value(setting: Setting, value: object) -> object:
    """The checked value of a setting. A value where a reference should be is not repeated: it may be the secret."""
    if value is None:
        if setting.default is None and not setting.optional:
            example = f'{setting.name} = {{ env = "..." }}' if setting.secret else f'{setting.name} = "..."'
            raise ConfigError(f"the setting {setting.name!r} is missing ({setting.about})", hint=f"add {example}")
        return setting.default
    if setting.secret:
        if not hasattr(value, "reveal"):
            raise ConfigError(
                f"{setting.name!r} is a secret: refer to it, never write it down",
                hint=f'{setting.name} = {{ env = "NAME" }}',
            )
        return value
    if hasattr(value, "reveal") or isinstance(value, bool) or not isinstance(value, str | int):
        raise ConfigError(f"{setting.name!r} is a text ({setting.about})")
    if setting.choices and value not in setting.choices:
        raise ConfigError(f"{setting.name!r} cannot be {value!r}", hint=f"one of {', '.join(setting.choices)}")
    if setting.pattern and not re.fullmatch(setting.pattern, str(value), re.ASCII):
        raise ConfigError(f"{setting.name!r} cannot be {value!r} ({setting.about})")
    return value
