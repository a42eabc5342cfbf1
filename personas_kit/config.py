"""``personas.toml``: where the warehouse is, what lies where in it, the destinations, the definitions and their syncs.

Everything is checked when the file is opened, and every error names the file, the key and what to write. Secrets are
references (``{ env = "..." }``), never values. Nothing is connected here.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import pydantic
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from personas_kit.activation.wanted import Id, id_of
from personas_kit.compiler import SourceSettings
from personas_kit.definitions import (
    AccountAudience,
    AccountTrait,
    Audience,
    Definition,
    SqlAudience,
    SqlTrait,
    Trait,
    parse,
)
from personas_kit.destinations import find
from personas_kit.destinations.base import Call
from personas_kit.errors import ConfigError, DestinationError, PersonasError, UnknownName, nearest
from personas_kit.membership.expansion import Combine
from personas_kit.routes import ANY_LIST, DestinationSettings, Route, route_to
from personas_kit.secret import Secret

FILE = "personas.toml"
READ_UP_TO = 1_000_000
"""Acknowledged members that are read to be compared; more are compared where they lie."""
_T = TypeVar("_T")
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_LONGEST = 36_500 * 86_400
_SIZES = {"M": 10**6, "G": 10**9, "T": 10**12}


def duration(text: object) -> int:
    """``"1h"`` in seconds; also ``s``, ``m`` and ``d``."""
    found = re.fullmatch(r"\s*(\d+)\s*([smhd])\s*", text) if isinstance(text, str) else None
    if not found or not int(found[1]):
        raise ValueError(f'{text!r} is not a duration: write "30s", "15m", "1h" or "1d"')
    seconds = int(found[1]) * _UNITS[found[2]]
    if seconds > _LONGEST:
        raise ValueError(f"a duration is at most {_LONGEST // _UNITS['d']} days")
    return seconds


def size(text: object) -> int:
    """``"50 GB"`` in bytes; also ``MB`` and ``TB``, by thousands."""
    found = re.fullmatch(r"\s*(\d+)\s*([MGT])B\s*", text) if isinstance(text, str) else None
    if not found or not int(found[1]):
        raise ValueError(f'{text!r} is not a size: write "500 MB", "50 GB" or "1 TB"')
    return int(found[1]) * _SIZES[found[2]]


Duration = Annotated[int, BeforeValidator(duration)]
Size = Annotated[int, BeforeValidator(size)]


class _Table(BaseModel):
    """A table of the file: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class WarehouseSettings(_Table):
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


class StateSettings(_Table):
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


def _read_id(said: object) -> Id:
    try:
        return id_of(said)
    except DestinationError as problem:
        raise ValueError(f"{problem.what}: {problem.hint}") from None


AnId = Annotated[Id, BeforeValidator(_read_id)]


class SyncSettings(_Table):
    """One entry of ``to``: where a definition goes and how.

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


class _DefinitionTable(_Table):
    name: str
    key: str = ""
    every: Duration = 0
    to: Annotated[tuple[SyncSettings, ...], Field(strict=False)] = ()


class _AudienceTable(_DefinitionTable):
    where: str
    unless: str | None = None


class _AccountAudienceTable(_AudienceTable):
    unless_user: str | None = None
    scope: str = "member"
    membership: str = "now"


class _TraitTable(_DefinitionTable):
    value: str


class _AccountTraitTable(_TraitTable):
    scope: str = "member"
    membership: str = "now"


class _SqlTable(_DefinitionTable):
    """SQL of the person's own: its text, or the file that holds it, beside the file that names it."""

    sql: str | None = None
    file: str | None = None
    of: Literal["user", "account"] = "user"
    dialect: str = ""


class _File(_Table):
    """The whole file; ``source`` and ``destinations`` are checked by what they are for."""

    warehouse: WarehouseSettings = WarehouseSettings()
    state: StateSettings = StateSettings()
    source: dict[str, Any] = {}
    destinations: dict[str, dict[str, Any]] = {}
    include: Annotated[tuple[str, ...], Field(strict=False)] = ()
    audience: Annotated[tuple[_AudienceTable, ...], Field(strict=False)] = ()
    account_audience: Annotated[tuple[_AccountAudienceTable, ...], Field(strict=False)] = ()
    trait: Annotated[tuple[_TraitTable, ...], Field(strict=False)] = ()
    account_trait: Annotated[tuple[_AccountTraitTable, ...], Field(strict=False)] = ()
    sql_audience: Annotated[tuple[_SqlTable, ...], Field(strict=False)] = ()
    sql_trait: Annotated[tuple[_SqlTable, ...], Field(strict=False)] = ()


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A definition of the file, with its interval in seconds (0: none) and its syncs."""

    definition: Definition
    every: int = 0
    to: tuple[SyncSettings, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """What ``personas.toml`` says.

    Attributes:
        state: the folder that keeps the state, unless ``state_schema`` does: a schema of the warehouse.
        keep: seconds for which lines of the history are kept; None for always.
        read_up_to: see ``StateSettings``.
    """

    path: Path
    warehouse: WarehouseSettings
    state: Path
    source: SourceSettings
    destinations: Mapping[str, DestinationSettings] = field(default_factory=dict)
    scheduled: tuple[Scheduled, ...] = ()
    keep: int | None = None
    state_schema: str | None = None
    read_up_to: int = READ_UP_TO

    def route(self, sync: SyncSettings) -> Route:
        """How a sync reaches its destination.

        Raises:
            DestinationError: it cannot be reached.
            UnknownName: there is none of that name.
        """
        return route_to(sync.destination, self.destinations, sync.integrations)

    @property
    def folder(self) -> Path:
        """Relative paths start here."""
        return self.path.parent

    def at(self, *keys: object) -> str:
        """A place in the file, for messages."""
        return f"{self.path.name}: {'.'.join(str(key) for key in keys)}"


def find_file(start: Path) -> Path:
    """``personas.toml`` in the folder or above it.

    Raises:
        ConfigError: there is none.
    """
    if start.is_file():
        return start.absolute()
    for folder in (start.absolute(), *start.absolute().parents):
        if (folder / FILE).is_file():
            return folder / FILE
    raise ConfigError(
        f"there is no {FILE} in this folder or above it",
        where=str(start.absolute()),
        hint="personas init writes one; personas demo shows one at work",
    )


def load(path: Path, *, instead: Mapping[Path, str] | None = None) -> Config:
    """Read and check a file.

    Args:
        path: the file.
        instead: what files shall be taken to say that say something else yet, by their resolved paths.

    Raises:
        ConfigError: with the file, the key and a hint.
        DefinitionError: a definition in it cannot be read; with its place.
    """
    new = instead or {}
    raw = _read(path, new)
    parsed = _validate(_File, raw, path.name)
    scheduled = [*_definitions(parsed, path)]
    for pattern in parsed.include:
        for file in _included(path, pattern):
            more = _validate(_File, _only_definitions(_read(file, new), file.name), file.name)
            scheduled.extend(_definitions(more, file))
    destinations = {name: _destination(name, table, path) for name, table in parsed.destinations.items()}
    config = Config(
        path=path,
        warehouse=checked_warehouse(parsed.warehouse, path.name),
        state=path.parent / expanded(parsed.state.path or ".personas", f"{path.name}: state.path"),
        source=_validate(SourceSettings, parsed.source, path.name, "source"),
        destinations=destinations,
        scheduled=tuple(scheduled),
        keep=parsed.state.keep,
        state_schema=_state_schema(parsed, path.name),
        read_up_to=parsed.state.read_up_to,
    )
    _check_syncs(config)
    return config


def files_of(path: Path) -> list[Path]:
    """A file that can be loaded, and those that it includes."""
    patterns = _validate(_File, _read(path, {}), path.name).include
    return [path, *(file for pattern in patterns for file in _included(path, pattern))]


def _read(path: Path, instead: Mapping[Path, str]) -> dict[str, Any]:
    try:
        text = instead.get(path.resolve()) if instead else None
        if text is not None:
            return tomllib.loads(text)
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as problem:
        raise ConfigError(f"the file cannot be read: {problem.strerror}", where=str(path)) from None
    except RecursionError:
        raise ConfigError("not valid TOML: nested too deep", where=str(path)) from None
    except ValueError as problem:  # no TOML, no UTF-8, or a number of thousands of digits
        raise ConfigError(f"not valid TOML: {problem}", where=str(path)) from None


def _validate(model: type[_T], data: Mapping[str, Any], file: str, *above: str) -> _T:
    """The checked data; the first problem as an error with file, key and hint."""
    try:
        return pydantic.TypeAdapter(model).validate_python(data)
    except pydantic.ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False, include_context=False)[0]
        keys = [*above, *(str(key) for key in first["loc"])]
        raise _explained(first["type"], first["msg"], keys, model, file) from None


def _explained(kind: str, message: str, keys: Sequence[str], model: object, file: str) -> ConfigError:
    where = f"{file}: {'.'.join(keys)}"
    if kind in {"extra_forbidden", "unexpected_keyword_argument"}:
        beside = _fields_beside(model, keys)
        near = nearest(keys[-1], beside)
        hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(sorted(beside))}"
        return ConfigError(f"unknown key {keys[-1]!r}", where=where, hint=hint)
    if kind.startswith("missing"):
        return ConfigError(f"the key {keys[-1]!r} is missing", where=where, hint=f"add {keys[-1]} = ...")
    return ConfigError(message.removeprefix("Value error, "), where=where)


def _fields_beside(model: object, keys: Sequence[str]) -> set[str]:
    """The names that could stand where the unknown key stands."""
    fields = _fields(model)
    for key in keys[:-1]:
        if not key.isdigit() and key in fields:
            fields = _fields(fields[key]) or fields
    return set(fields)


def _fields(annotation: object) -> dict[str, object]:
    """Field name -> annotation, for a model or dataclass anywhere inside an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {info.alias or name: info.annotation for name, info in annotation.model_fields.items()}
    if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        return dict(typing.get_type_hints(annotation))
    for inner in typing.get_args(annotation):
        if found := _fields(inner):
            return found
    return {}


def _included(path: Path, pattern: str) -> list[Path]:
    try:
        files = sorted(path.parent.glob(pattern))
    except (NotImplementedError, ValueError):  # it begins at the root, or is no path at all
        files = []
    if not files:
        raise ConfigError(
            f"include names no file: {pattern!r}", where=f"{path.name}: include", hint='as in "audiences/*.toml"'
        )
    return files


def _only_definitions(data: dict[str, Any], file: str) -> dict[str, Any]:
    allowed = {"audience", "account_audience", "trait", "account_trait", "sql_audience", "sql_trait"}
    for key in data:
        if key not in allowed:
            raise ConfigError(
                f"an included file holds definitions only, not [{key}]",
                where=file,
                hint=f"move it to {FILE}; here go {', '.join(sorted(allowed))}",
            )
    return data


_READ = frozenset({"where", "value", "unless", "unless_user"})
"""What is text of the query language."""
_PLAIN = frozenset({"scope", "membership", "of", "dialect"})


def _definitions(parsed: _File, file: Path) -> Iterator[Scheduled]:
    kinds: tuple[tuple[str, Any, Sequence[Any]], ...] = (
        ("audience", Audience, parsed.audience),
        ("account_audience", AccountAudience, parsed.account_audience),
        ("trait", Trait, parsed.trait),
        ("account_trait", AccountTrait, parsed.account_trait),
        ("sql_audience", SqlAudience, parsed.sql_audience),
        ("sql_trait", SqlTrait, parsed.sql_trait),
    )
    for kind, make, tables in kinds:
        for table in tables:
            more = {name: getattr(table, name) for name in table.model_fields_set & _PLAIN}
            texts = {name: getattr(table, name) for name in table.model_fields_set & _READ}
            try:
                read: dict[str, Any] = {name: parse(text) for name, text in texts.items()}
                if isinstance(table, _SqlTable):
                    read["sql"] = _own_sql(table, file.parent)
                definition = make(name=table.name, key=table.key, **read, **more)
            except PersonasError as problem:
                problem.where = "\n         ".join(
                    part for part in (f"{file.name}: [[{kind}]] {table.name!r}", problem.where) if part
                )
                raise
            yield Scheduled(definition, table.every, table.to)


def _own_sql(table: _SqlTable, folder: Path) -> str:
    if (table.sql is None) == (table.file is None):
        raise ConfigError("either the SQL or its file is named", hint='add sql = "SELECT ...", or file = "sql/one.sql"')
    return table.sql if table.sql is not None else read_sql(folder / expanded(str(table.file), "file"))


def expanded(path: str, where: str) -> Path:
    """The path; ``~`` is a home.

    Raises:
        ConfigError: nobody's home is called so, or no file is.
    """
    if "\0" in path:
        raise ConfigError("no path has the character U+0000 in it", where=where)
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise ConfigError(f"there is no such home: {path!r}", where=where, hint="write the whole path") from None


def read_sql(path: Path) -> str:
    """The text of a file of SQL.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        said = getattr(problem, "strerror", None) or "it is not UTF-8"
        raise ConfigError(f"the SQL cannot be read: {said}", where=str(path)) from None


def _destination(name: str, table: Mapping[str, Any], path: Path) -> DestinationSettings:
    where = f"{path.name}: destinations.{name}"
    values = dict(table)
    kind = values.pop("type", None)
    if not isinstance(kind, str):
        raise ConfigError(
            "a destination needs a type", where=where, hint='add type = "segment", or see: personas destinations'
        )
    url = values.pop("url", None)
    timeout = values.pop("timeout", "30s")
    private = values.pop("allow_private", False)
    if not isinstance(private, bool):
        raise ConfigError("it is true or false", where=f"{where}.allow_private", hint="add allow_private = true")
    try:
        find(kind)
        seconds = float(duration(timeout))
    except UnknownName as problem:
        raise ConfigError(problem.what, where=where, hint=problem.hint) from None
    except ValueError as problem:
        raise ConfigError(str(problem), where=f"{where}.timeout") from None
    references = {
        key: Secret.parse(value, base=path.parent, where=f"{where}.{key}") if isinstance(value, Mapping) else value
        for key, value in values.items()
    }
    settings = DestinationSettings(name, kind, references, url, seconds, private)
    settings.connect(ANY_LIST if find(kind).list_setting else None, where)  # wrong settings are said at once
    return settings


#: What ``[warehouse]`` may say for each type besides ``type`` and ``timeout``, and of which group one is needed.
_WAREHOUSES: Mapping[str, tuple[frozenset[str], tuple[str, ...], str]] = {
    "duckdb": (frozenset({"path", "files"}), ("path", "files"), 'path = "warehouse.duckdb"'),
    "snowflake": (
        frozenset({"connection", "role", "warehouse", "database", "schema", "max_bytes"}),
        ("connection",),
        'connection = "<name in connections.toml>"',
    ),
    "postgres": (
        frozenset({"connection", "url", "role", "database", "schema"}),
        ("connection", "url"),
        'connection = "<service in pg_service.conf>", or url = { env = "DATABASE_URL" }',
    ),
}


def checked_warehouse(settings: WarehouseSettings, file: str = FILE) -> WarehouseSettings:
    """The settings, of which each belongs to the type, and one says where it is.

    Raises:
        ConfigError: one means nothing for the type, or the one that is needed is missing.
    """
    known, needed, example = _WAREHOUSES[settings.type]
    said = {name: value for name, value in settings.model_dump(by_alias=True).items() if value not in (None, {})}
    for name in said.keys() - known - {"type", "timeout"}:
        raise ConfigError(
            f"{name!r} means nothing for a {settings.type} warehouse",
            where=f"{file}: warehouse.{name}",
            hint=f"known there: {', '.join(sorted(known | {'timeout'}))}",
        )
    if sum(name in said for name in needed) != 1:
        what = " or ".join(needed)
        raise ConfigError(
            f"a {settings.type} warehouse needs {'either ' if len(needed) > 1 else ''}{what}",
            where=f"{file}: warehouse",
            hint=f"add {example}",
        )
    return settings


#: What may be the name of a schema of the kit's own: every warehouse takes it without quotes.
_SCHEMA = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


def _state_schema(parsed: _File, file: str) -> str | None:
    """The schema of the warehouse that keeps the state; None where a folder does.

    Raises:
        ConfigError: a key means nothing for this store, or this warehouse can keep nothing.
    """
    state = parsed.state
    wrong = {"local": ("schema", state.schema_), "warehouse": ("path", state.path)}[state.store]
    if wrong[1] is not None:
        other = 'store = "warehouse"' if state.store == "local" else 'store = "local"'
        raise ConfigError(
            f'{wrong[0]!r} means nothing for store = "{state.store}"',
            where=f"{file}: state.{wrong[0]}",
            hint=f"leave it out, or say {other}",
        )
    if state.store == "local":
        return None
    if parsed.warehouse.files is not None:
        raise ConfigError(
            "the tables are files here, and no state can be kept beside them",
            where=f"{file}: state.store",
            hint='use [warehouse] path = "warehouse.duckdb" instead of files, or store = "local"',
        )
    schema = state.schema_ or "personas"
    if not _SCHEMA.fullmatch(schema):
        raise ConfigError(
            f"{schema!r} cannot be the name of a schema",
            where=f"{file}: state.schema",
            hint='letters, digits and _, not a digit first: schema = "personas"',
        )
    return schema


def _check_syncs(config: Config) -> None:
    keys: dict[str, str] = {}
    for scheduled in config.scheduled:
        key = scheduled.definition.key
        if key in keys:
            raise ConfigError(
                f"two definitions have the key {key!r}: {keys[key]!r} and {scheduled.definition.name!r}",
                where=config.at(key),
                hint="give one of them another key",
            )
        keys[key] = scheduled.definition.name
        for sync in scheduled.to:
            try:
                config.route(sync)
            except PersonasError as problem:
                raise problem.at(config.at(key, "to")) from None
