"""``[notify]``: who is told when a sync has gone wrong, or goes again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from personas_kit.config.tables import NotifySettings
from personas_kit.errors import ConfigError
from personas_kit.secret import Secret


@dataclass(frozen=True, slots=True)
class Notify:
    """The channels of a team.

    Attributes:
        channels: ``slack``, ``webhook`` -> where its address lies.
        secret: the key that signs what the webhook gets.
        allow_private: their hosts may lie inside a private network.
    """

    channels: Mapping[str, Secret]
    secret: Secret | None = None
    allow_private: bool = False


def checked_notify(settings: NotifySettings | None, path: Path) -> Notify | None:
    """The channels; None where the file names none.

    Raises:
        ConfigError: an address is no reference to one, nobody is named, or a key signs nothing.
    """
    if settings is None:
        return None
    where = f"{path.name}: notify"

    def reference(name: str, said: object) -> Secret:
        return Secret.parse(said, base=path.parent, where=f"{where}.{name}")

    given = {"slack": settings.slack, "webhook": settings.webhook}
    channels = {name: reference(name, said) for name, said in given.items() if said is not None}
    if not channels:
        raise ConfigError("nobody is named who is told", where=where, hint='add slack = { env = "SLACK_WEBHOOK" }')
    if settings.secret is not None and "webhook" not in channels:
        raise ConfigError(
            "a secret signs what a webhook gets, and there is none", where=f"{where}.secret", hint="leave it out"
        )
    secret = None if settings.secret is None else reference("secret", settings.secret)
    return Notify(channels, secret, settings.allow_private)
