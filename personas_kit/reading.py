"""What the warehouse says of definitions: compiled, tagged, within the bytes that are allowed, and asked once.

Several definitions are one statement that reads each table once, wherever more than one is asked for at a time.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace

import polars as pl

from personas_kit.activation.wanted import Members
from personas_kit.clock import Clock
from personas_kit.compiler import (
    Query,
    Schema,
    Source,
    bind,
    compile_definition,
    compile_event_names,
    compile_own_problems,
    compile_several,
)
from personas_kit.compiler.several import ACCOUNT_OF, TRAIT, USER_OF, Asked
from personas_kit.config import Config
from personas_kit.definitions import Definition
from personas_kit.definitions.definition import SqlDefinition, Subject
from personas_kit.definitions.meaning import meaning_of
from personas_kit.definitions.pointing import pointing
from personas_kit.definitions.uses import referred
from personas_kit.display import size_words
from personas_kit.errors import DefinitionError, PersonasError, WarehouseError
from personas_kit.planner import Found
from personas_kit.warehouses.base import Estimate, Parameters, Warehouse

_most: ContextVar[int | None] = ContextVar("most", default=None)


@contextmanager
def reading_at_most(most: int) -> Iterator[None]:
    """Queries of this thread that would read more bytes are refused, as those above ``max_bytes`` are."""
    before = _most.set(most)
    try:
        yield
    finally:
        _most.reset(before)


@dataclass
class Reader:
    """Asks the warehouse about definitions.

    Attributes:
        definitions: gives those that others may refer to, by key.
        run_id: stands in the tag of every query, beside the key of the definition.
    """

    config: Config
    warehouse: Warehouse
    clock: Clock
    definitions: Callable[[], Mapping[str, Definition]]
    run_id: str = field(default_factory=lambda: secrets.token_hex(4))
    _schema: Schema | None = None
    _source: Source | None = None

    # --- the source --------------------------------------------------------------------------------------------------

    @property
    def source(self) -> Source:
        """Where users, accounts, memberships and events lie, held against the warehouse's schema once."""
        if self._source is None:
            try:
                bound = bind(self.config.source, self.schema)
            except PersonasError as problem:
                raise problem.at(self.config.at("source")) from None
            bound = replace(bound, dialect=self.warehouse.dialect)
            if any(table.name is not None for table in bound.events):
                names = self.ask(compile_event_names(bound), self.now(), "events")["event"]
                known = {table.event for table in bound.events if table.event is not None}
                bound = replace(bound, event_names=tuple(sorted(known | set(names.drop_nulls().to_list()))))
            self._source = bound
        return self._source

    @property
    def schema(self) -> Schema:
        """The tables of the warehouse, looked up once."""
        if self._schema is None:
            self._schema = self.warehouse.schema()
        return self._schema

    def forget(self) -> None:
        """Look at the tables anew when they are asked for next."""
        self._schema = self._source = None

    # --- queries -----------------------------------------------------------------------------------------------------

    def now(self) -> dt.datetime:
        """To the second."""
        return self.clock.now().replace(microsecond=0)

    def ask(self, query: Query, as_of: dt.datetime, key: str) -> pl.DataFrame:
        """The answer to a query about a definition (or ``key``: what else it is for)."""
        statement, params = self.affordable(query, as_of, key)
        return self.warehouse.query(statement, params, tag=self.tag(key))

    def batches(self, query: Query, as_of: dt.datetime, key: str) -> Iterable[pl.DataFrame]:
        """The same, part by part."""
        statement, params = self.affordable(query, as_of, key)
        return self.warehouse.batches(statement, params, tag=self.tag(key))

    def asking(self, key: str) -> Callable[[Query], pl.DataFrame]:
        """Answers queries as of now."""
        now = self.now()
        return lambda query: self.ask(query, now, key)

    def affordable(self, query: Query, as_of: dt.datetime, key: str) -> tuple[str, Parameters]:
        """The statement and its values, unless it would read more than the file allows."""
        statement, params = query.bound(self.warehouse.dialect, as_of)
        limits = (self.config.warehouse.max_bytes, _most.get())
        most = min((each for each in limits if each is not None), default=None)
        if most is not None:
            estimate = self.warehouse.estimate(statement, params)
            if estimate is not None and estimate.bytes > most:
                raise WarehouseError(
                    f"the query of {key!r} would read {size_words(estimate.bytes)}, more than {size_words(most)}",
                    where=self.config.at("warehouse", "max_bytes"),
                    hint="nothing was run: narrow it with within(...), cluster the events by time, or raise max_bytes",
                )
        return statement, params

    def estimate(self, query: Query, as_of: dt.datetime) -> Estimate | None:
        """What a query would read, where the warehouse says so."""
        return self.warehouse.estimate(*query.bound(self.warehouse.dialect, as_of))

    def tag(self, key: str) -> str:
        """What the warehouse's history of queries shows."""
        return json.dumps({"app": "personas_kit", "key": key, "run": self.run_id})

    # --- definitions -------------------------------------------------------------------------------------------------

    def compile(self, definition: Definition, *, expand: bool = False, carry: Iterable[str] = ()) -> Query:
        """The statement of one definition."""
        registry = {**self.definitions(), definition.key: definition}
        return compile_definition(definition, self.source, registry, expand=expand, carry=tuple(carry))

    def members(self, definition: Definition, as_of: dt.datetime, *, expand: bool = False) -> pl.DataFrame:
        """Who is in it, or which value everybody has; or the users of its accounts."""
        self.check_sql([definition], as_of)
        return self.ask(self.compile(definition, expand=expand), as_of, definition.key)

    def find(
        self,
        definitions: Sequence[Definition],
        as_of: dt.datetime,
        carry: Mapping[str, frozenset[str]] | None = None,
        traits: Mapping[Subject, Sequence[str]] | None = None,
    ) -> dict[str, Found]:
        """The members of definitions, with the users of accounts and the columns that identifiers are made of.

        Args:
            definitions: any number; they are one statement.
            as_of: the instant it is about.
            carry: by key, which columns of users to bring along.
            traits: of users and of accounts, to bring along beside the members.
        """
        if not definitions:
            return {}
        self.check_sql(definitions, as_of)
        wanted = carry or {}
        columns = sorted(frozenset().union(*(wanted.get(each.key, frozenset()) for each in definitions)))
        registry = {**self.definitions(), **{each.key: each for each in definitions}}
        several = compile_several(
            definitions, self.source, registry, carry=columns, expand=carry is not None, traits=traits
        )
        tag = definitions[0].key if len(definitions) == 1 else f"{len(definitions)} definitions"
        frame, at = self.ask(several.query, as_of, tag), self.clock.now()
        found, alone = {}, len(definitions) == 1 and not traits
        once = {subject: alone or _once(frame, subject) for subject in {each.subject for each in several.asked}}
        for asked in several.asked:
            own = wanted.get(asked.key, frozenset())
            members = _members(frame, asked, columns, own, expanded=carry is not None, alone=once[asked.subject])
            meaning = meaning_of(registry[asked.key], registry).to_text()
            beside = _traits(frame, asked, (traits or {}).get(asked.subject, ()), once=once[asked.subject])
            found[asked.key] = Found(asked.fingerprint, meaning, members, as_of, at, own, beside)
        return found

    def askable(self, definition: Definition, as_of: dt.datetime, carry: Iterable[str]) -> bool:
        """Whether it can be compiled, and its SQL lists nobody twice: what can be wrong before its query is run."""
        try:
            self.compile(definition, expand=definition.subject == "account", carry=carry)
            self.check_sql([definition], as_of)
        except PersonasError:
            return False
        return True

    def check_sql(self, definitions: Iterable[Definition], as_of: dt.datetime) -> None:
        """Refuse ids that are missing or stand twice in what SQL of the person's own lists.

        Raises:
            DefinitionError: with how many there are, or three of them.
        """
        for definition in self._own_sql(definitions):
            with pointing(definition, {}):
                missing, twice = compile_own_problems(definition, self.source)
            name = f"{definition.subject}_id"
            without = int(self.ask(missing, as_of, definition.key)["missing"][0])
            if without:
                raise DefinitionError(
                    f"the SQL lists {without:,} lines without a {name}",
                    where=repr(definition.name),
                    hint=f"add WHERE {name} IS NOT NULL, if these are to be left out",
                )
            several = self.ask(twice, as_of, definition.key)[name].to_list()
            if several:
                shown = ", ".join(map(str, several))
                raise DefinitionError(
                    "the SQL lists some ids more than once",  # this line goes into logs and to channels: nobody in it
                    where=repr(definition.name),
                    hint=f"such as {shown}: write SELECT DISTINCT, or GROUP BY the id",
                )

    def _own_sql(self, definitions: Iterable[Definition]) -> list[SqlDefinition]:
        """The SQL definitions among these, and among all that they refer to."""
        meant = referred(definitions, self.definitions())
        return [each for each in meant.values() if isinstance(each, SqlDefinition)]


def _chosen(frame: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """The lines of those whom a definition is true of, or has a value for."""
    answer = pl.col(asked.column)
    holds = answer.is_not_null() if asked.value_type is not None else answer
    return frame.filter(pl.col(f"{asked.subject}_id").is_not_null() & holds)


def _once(frame: pl.DataFrame, subject: Subject) -> bool:
    """Nobody stands on two lines: counting is faster than taking out what stands there twice."""
    ids = frame[f"{subject}_id"].drop_nulls()
    return ids.n_unique() == ids.len()


def _traits(frame: pl.DataFrame, asked: Asked, names: Sequence[str], *, once: bool) -> pl.DataFrame | None:
    """The members of a definition with the traits that were asked for, each by its position."""
    if not names:
        return None
    listed = [pl.col(TRAIT.format(subject=asked.subject, position=at)).alias(f"{at}") for at, _ in enumerate(names)]
    found = _chosen(frame, asked).select(pl.col(f"{asked.subject}_id").alias("member"), *listed)
    return found if once else found.unique()


def _members(
    frame: pl.DataFrame, asked: Asked, columns: Sequence[str], own: frozenset[str], *, expanded: bool, alone: bool
) -> Members:
    """What one of several definitions was answered. ``alone`` it has no line twice, and no need to look for one."""
    name = f"{asked.subject}_id"
    valued = asked.value_type is not None
    value = [pl.col(asked.column).alias("value")] if valued else []
    carried = [pl.col(f"user_{at}").alias(of) for at, of in enumerate(columns) if of in own]
    chosen = _chosen(frame, asked)
    subjects = chosen.select(name, *value, *(carried if asked.subject == "user" else []))
    subjects = subjects if alone else subjects.unique(maintain_order=True)
    if asked.subject == "user" or not expanded:
        return Members(subjects, None, asked.zero_is_empty)
    own -= {"account_id"}  # a user of an account has that account
    users = frame.filter(pl.col(USER_OF).is_not_null())
    if asked.kept_out is not None:
        users = users.filter(~pl.col(asked.kept_out))
    carried = [pl.col(f"member_{at}").alias(of) for at, of in enumerate(columns) if of in own]
    pairs = users.select(pl.col(USER_OF).alias("user_id"), pl.col(ACCOUNT_OF).alias("account_id"), *carried)
    joined = pairs.unique(maintain_order=True).join(subjects, on="account_id", how="inner", maintain_order="left")
    listed = ["user_id", "account_id", *(["value"] if valued else []), *(of for of in columns if of in own)]
    return Members(subjects, joined.select(listed), asked.zero_is_empty)
