"""What a schedule is made from."""

from __future__ import annotations

import re
from dataclasses import dataclass

from personas_kit.activation.cadence import Cadence, effective_interval
from personas_kit.errors import ConfigError

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CONNECTION = re.compile(r"[A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class Need:
    """How often one sync wants to be run.

    Attributes:
        cadence: of the definition, or of the sync itself.
        minimum: of the destination, in seconds; 0 for none.
    """

    key: str
    destination: str
    cadence: Cadence
    minimum: int = 0

    def __str__(self) -> str:
        """What it is about."""
        return f"{self.key} -> {self.destination}"

    @property
    def interval(self) -> int:
        """Seconds between two pushes; 0 where a cron says when, and where nothing says how often."""
        return 0 if self.cadence.cron else effective_interval(self.cadence.every, self.minimum)

    @property
    def words(self) -> str:
        """How often, for people."""
        return self.cadence.words(self.minimum) or "at every run: nothing says how often"


@dataclass(frozen=True, slots=True)
class Job:
    """A workspace that is to be run by a scheduler.

    Attributes:
        file: the absolute path of its ``personas.toml``.
        within: the path of that file in its git repository; its name where there is none.
        command: how ``personas`` is called on this machine, with an absolute path.
        user: who it runs as.
        zone: the name of this machine's timezone.
        needs: its syncs.
        state: the folder that keeps the state; empty where the warehouse does.
        warehouse: ``snowflake`` or ``postgres``; empty for files of this machine.
        connection: the name of the warehouse's connection or service, if it has one.
        variables: the environment variables that hold its secrets.
        elsewhere: where its other secrets lie: files, and entries of the keyring.
        extras: of the package, that its warehouse and destinations need.
        version: of the package.
    """

    file: str
    within: str
    command: tuple[str, ...]
    user: str
    zone: str
    needs: tuple[Need, ...]
    state: str = ""
    warehouse: str = ""
    connection: str = ""
    variables: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    version: str = ""

    def __post_init__(self) -> None:
        if not self.needs:
            raise ConfigError(
                "no definition has a sync, so there is nothing to run",
                where=self.file,
                hint='add to = [{ destination = "..." }] and every = "1h" to a definition',
            )
        if any(mark in path for path in (self.file, self.within, *self.command) for mark in ("\n", "\r", "${{")):
            raise ConfigError("no schedule can hold a path with a line break or ${{ in it", hint="rename the folder")
        for name in self.variables:
            if not _VARIABLE.fullmatch(name):
                raise ConfigError(
                    f"{name!r} cannot be the name of an environment variable",
                    where=self.file,
                    hint="letters, digits and _, not a digit first",
                )
        if not _CONNECTION.fullmatch(self.connection):
            raise ConfigError(
                "the connection's name cannot stand in a schedule",
                where=f"{self.file}: warehouse.connection",
                hint="letters, digits, _ and -",
            )

    @property
    def folder(self) -> str:
        """Where ``personas.toml`` lies."""
        return self.file.rpartition("/")[0] or "/"

    @property
    def run(self) -> tuple[str, ...]:
        """The words of the command on this machine."""
        return (*self.command, "-c", self.file, "run", "--approve", "guards")

    @property
    def package(self) -> str:
        """What pip installs."""
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        return f"personas-kit{extras}=={self.version}"
