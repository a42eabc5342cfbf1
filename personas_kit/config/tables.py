"""The tables of the file, each with the keys that it may hold. Unknown ones are errors."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from personas_kit.activation.cadence import Cadence, Cron, zone_of
from personas_kit.activation.wanted import Id, id_of
from personas_kit.config.units import Duration, Size
from personas_kit.destinations.base import Call
from personas_kit.errors import DestinationError
from personas_kit.membership.expansion import Combine

READ_UP_TO = 1_000_000
"""Acknowledged members that are read to be compared; more are compared where they lie."""


class Table(BaseModel):
    """A table of the file: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class WarehouseSettings(Table):
    """``[warehouse]``: a DuckDB file, files read by an in-memory DuckDB, or a connection by its name elsewhere.

    Attributes:
        path: DuckDB's file; or ``files``: tables by name, each a file or a glob.
        connection: Snowflake: the name in ``connections.toml``; PostgreSQL: the service in ``pg_service.conf``.
        url: PostgreSQL, instead: a reference to what holds the address, as ``{ env = "DATABASE_URL" }``.
        role: Snowflake and PostgreSQL, instead of the connection's own; so are the following.
        timeout: how long one query may take.
        max_bytes: Snowflake: a query that would read more is not run.
    """

    type: Literal["duckdb", "snowflake", "postgres"] = "duckdb"
    path: str | None = None
    files: dict[str, str] | None = None
    connection: str | None = None
    url: dict[str, str] | None = None
    role: str | None = None
    warehouse: str | None = None
    database: str | None = None
    schema_: Annotated[str | None, Field(alias="schema")] = None
    timeout: Duration | None = None
    max_bytes: Size | None = None


class StateSettings(Table):
    """``[state]``: what keeps what was acknowledged: a folder of this machine, or a schema of the warehouse.

    Attributes:
        path: the folder, ``.personas`` by default; for the store ``local``.
        schema_: its name, ``personas`` by default; for the store ``warehouse``, which teams share.
        keep: how long lines of the history are kept; by default always.
        read_up_to: so many acknowledged members are read to be compared; more of them are compared in the warehouse,
            where the store is there. By default a million.
    """

    store: Literal["local", "warehouse"] = "local"
    path: str | None = None
    schema_: Annotated[str | None, Field(alias="schema")] = None
    keep: Duration | None = None
    read_up_to: Annotated[int, Field(ge=0)] = READ_UP_TO


class NotifySettings(Table):
    """``[notify]``: who is told when a sync has gone wrong, or goes again. The addresses are secrets.

    Attributes:
        slack: where the address of an incoming webhook lies.
        webhook: where an address of one's own lies; it gets JSON.
        secret: where the key lies that signs what the webhook gets.
        allow_private: they may lie inside a private network.
    """

    slack: Any = None
    webhook: Any = None
    secret: Any = None
    allow_private: bool = False


def _read_id(said: object) -> Id:
    try:
        return id_of(said)
    except DestinationError as problem:
        raise ValueError(f"{problem.what}: {problem.hint}") from None


AnId = Annotated[Id, BeforeValidator(_read_id)]


class TimedTable(Table):
    """What has a cadence: at an interval, or by a cron.

    Attributes:
        every: seconds; 0 where there is none.
        cron: instead: five fields, as in ``0 6 * * 1-5``.
        timezone: of the cron's clock; by default UTC.
    """

    every: Duration = 0
    cron: str = ""
    timezone: str = ""

    @field_validator("cron")
    @classmethod
    def _is_a_cron(cls, text: str, beside: ValidationInfo) -> str:
        if beside.data.get("every"):
            raise ValueError("either every or cron says how often, not both")
        return Cron(text).text

    @field_validator("timezone")
    @classmethod
    def _is_of_a_cron(cls, name: str, beside: ValidationInfo) -> str:
        if not beside.data.get("cron"):
            raise ValueError('a timezone is for a cron: add cron = "0 6 * * *", or leave it out')
        zone_of(name)
        return name

    @property
    def cadence(self) -> Cadence:
        """How often it is due; nothing where nothing is said."""
        return Cadence(self.every, Cron(self.cron, self.timezone or "UTC") if self.cron else None)


class SyncSettings(TimedTable):
    """One entry of ``to``: where a definition goes and how, and how often, if not as often as the definition says.

    Attributes:
        destination: the configured name.
        send: the calls; by default those that fit the definition and the destination.
        ids: identifier at the destination -> column of the user; and which value, where the column holds several.
        list: the id of the list, for list destinations that hold several.
        integrations: for gateways, the destinations behind it.
        combine: how the values of several accounts of a user become one.
        refresh: on a schedule, everyone is sent again after so long; by default when the destination asks for it.
    """

    destination: str
    send: Annotated[tuple[Call, ...] | None, Field(strict=False)] = None
    ids: dict[str, AnId] = {}
    list: str | None = None
    integrations: Annotated[tuple[str, ...], Field(strict=False)] = ()
    combine: Combine | None = None
    refresh: Duration = 0


class DefinitionTable(TimedTable):
    """What every definition has: how often it is computed, and where it goes."""

    name: str
    key: str = ""
    to: Annotated[tuple[SyncSettings, ...], Field(strict=False)] = ()


class AudienceTable(DefinitionTable):
    """``[[audience]]``."""

    where: str
    unless: str | None = None


class AccountAudienceTable(AudienceTable):
    """``[[account_audience]]``."""

    unless_user: str | None = None
    scope: str = "member"
    membership: str = "now"


class TraitTable(DefinitionTable):
    """``[[trait]]``."""

    value: str


class AccountTraitTable(TraitTable):
    """``[[account_trait]]``."""

    scope: str = "member"
    membership: str = "now"


class SqlTable(DefinitionTable):
    """``[[sql_audience]]`` and ``[[sql_trait]]``: SQL of the person's own, or the file of it, beside this file."""

    sql: str | None = None
    file: str | None = None
    of: Literal["user", "account"] = "user"
    dialect: str = ""


class File(Table):
    """The whole file; ``source`` and ``destinations`` are checked by what they are for."""

    warehouse: WarehouseSettings = WarehouseSettings()
    state: StateSettings = StateSettings()
    source: dict[str, Any] = {}
    destinations: dict[str, dict[str, Any]] = {}
    notify: NotifySettings | None = None
    include: Annotated[tuple[str, ...], Field(strict=False)] = ()
    audience: Annotated[tuple[AudienceTable, ...], Field(strict=False)] = ()
    account_audience: Annotated[tuple[AccountAudienceTable, ...], Field(strict=False)] = ()
    trait: Annotated[tuple[TraitTable, ...], Field(strict=False)] = ()
    account_trait: Annotated[tuple[AccountTraitTable, ...], Field(strict=False)] = ()
    sql_audience: Annotated[tuple[SqlTable, ...], Field(strict=False)] = ()
    sql_trait: Annotated[tuple[SqlTable, ...], Field(strict=False)] = ()
