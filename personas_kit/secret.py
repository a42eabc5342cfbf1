"""Secrets by reference: where one lies is known, what it says is read only at the moment it is sent.

A :class:`Secret` holds the name of an environment variable, the path of a file, or an entry of the system's keyring,
and never the value. Printing, comparing, hashing, copying and pickling one therefore has nothing to give away, and a
secret that was rotated is picked up by the next request.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from personas_kit.errors import ConfigError, UnknownName

Place = Literal["env", "file", "keyring"]

_PLACES: tuple[Place, ...] = ("env", "file", "keyring")
_HOW = 'write { env = "NAME" }, { file = "path" } or { keyring = "service/user" }'


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret lies. Equal to another that names the same place.

    >>> key = Secret("env", "AMPLITUDE_API_KEY")
    >>> key
    Secret(env AMPLITUDE_API_KEY)

    Attributes:
        place: ``env``, ``file`` or ``keyring``.
        name: the variable, the path, or ``service/user``.
    """

    place: Place
    name: str

    @classmethod
    def parse(cls, reference: object, *, base: Path, where: str = "") -> Secret:
        """The secret that a setting refers to, such as ``{ env = "AMPLITUDE_API_KEY" }``.

        Args:
            reference: what stands in the settings.
            base: the folder that a relative path starts from.
            where: file and key of the setting, for errors.

        Raises:
            ConfigError: not a reference of the three forms. What was written instead is not repeated: it may be the
                secret itself.
        """
        if not isinstance(reference, Mapping):
            raise ConfigError("a secret is referred to and never written down here", where=where, hint=_HOW)
        if len(reference) != 1:
            raise ConfigError("a secret lies in exactly one place", where=where, hint=_HOW)
        [(place, name)] = reference.items()
        if place not in _PLACES:
            unknown = UnknownName("place for a secret", str(place), _PLACES)
            raise ConfigError(unknown.what, where=where, hint=f"{unknown.hint} {_HOW}")
        if not isinstance(name, str) or not name.strip() or "\0" in name:
            raise ConfigError(f"{place!r} needs a name", where=where, hint=_HOW)
        try:
            return cls(place, str(base / Path(name).expanduser())) if place == "file" else cls(place, name)
        except RuntimeError:
            raise ConfigError(f"there is no such home: {name!r}", where=where, hint="write the whole path") from None

    @property
    def reference(self) -> str:
        """Where it lies, in words that stay the same when a folder is moved."""
        return f"{self.place} {Path(self.name).name}" if self.place == "file" else str(self)

    def reveal(self) -> str:
        """Read the secret. Only what sends a request calls this; keep the answer nowhere.

        Raises:
            ConfigError: there is nothing there, or it is empty.
        """
        found = _READERS[self.place](self.name)
        if not found:
            raise ConfigError(f"the secret in {self} is missing or empty", hint=self._remedy())
        return found

    def __str__(self) -> str:
        """Where it lies."""
        return f"{self.place} {self.name}"

    def __repr__(self) -> str:
        """Where it lies, in brackets."""
        return f"Secret({self})"

    def _remedy(self) -> str:
        match self.place:
            case "env":
                return f"set the environment variable {self.name}"
            case "file":
                return f"write it into {self.name}, with nothing else in the file"
            case "keyring":
                service, _, user = self.name.partition("/")
                return f"store it with: keyring set {service} {user}"


def _from_env(name: str) -> str:
    """The variable's text; empty if it is not set."""
    return os.environ.get(name, "")


def _from_file(name: str) -> str:
    """The text of a file without the line end that editors add; empty if there is no such file."""
    try:
        with open(name, "rb") as file:  # noqa: PTH123  (read at every request: half of what read_text takes)
            return file.read().decode("utf-8").rstrip("\r\n")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as problem:
        # The cause is left out: an error of decoding quotes the bytes it met.
        raise ConfigError(f"the file {Path(name)} cannot be read: {type(problem).__name__}") from None


def _from_keyring(name: str) -> str:
    """The password that the system's keyring holds for ``service/user``; empty if there is none."""
    service, _, user = name.partition("/")
    if not user:
        raise ConfigError(f"{name!r} names no user", hint='write { keyring = "service/user" }')
    try:
        import keyring  # noqa: PLC0415  (an extra)
        from keyring.errors import KeyringError  # noqa: PLC0415  (as above)
    except ImportError:
        raise ConfigError("the keyring cannot be read", hint='pip install "personas-kit[keyring]"') from None
    try:
        return keyring.get_password(service, user) or ""
    except KeyringError as problem:
        raise ConfigError(
            f"the keyring gives nothing for {name!r}: {type(problem).__name__}",
            hint="unlock it, or use an environment variable where there is no keyring",
        ) from None


_READERS: Mapping[Place, Callable[[str], str]] = {"env": _from_env, "file": _from_file, "keyring": _from_keyring}
