"""The shape of a destination: data, and one mapping per call. A module of this package is one destination.

A mapping says what one change looks like for the vendor, as a polars expression over the columns of a batch; cutting
into requests, encoding, authentication and the meaning of answers are the same for all, from tables.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote, urlencode

import httpx
import polars as pl

from personas_kit.definitions.definition import Kind
from personas_kit.destinations.addresses import checked_url
from personas_kit.destinations.auth import AuthScheme, Revealing
from personas_kit.destinations.batching import cut
from personas_kit.destinations.encode import Field, Json, obj, optional, raw
from personas_kit.destinations.normalise import Identifier
from personas_kit.destinations.outcomes import Answer, Budget, Outcome, Outcomes
from personas_kit.errors import ConfigError, UnknownName, nearest
from personas_kit.secret import Secret

Call = Literal["identify", "track", "group", "list"]
CALLS: tuple[Call, ...] = ("identify", "track", "group", "list")
_ENVELOPE = 200  # bytes around one item, at most


@dataclass(frozen=True, slots=True)
class Computation:
    """What was computed: the definition's key, kind and name, and for gateways the destinations behind them."""

    key: str
    kind: Kind
    name: str
    integrations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """One request, without any secret. Its repr shows no content: it is about people.

    Attributes:
        lines: ``[start, stop)`` of the batch that it carries.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes = field(repr=False, default=b"")
    lines: tuple[int, int] = (0, 0)


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
    """

    path: str
    read: Callable[[Answer], Outcome | None]


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of a destination.

    Attributes:
        secret: it is a reference, never a value.
        default: used when it is not given; a setting without one is required, unless ``optional``.
        choices: what it may be.
        identifies: it says which account (or list) is meant: another value is another account.
        about: for people.
    """

    name: str
    about: str
    secret: bool = False
    default: str | None = None
    optional: bool = False
    choices: tuple[str, ...] = ()
    identifies: bool = False


@dataclass(frozen=True, slots=True)
class Fields:
    """The columns of a batch, for a mapping: ``lambda c: obj(userId=c.user_id, traits=c.traits)``."""

    computation: Computation
    ids: Mapping[str, pl.Expr]
    batch: pl.DataFrame = field(repr=False)

    user_id: pl.Expr = field(default_factory=lambda: pl.col("user_id"))
    account_id: pl.Expr = field(default_factory=lambda: pl.col("account_id"))
    message_id: pl.Expr = field(default_factory=lambda: pl.col("message_id"))

    @property
    def value(self) -> Json:
        """The value: ``true`` or ``false`` for an audience."""
        return raw(pl.col("value"))

    @property
    def traits(self) -> Json:
        """The value under its key, with the identifiers of the user that are mapped."""
        return obj({self.computation.key: self.value, **self.identifiers})

    @property
    def own_traits(self) -> Json:
        """The value under its key, alone."""
        return obj({self.computation.key: self.value})

    @property
    def identifiers(self) -> Mapping[str, Field]:
        """The identifiers that are mapped, each left out where it is missing."""
        return {kind: optional(column) for kind, column in self.ids.items()}

    @property
    def properties(self) -> Json:
        """Of an entered or exited event: the audience's key, and whether the user is in."""
        return obj(audience_key=self.computation.key, **{self.computation.key: self.value})

    @property
    def event(self) -> pl.Expr:
        """``Audience Entered`` or ``Audience Exited``."""
        exited = pl.col("change").cast(pl.String) == "exit"
        return pl.when(exited).then(pl.lit("Audience Exited")).otherwise(pl.lit("Audience Entered"))

    @property
    def timestamp(self) -> pl.Expr:
        """When it became so, RFC 3339 in UTC."""
        return pl.col("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ")

    @property
    def epoch_ms(self) -> pl.Expr:
        """When it became so, in milliseconds since 1970."""
        return pl.col("timestamp").dt.epoch("ms")


@dataclass(frozen=True, slots=True)
class Post:
    """How one call is sent.

    Attributes:
        path: may name settings: ``/{version}/{audience_id}/users``.
        each: one change as JSON.
        around: what stands before and after the changes of one request, which are joined by commas; given the lines of
            the request, and the batch that it is a part of.
        form: the changes go as an array in this field of a form, instead of a JSON body.
        fixed: further fields of the form.
        exit_method: the method for exits, where it is another one.
    """

    path: str
    each: Callable[[Fields], Json]
    around: Callable[[pl.DataFrame, pl.DataFrame], tuple[str, str]] = lambda _, __: ("[", "]")
    method: str = "POST"
    exit_method: str | None = None
    form: str = ""
    fixed: Mapping[str, str] = field(default_factory=dict)
    limits: Limits | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """A destination, as its module declares it.

    Attributes:
        hosts: value of the ``region`` setting -> host; empty when ``url`` is required.
        identifiers: kinds of identifiers that a list takes; empty for event destinations.
        minimum_interval: seconds between two updates of a list.
        refresh: seconds after which everyone is sent again on a schedule, before the destination forgets them.
        list_setting: the setting that holds the id of the list, where one account has several.
        rates: what an account allows; none are declared where the vendor names none.
        parallel: requests under way at the same time.
        budget: the headers in which answers tell how much is left.
        poll: how to ask for what was only accepted; such a destination answers ``accepted``.
        key_header: the header for a key by which the receiver knows a repeated request. It follows from the body: the
            same bytes have the same key, in every run, and other bytes another.
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
    minimum_interval: int = 0
    refresh: int = 0
    list_setting: str | None = None
    rates: tuple[Rate, ...] = ()
    parallel: int = 1
    budget: Budget | None = None
    poll: Poll | None = None
    key_header: str = ""

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
    ) -> Connection:
        """A connection with these settings.

        Args:
            name: what the user calls it.
            values: by setting; secrets are references, things with ``reveal()``.
            url: overrides the host: https, or plain http to this machine.
            timeout: seconds for one request.
            allow_private: its host may lie inside a private network.

        Raises:
            ConfigError: a setting is unknown, missing, or not what it should be.
        """
        checked = self._checked(values)
        base = self._base(checked) if url is None else checked_url(url, allow_private=allow_private)
        return Connection(name, self, checked, base, timeout, allow_private)

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
        lines = [f"[destinations.{self.slug.replace('-', '_')}]", f'type = "{self.slug}"']
        if not self.hosts:
            lines.append('url = "https://..."')
        for setting in self.settings:
            variable = f"{self.slug}_{setting.name}".replace("-", "_").upper()
            value = f'{{ env = "{variable}" }}' if setting.secret else f'"{setting.default or "..."}"'
            required = setting.default is None and not setting.optional and setting.name != self.list_setting
            lines.append(f"{'' if required else '# '}{setting.name} = {value}  # {setting.about}")
        if self.list_setting:
            kinds = ", ".join(self.identifiers)
            lines.append('# in a definition: to = [{ destination = "...", list = "<id>", ids = { email = "email" } }]')
            lines.append(f"# identifiers: {kinds}")
        return "\n".join(lines)

    def _checked(self, values: Mapping[str, object]) -> dict[str, object]:
        known = {setting.name: setting for setting in self.settings}
        for name in values:
            if name not in known:
                near = nearest(name, known)
                hint = f"did you mean {near[0]!r}?" if near else f"{self.slug} takes: {', '.join(known)}"
                raise ConfigError(f"{self.slug} has no setting {name!r}", hint=hint)
        return {name: _setting_value(setting, values.get(name)) for name, setting in known.items()}

    def _base(self, values: Mapping[str, object]) -> str:
        """Its own host, which a person chooses by region at most."""
        if not self.hosts:
            raise ConfigError(f"{self.slug} needs a url", hint='add url = "https://..."')
        return self.hosts[str(values.get("region", next(iter(self.hosts))))]


@dataclass(frozen=True, slots=True)
class Connection:
    """A destination with its settings. Its repr shows no setting."""

    name: str
    destination: Destination
    _values: Mapping[str, object] = field(repr=False)
    _base: str = field(repr=False)
    timeout: float = 30.0
    allow_private: bool = False

    @property
    def calls(self) -> frozenset[Call]:
        """What it takes."""
        return self.destination.calls

    @property
    def home(self) -> str:
        """The url that every request of it begins with; for what opens connections, and never shown."""
        return self._base

    @property
    def target(self) -> str:
        """Which account (and list) this is: 16 hex digits that say nothing else.

        A secret counts by where it lies, so that a rotated one is the same account, and so is a moved folder.
        """
        telling = [(s.name, _named(self._values[s.name])) for s in self.destination.settings if s.identifies]
        return hashlib.sha256(repr((self.destination.slug, self._base, telling)).encode()).hexdigest()[:16]

    @property
    def secrets(self) -> tuple[Revealing, ...]:
        """The references to secrets among the settings."""
        found = (self._values[setting.name] for setting in self.destination.settings if setting.secret)
        return tuple(value for value in found if isinstance(value, Revealing))

    def auth(self) -> httpx.Auth:
        """Reads the secrets at the moment a request leaves."""
        return self.destination.auth.flow(self._values)

    def limits(self, call: Call) -> Limits:
        """What one request of the call may hold."""
        return self.destination.posts[call].limits or self.destination.limits

    def items(self, call: Call, batch: pl.DataFrame, computation: Computation) -> pl.Series:
        """Each line of a batch as the vendor's JSON: what requests are made of.

        Args:
            call: which call.
            batch: the lines; entries and exits of a list never together.
            computation: what was computed.
        """
        ids = {name.removeprefix("id_"): pl.col(name) for name in batch.columns if name.startswith("id_")}
        each = self.destination.posts[call].each(Fields(computation, ids, batch))
        return batch.select(item=each.text)["item"]

    def oversized(self, call: Call, items: pl.Series) -> dict[int, str]:
        """The items that no request can hold -> reason."""
        limits = self.limits(call)
        most = min(limits.bytes, limits.item_bytes or limits.bytes) - _ENVELOPE
        return dict.fromkeys((items.str.len_bytes() > most).arg_true().to_list(), "too large to send")

    def requests(
        self, call: Call, batch: pl.DataFrame, computation: Computation, items: pl.Series | None = None
    ) -> list[Request]:
        """The requests for a batch: the same bytes for the same batch, cut by count and by bytes.

        Args:
            call: which call.
            batch: the lines; entries and exits of a list never together.
            computation: what was computed.
            items: its ``items``, where they are known already.
        """
        if not batch.height:
            return []
        post, limits = self.destination.posts[call], self.limits(call)
        items = self.items(call, batch, computation) if items is None else items
        before, after = post.around(batch, batch)
        room = limits.bytes - len(before.encode()) - len(after.encode())
        sizes = _form_sizes(items) if post.form else items.str.len_bytes()
        exits = post.exit_method is not None and batch["change"][0] == "exit"
        method = post.exit_method if exits and post.exit_method else post.method
        url = self._address(post.path)
        requests = []
        for start, stop in cut(sizes, items=limits.items, most_bytes=room):
            content = _content(post, items[start:stop], batch[start:stop], batch)
            requests.append(Request(method, url, self._headers(post, content), content, (start, stop)))
        return requests

    def _headers(self, post: Post, content: bytes) -> Mapping[str, str]:
        kind = "application/x-www-form-urlencoded" if post.form else "application/json"
        key = self.destination.key_header
        return {"content-type": kind} | ({key: hashlib.sha256(content).hexdigest()[:32]} if key else {})

    def poll(self, handle: str) -> Request:
        """The request that asks what became of accepted work. Only for destinations that answer ``accepted``."""
        assert self.destination.poll is not None, self.destination.slug  # noqa: S101  (no handle without it)
        return Request("GET", self._address(self.destination.poll.path, handle=handle), {})

    def polled(self, answer: Answer) -> Outcome | None:
        """What the answer says about accepted work; None if it is not finished, or if this could not be found out."""
        assert self.destination.poll is not None, self.destination.slug  # noqa: S101  (as above)
        return self.destination.poll.read(answer)

    def outcome(self, call: Call, request: Request, answer: Answer) -> Outcome:
        """What an answer means."""
        del call
        start, stop = request.lines
        return self.destination.outcomes.of(answer, stop - start)

    def _address(self, path: str, **more: str) -> str:
        return self._base + path.format_map(
            {name: quote(str(value), safe="") for name, value in {**self._values, **more}.items()}
        )

    def list_member(self, ids: Mapping[str, str]) -> pl.Expr:
        """The identifiers that a list holds for a user, as canonical JSON text; null if none of them identifies alone.

        Args:
            ids: kind of identifier -> column of the user, whose texts lie in ``id_<kind>``.

        Raises:
            ConfigError: no identifier is mapped, or none that identifies a person alone.
            UnknownName: the list does not take one of them.
        """
        known = self.destination.identifiers
        if not ids:
            raise ConfigError(
                f"{self.name} needs to know which column is which identifier",
                hint=f'add ids = {{ email = "email" }}; it takes {", ".join(known)}',
            )
        for kind in ids:
            if kind not in known:
                raise UnknownName(f"identifier of {self.destination.name}", kind, known)
        telling = [kind for kind in ids if known[kind].alone]
        if not telling:
            enough = ", ".join(kind for kind, identifier in known.items() if identifier.alone)
            raise ConfigError(
                f"{', '.join(ids)} alone identify nobody", where=f"ids for {self.name}", hint=f"add one of {enough}"
            )
        cells = {known[kind].name: known[kind].cell(pl.col(f"id_{kind}")) for kind in ids}
        whole = obj({name: optional(cells[name]) for name in sorted(cells)}).text
        return pl.when(pl.any_horizontal(cells[known[kind].name].is_not_null() for kind in telling)).then(whole)


def _named(value: object) -> str:
    return value.reference if isinstance(value, Secret) else str(value)


def _setting_value(setting: Setting, value: object) -> object:
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
    return value


def _content(post: Post, items: pl.Series, lines: pl.DataFrame, batch: pl.DataFrame) -> bytes:
    joined = ",".join(items.to_list())
    if post.form:
        return urlencode({post.form: f"[{joined}]", **post.fixed}).encode()
    before, after = post.around(lines, batch)
    return f"{before}{joined}{after}".encode()


def _form_sizes(items: pl.Series) -> pl.Series:
    """Bytes of each item once it is percent-encoded."""
    plain = items.str.replace_all(r"[A-Za-z0-9_.\-~ ]", "")
    return items.str.len_bytes() + 2 * plain.str.len_bytes() + 2
