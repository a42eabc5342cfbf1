"""The shape of a destination: data, and one mapping per call. A module of this package is one destination.

A mapping says what one change looks like for the vendor, as a polars expression over the columns of a batch; cutting
into requests, encoding, authentication and the meaning of answers are the same for all, from tables. Where one piece
of work takes several requests (look up, then write; start a job, then ask), a post has an ``exchange``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from personas_kit.destinations.addresses import checked_url
from personas_kit.destinations.auth import AuthScheme
from personas_kit.destinations.connection import Connection
from personas_kit.destinations.encode import Json
from personas_kit.destinations.exchange import Exchange, Pause, Polling, Request, Unanswered
from personas_kit.destinations.fields import (
    AS_IT_IS,
    CALLS,
    Asking,
    Call,
    Computation,
    FieldNeeded,
    Fields,
    FieldType,
    Keys,
    Values,
)
from personas_kit.destinations.normalise import Identifier
from personas_kit.destinations.outcomes import Answer, Budgeting, Outcome, Outcomes
from personas_kit.destinations.settings import LABEL, Setting, checked, naming_list
from personas_kit.errors import ConfigError

__all__ = [
    "CALLS", "LABEL", "Asking", "Call", "Computation", "Connection", "Destination", "Exchange", "FieldApi",
    "FieldNeeded", "FieldType", "Fields", "Keys", "Limits", "ListApi", "Pause", "Poll", "Polling", "Post", "Probe",
    "Rate", "Request", "Setting", "Through", "Unanswered", "Values", "naming_list",
]  # fmt: skip

Around = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may hold: changes, bytes of the body, bytes of one change."""

    items: int
    bytes: int
    item_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """How much may leave in any window of so many seconds: requests, or changes."""

    count: int
    seconds: float
    of: Literal["requests", "changes"] = "requests"


@dataclass(frozen=True, slots=True)
class Poll:
    """How to ask what became of work that was accepted and not acknowledged yet.

    Attributes:
        path: may name settings, and ``{handle}``: what the destination called the work.
        read: ``acknowledged``, ``rejected`` or ``unknown`` (it does not know the work any more) end it; None: it is
            still at it.
        exchange: the questions, and further steps, where they are more than one. It is given the handle. As with a
            post, each step has to bear to be run again.
    """

    path: str
    read: Callable[[Answer], Outcome | None]
    exchange: Callable[[Connection, str], Polling] | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """The cheapest call that proves the credentials and changes nothing.

    Attributes:
        path: may name settings.
        body: plain data, sent as JSON.
        says: what is wrong although the answer is a 2xx; empty if nothing is.
        headers: beside the destination's own.
    """

    path: str
    method: str = "GET"
    body: object = None
    says: Callable[[Answer], str] = lambda _: ""
    headers: Callable[[Connection], Mapping[str, str]] = lambda _: {}


@dataclass(frozen=True, slots=True)
class FieldApi:
    """How a destination is asked for a field, and told to make one.

    Attributes:
        find: what the destination calls the field: its name or its id there; None if there is none.
        create: makes it, and says what it is called; None where no program can.
        where: where in the product a person makes one.
        types: our type -> what the product calls it.
        calls: for which calls a field is needed.
    """

    find: Callable[[Connection, FieldNeeded], Asking]
    create: Callable[[Connection, FieldNeeded], Asking] | None
    where: str
    types: Mapping[FieldType, str]
    calls: tuple[Call, ...] = ("identify",)


@dataclass(frozen=True, slots=True)
class ListApi:
    """How a list is made: with a name and a description, to the id that it got; None where that was not said."""

    create: Callable[[Connection, str, str], Asking]


@dataclass(frozen=True, slots=True)
class Through:
    """What lies behind a gateway.

    Attributes:
        integrations: its keys there.
        name: for people.
        calls: that all of it takes.
        ids: the identifiers that it needs beside the user's id.
        fields_first: a field has to be there before a value is sent.
    """

    integrations: tuple[str, ...]
    name: str
    calls: frozenset[Call]
    ids: tuple[str, ...] = ()
    fields_first: bool = False


@dataclass(frozen=True, slots=True)
class Post:
    """How one call is sent.

    Attributes:
        path: may name settings, and ``{digest}``: of the body; a post of one change per request also its ``{user_id}``,
            ``{account_id}``, ``{message_id}`` and identifiers.
        each: one change as JSON.
        around: what stands before and after the changes of one request; given its lines, and the batch that they are
            a part of.
        separator: between two changes.
        form: the changes go as an array in this field of a form, instead of a JSON body.
        fixed: further fields of the form.
        limits: instead of the destination's; ``outcomes`` likewise.
        exits: how exits are sent, where that is another way.
        exchange: the requests that it takes, where they are more than one. It is given the request and its lines.
        replacing: how everyone on a list is put in the place of whoever is there, all entries as one piece of work.
    """

    path: str
    each: Callable[[Fields], Json]
    around: Around | Callable[[Fields], Around] = ("[", "]")
    method: str = "POST"
    separator: str = ","
    content_type: str = "application/json"
    form: str = ""
    fixed: Mapping[str, str] = field(default_factory=dict)
    limits: Limits | None = None
    outcomes: Outcomes | None = None
    exits: Post | None = None
    exchange: Callable[[Connection, Request, pl.DataFrame], Exchange] | None = None
    replacing: Post | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """A destination, as its module declares it.

    Attributes:
        hosts: value of the ``region`` setting -> host, which may name settings; empty when ``url`` is required.
        identifiers: kinds of identifiers that a list takes; empty for event destinations.
        together: kinds of which none identifies a person, and all of one group do.
        keyed: kinds of identifiers by which an event destination knows a user, where it does not by the user's id.
        keys: its rule for the names of fields; ``values`` for what stands in them.
        headers: on every request.
        minimum_interval: seconds between two updates of a list.
        refresh: seconds after which everyone is sent again on a schedule, before the destination forgets them.
        list_setting: the setting that holds the id of the list, where one account has several.
        rates: what an account allows; none are declared where the vendor names none.
        parallel: requests under way at the same time.
        packed: calls whose requests it takes as gzip. Limits are those of what is unpacked.
        budget: the headers in which answers tell how much is left.
        poll: how to ask for what was only accepted; such a destination answers ``accepted``.
        key_header: the header for a key by which the receiver knows a repeated request. It follows from the body: the
            same bytes have the same key, in every run, and other bytes another.
        fields: fields have to be there before a value is sent: how to ask for one.
        lists: how a list is made.
        probe: what proves the credentials.
        gateway: the column of the catalogue with the keys of what lies behind it; empty if nothing does.
    """

    slug: str
    name: str
    settings: tuple[Setting, ...]
    auth: AuthScheme
    hosts: Mapping[str, str]
    posts: Mapping[Call, Post]
    limits: Limits
    outcomes: Outcomes
    identifiers: Mapping[str, Identifier] = field(default_factory=dict)
    together: tuple[tuple[str, ...], ...] = ()
    keyed: Mapping[str, Identifier] = field(default_factory=dict)
    keys: Keys = Keys()  # noqa: RUF009  (has no state)
    values: Values = AS_IT_IS
    headers: Mapping[str, str] = field(default_factory=dict)
    minimum_interval: int = 0
    refresh: int = 0
    list_setting: str | None = None
    rates: tuple[Rate, ...] = ()
    parallel: int = 1
    packed: frozenset[Call] = frozenset()
    budget: Budgeting | None = None
    poll: Poll | None = None
    key_header: str = ""
    fields: FieldApi | None = None
    lists: ListApi | None = None
    probe: Probe | None = None
    gateway: str = ""

    @property
    def calls(self) -> frozenset[Call]:
        """What it takes."""
        return frozenset(self.posts)

    def configure(
        self,
        name: str,
        values: Mapping[str, object],
        *,
        url: str | None = None,
        timeout: float = 30.0,
        allow_private: bool = False,
        through: Through | None = None,
    ) -> Connection:
        """A connection with these settings.

        Args:
            name: what the user calls it.
            values: by setting; secrets are references, things with ``reveal()``.
            url: overrides the host: https, or plain http to this machine.
            timeout: seconds for one request.
            allow_private: its host may lie inside a private network.
            through: for a gateway, what lies behind it.

        Raises:
            ConfigError: a setting is unknown, missing, or not what it should be.
        """
        right = checked(self.settings, values, self.slug)
        base = self._base(right) if url is None else checked_url(url, allow_private=allow_private)
        return Connection(name, self, right, base, timeout, allow_private, moved=url is not None, through=through)

    def describe(self) -> dict[str, object]:
        """As plain data, for people and programs."""
        return {
            "slug": self.slug,
            "name": self.name,
            "calls": ", ".join(call for call in CALLS if call in self.posts),
            "minimum_interval": self.minimum_interval,
            "identifiers": list(self.identifiers),
            "settings": {setting.name: setting.about for setting in self.settings},
        }

    def paste(self) -> str:
        """A block for ``personas.toml``."""
        lines = [f"[destinations.{_identifier(self.slug)}]", f'type = "{self.slug}"']
        if not self.hosts:
            lines.append('url = "https://..."')
        for setting in self.settings:
            variable = _identifier(f"{self.slug}_{setting.name}").upper()
            shown = setting.default or setting.example or next(filter(None, setting.choices), "...")
            value = f'{{ env = "{variable}" }}' if setting.secret else f'"{shown}"'
            required = setting.default is None and not setting.optional and setting.name != self.list_setting
            lines.append(f"{'' if required else '# '}{setting.name} = {value}  # {setting.about}")
        named = 'list = "<id>", ' if self.list_setting else ""
        if known := self._telling:
            ids = ", ".join(f'{kind} = "{kind}"' for kind in known)
            to = f'to = [{{ destination = "{_identifier(self.slug)}", {named}ids = {{ {ids} }} }}]'
            lines.append(f"# in a definition: {to}")
        if self.list_setting:
            lines.append(f"# identifiers: {', '.join(self.identifiers)}")
        return "\n".join(lines)

    @property
    def _telling(self) -> tuple[str, ...]:
        """Identifiers that are enough to know a user by; none where that is the user's id in every call."""
        kinds = {**self.identifiers, **self.keyed}
        alone = next((kind for kind, identifier in kinds.items() if identifier.alone), None)
        return (alone,) if alone is not None else next(iter(self.together), ())

    def _base(self, values: Mapping[str, object]) -> str:
        """Its own host, which a person chooses by region at most."""
        if not self.hosts:
            raise ConfigError(f"{self.slug} needs a url", hint='add url = "https://..."')
        region = str(values.get("region", next(iter(self.hosts))))
        return self.hosts[region if region in self.hosts else next(iter(self.hosts))].format_map(values)


def _identifier(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "_", text)
