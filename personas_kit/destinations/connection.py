"""A destination with the settings of somebody: changes become requests here, and answers outcomes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, urlencode

import polars as pl

from personas_kit.destinations.auth import Flow, Revealing
from personas_kit.destinations.batching import cut
from personas_kit.destinations.encode import item, obj, optional, percent_encoded
from personas_kit.destinations.exchange import Exchange, Polling, Request
from personas_kit.destinations.fields import Call, Computation, Fields
from personas_kit.destinations.normalise import Identifier
from personas_kit.destinations.outcomes import Answer, Outcome
from personas_kit.errors import ConfigError, DestinationError, UnknownName
from personas_kit.secret import Secret

if TYPE_CHECKING:
    from personas_kit.destinations.base import Destination, Limits, Post, Through

_ENVELOPE = 200  # bytes around one item, at most
_LONGEST_IN_ADDRESS = 1_000
_STEPS = ("", ".", "..")  # in an address they lead elsewhere
_DIGEST = "{digest}"  # braces are quoted in whatever else stands in an address
_IN_PATHS = frozenset({"user_id", "account_id", "message_id"})
_OFTEN_THE_SAME = frozenset({"change", "timestamp", "value"})


@dataclass(frozen=True, slots=True)
class Connection:
    """A destination with its settings. Its repr shows no setting."""

    name: str
    destination: Destination
    _values: Mapping[str, object] = field(repr=False)
    _base: str = field(repr=False)
    timeout: float = 30.0
    allow_private: bool = False
    moved: bool = False
    """Its address is not the destination's own: a proxy, a sandbox or a test."""
    through: Through | None = None
    """What lies behind it, if it is a gateway."""
    replaces: bool = False
    """What is sent takes the place of whatever is there."""

    @property
    def calls(self) -> frozenset[Call]:
        """What it takes; and what lies behind it, if it is a gateway."""
        own = self.destination.calls
        return own & self.through.calls if self.through is not None else own

    @property
    def title(self) -> str:
        """What is reached, for people: ``Amplitude``, or ``Adobe Analytics through RudderStack``."""
        return f"{self.through.name} through {self.destination.name}" if self.through else self.destination.name

    @property
    def default_ids(self) -> tuple[str, ...]:
        """The identifiers that are mapped if nobody says how, and a column of users is called like them."""
        of_lists = {} if self.list_missing else self.destination.identifiers
        known = {**of_lists, **self.destination.keyed}
        own = tuple(kind for kind, identifier in known.items() if identifier.alone and kind != "user_id")
        return own + (self.through.ids if self.through is not None else ())

    @property
    def list_missing(self) -> bool:
        """It has lists beside its other calls, and none is named."""
        name = self.destination.list_setting
        return name is not None and self._values[name] is None

    @property
    def home(self) -> str:
        """The url that every request of it begins with; for what opens connections, and never shown."""
        return self._base

    @property
    def target(self) -> str:
        """Which account (and list) this is: 16 hex digits that say nothing else.

        A secret counts by where it lies, so that a rotated one is the same account, and so is a moved folder.
        """
        return self._digest(but=None)

    @property
    def account(self) -> str:
        """Which account this is, whatever the list: its rates are shared by all its lists."""
        return self._digest(but=self.destination.list_setting)

    def _digest(self, but: str | None) -> str:
        names = [setting.name for setting in self.destination.settings if setting.identifies and setting.name != but]
        telling = [(name, _named(self._values[name])) for name in names]
        return hashlib.sha256(repr((self.destination.slug, self._base, telling)).encode()).hexdigest()[:16]

    @property
    def secrets(self) -> tuple[Revealing, ...]:
        """The references to secrets among the settings."""
        found = (self._values[setting.name] for setting in self.destination.settings if setting.secret)
        return tuple(value for value in found if isinstance(value, Revealing))

    def auth(self) -> Flow:
        """Reads the secrets at the moment a request leaves."""
        return self.destination.auth.flow(self._values, self._base, moved=self.moved)

    def limits(self, call: Call) -> Limits:
        """What one request of the call may hold."""
        post = self.destination.posts[call]
        return self._limits(post.replacing if self.replaces and post.replacing is not None else post)

    def items(self, call: Call, batch: pl.DataFrame, computation: Computation) -> pl.Series:
        """Each line of a batch as it stands in a body: the vendor's JSON, and what separates it from the next.

        Args:
            call: which call.
            batch: the lines; entries and exits of a list never together.
            computation: what was computed.
        """
        post = self._post(call, batch)
        each = post.each(self._fields(batch, batch, computation))
        return _with_constants(batch).select(item=item(each, post.separator, form=bool(post.form)))["item"]

    def refused(self, call: Call, batch: pl.DataFrame, items: pl.Series) -> dict[int, str]:
        """The lines that no request can hold, or that the destination would not take -> reason."""
        post = self._post(call, batch)
        limits = self._limits(post)
        most = min(limits.bytes, limits.item_bytes or limits.bytes) - _ENVELOPE
        refused = _each(items.is_null(), "nothing in it that can be sent there")
        refused |= _each(items.str.len_bytes().cast(pl.Int64) > most + len(_between(post)), "too large to send")
        if limits.items == 1:
            for texts in _of_line(post.path, batch).values():
                wrong = (texts.str.len_bytes() > _LONGEST_IN_ADDRESS) | texts.is_in(_STEPS)
                refused |= _each(wrong, "an id that cannot stand in an address")
        if self.destination.values.longest is not None:
            long = batch.select(long=self.destination.values.too_long(pl.col("value")))["long"]
            refused |= _each(long, f"a text of more than {self.destination.values.longest} characters")
        return refused

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
        post = self._post(call, batch)
        items = self.items(call, batch, computation) if items is None else items
        headers, key = self._headers(post), self.destination.key_header
        digested, urls = bool(key) or _DIGEST in post.path, self._urls(post, batch)
        packed = call in self.destination.packed
        requests = []
        for (start, stop), content in self._contents(post, batch, computation, items):
            url, keyed = next(urls), headers
            if digested:
                digest = hashlib.sha256(content).hexdigest()[:32]
                url, keyed = url.replace(_DIGEST, digest), headers | {key: digest} if key else headers
            requests.append(Request(post.method, url, keyed, content, (start, stop), packed))
        return requests

    def _urls(self, post: Post, batch: pl.DataFrame) -> Iterator[str]:
        """The address of each request; where each has its own, they are filled as columns."""
        named = _of_line(post.path, batch) if self._limits(post).items == 1 else {}
        places = {name: f"{{{at}}}" for at, name in enumerate(named)}
        url = self._filled(post.path, self._quoted | {"digest": _DIGEST} | places)
        if not named:
            return repeat(url)
        home, path = self._base, url.removeprefix(self._base)
        return (
            home + path.format(*texts, digest=_DIGEST)
            for texts in zip(*map(pl.Series.to_list, named.values()), strict=True)
        )

    def _contents(
        self, post: Post, batch: pl.DataFrame, computation: Computation, items: pl.Series
    ) -> Iterator[tuple[tuple[int, int], bytes]]:
        """The body of each request, with ``[start, stop)`` of its lines."""
        limits, between = self._limits(post), len(_between(post))
        before, after = _around(post, self._fields(batch, batch, computation))
        room = limits.bytes - len(before) - len(after)
        runs = cut(_ends(items), items=limits.items, most_bytes=room, between=between)
        for (start, stop), text in zip(runs, _joined(items, runs), strict=True):
            if callable(post.around):
                before, after = _around(post, self._fields(batch, batch[start:stop], computation))
            yield (start, stop), b"".join((before, text[: len(text) - between], after))

    def request(self, method: str, path: str, body: object = None) -> Request:
        """A further request of an exchange.

        Args:
            method: of HTTP.
            path: may name settings; what else stands in it is quoted already.
            body: plain data, sent as JSON; None for none.
        """
        content = b"" if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        kind = {} if body is None else {"content-type": "application/json"}
        return Request(method, self._address(path), {**self.destination.headers, **kind}, content)

    def exchange(self, call: Call, request: Request, lines: pl.DataFrame) -> Exchange:
        """The steps that a request takes: often itself alone. Its result is what became of its lines."""
        post = self._post(call, lines)
        if post.exchange is not None:
            return post.exchange(self, request, lines)
        return self._alone(call, request, lines)

    def _alone(self, call: Call, request: Request, lines: pl.DataFrame) -> Exchange:
        answer = yield request
        return self.judge(call, answer, lines.height, exits=self._exits(lines))

    def judge(self, call: Call, answer: Answer, count: int, *, exits: bool = False) -> Outcome:
        """What an answer to a call with so many changes means, by the destination's table."""
        post = self.destination.posts[call]
        outcomes = (post.exits.outcomes if exits and post.exits else None) or post.outcomes
        return (outcomes or self.destination.outcomes).of(answer, count)

    def replacement(self, call: Call) -> Connection:
        """The connection by which what is sent takes the place of whatever is there.

        Raises:
            DestinationError: the destination has no way to do that.
        """
        post = self.destination.posts[call]
        if post.replacing is None:
            raise DestinationError(
                f"{self.title} cannot replace what it has by {call}",
                where=self.name,
                hint='mode="full" sends everyone again, and takes out whom the kit knows to be there',
            )
        return replace(self, replaces=True)

    def polling(self, handle: str) -> Polling:
        """The questions about accepted work. Only for destinations that answer ``accepted``."""
        assert self.destination.poll is not None, self.destination.slug  # noqa: S101  (no handle without it)
        exchange = self.destination.poll.exchange
        return self.polled(handle) if exchange is None else exchange(self, handle)

    def polled(self, handle: str) -> Polling:
        """One question. Its result is None if the work is not finished, or if this could not be found out."""
        poll = self.destination.poll
        assert poll is not None, self.destination.slug  # noqa: S101  (as above)
        answer = yield Request("GET", self._address(poll.path, handle=handle), self.destination.headers)
        return poll.read(answer)

    def probe(self) -> Request | None:
        """The request that proves the credentials; None where there is nothing to ask."""
        probe = self.destination.probe
        if probe is None:
            return None
        request = self.request(probe.method, probe.path, probe.body)
        return replace(request, headers={**request.headers, **probe.headers(self)})

    def setting(self, name: str) -> str:
        """A setting that is no secret; empty if it is not given."""
        return self.settings.get(name, "")

    @property
    def settings(self) -> dict[str, str]:
        """Those that are no secrets, and are given."""
        shown = (setting.name for setting in self.destination.settings if not setting.secret)
        return {name: str(self._values[name]) for name in shown if self._values[name] is not None}

    def _fields(self, batch: pl.DataFrame, lines: pl.DataFrame, computation: Computation) -> Fields:
        ids = {name.removeprefix("id_"): pl.col(name) for name in batch.columns if name.startswith("id_")}
        return Fields(computation, ids, batch, lines, self.settings, self.destination.keys, self.destination.values)

    def _post(self, call: Call, batch: pl.DataFrame) -> Post:
        post = self.destination.posts[call]
        if self._exits(batch):
            return post.exits or post
        return post.replacing if self.replaces and post.replacing is not None else post

    @staticmethod
    def _exits(batch: pl.DataFrame) -> bool:
        return bool(batch.height) and batch.item(0, "change") == "exit"

    def _limits(self, post: Post) -> Limits:
        return post.limits or self.destination.limits

    def _headers(self, post: Post) -> dict[str, str]:
        kind = "application/x-www-form-urlencoded" if post.form else post.content_type
        return {**self.destination.headers, "content-type": kind}

    def _address(self, path: str, **more: str) -> str:
        return self._filled(path, self._quoted | {name: quote(value, safe="") for name, value in more.items()})

    @property
    def _quoted(self) -> dict[str, str]:
        """The settings that are no secrets, as they stand in an address."""
        return {name: quote(value, safe="") for name, value in self.settings.items()}

    def _filled(self, path: str, named: Mapping[str, str]) -> str:
        if "{" not in path:
            return self._base + path
        try:
            return self._base + path.format_map(named)
        except KeyError as missing:
            raise ConfigError(
                f"{self.name} needs {missing} for this call",
                hint='a list is named per sync: list = "<id>"'
                if missing.args[0] == self.destination.list_setting
                else "",
            ) from None

    def identifiers(self, call: Call) -> Mapping[str, Identifier]:
        """The identifiers by which the call knows a user; empty where it does by the user's own id."""
        if call == "list":
            return self.destination.identifiers
        return self.destination.keyed if call in {"identify", "track"} else {}

    def member(self, call: Call, kinds: Collection[str]) -> pl.Expr:
        """The identifiers by which a user is known there, as canonical JSON text; null if none identifies alone.

        Args:
            call: one that has ``identifiers``.
            kinds: those that are mapped; their texts lie in ``id_<kind>``.

        Raises:
            ConfigError: no identifier is mapped, or none that identifies a person alone.
            UnknownName: the list does not take one of them.
        """
        known = self.identifiers(call)
        if call == "list":
            for kind in kinds:
                if kind not in known:
                    raise UnknownName(f"identifier of {self.destination.name}", kind, known)
        used = [kind for kind in kinds if kind in known]
        if not used:
            first = next(iter(known))
            raise ConfigError(
                f"{self.name} needs to know which column is which identifier",
                hint=f'add ids = {{ {first} = "{first}" }}; it takes {", ".join(known)}',
            )
        telling: list[tuple[str, ...]] = [(kind,) for kind in used if known[kind].alone]
        telling += [group for group in self.destination.together if set(group) <= set(used)]
        if not telling:
            enough = [kind for kind, identifier in known.items() if identifier.alone]
            enough += [" with ".join(group) for group in self.destination.together]
            raise ConfigError(
                f"{', '.join(used)} alone identify nobody",
                where=f"ids for {self.name}",
                hint=f"add one of {', '.join(enough)}",
            )
        cells = pl.struct(known[kind].cell(pl.col(f"id_{kind}")).alias(known[kind].name) for kind in used)
        names = [[known[kind].name for kind in group] for group in telling]
        # The cells are worked out once, and not for the text and again for what is missing: half the time of a list.
        return cells.map_batches(partial(_as_member, names), return_dtype=pl.String, is_elementwise=True)

    def told_by(self, call: Call, member: pl.Expr) -> Mapping[str, pl.Expr]:
        """The identifiers that stand in a member, by kind."""
        return {kind: member.str.json_path_match(f"$.{each.name}") for kind, each in self.identifiers(call).items()}


def _as_member(telling: Sequence[Sequence[str]], cells: pl.Series) -> pl.Series:
    """The identifiers as one JSON text; null where none that identifies a person alone is there."""
    frame = cells.struct.unnest()
    whole = obj({name: optional(pl.col(name)) for name in sorted(frame.columns)}).text
    there = (pl.all_horizontal(pl.col(name).is_not_null() for name in group) for group in telling)
    return frame.select(member=pl.when(pl.any_horizontal(there)).then(whole))["member"]


def _named(value: object) -> str:
    return value.reference if isinstance(value, Secret) else str(value)


def _with_constants(batch: pl.DataFrame) -> pl.DataFrame:
    """What says the same on every line as one value, so that it is worked out once: often the time and the value."""
    same = [name for name in batch.columns if name in _OFTEN_THE_SAME and _says_one_thing(batch[name])]
    return batch.with_columns(pl.col(same).first()) if same else batch


def _says_one_thing(column: pl.Series) -> bool:
    return not column.null_count() and column.min() is not None and column.min() == column.max()


def _each(wrong: pl.Series, reason: str) -> dict[int, str]:
    """The lines that are wrong -> why: seldom any."""
    return dict.fromkeys(wrong.arg_true().to_list(), reason) if wrong.any() else {}


def _between(post: Post) -> bytes:
    """What separates two changes, as it stands in a body."""
    return (quote_plus(post.separator) if post.form else post.separator).encode()


def _around(post: Post, fields: Fields) -> tuple[bytes, bytes]:
    if post.form:
        before, after = urlencode({post.form: "[\n]", **post.fixed}).split("%0A", 1)
    else:
        before, after = post.around(fields) if callable(post.around) else post.around
    return before.encode(), after.encode()


def _ends(items: pl.Series) -> memoryview:
    """How many bytes there are up to the end of each; looked at where they lie, since few are."""
    ends = items.str.len_bytes().cast(pl.Int64).cum_sum().to_arrow()
    return memoryview(ends.buffers()[-1]).cast("q")


def _joined(items: pl.Series, runs: Sequence[tuple[int, int]]) -> Iterator[memoryview | bytes]:
    """The bytes of each run of items, as they follow each other in memory: nothing is joined piece by piece."""
    if len(runs) == items.len():  # each alone. A thousand fit into the caches of a processor, so not all at once
        for piece in items.cast(pl.Binary).to_frame().iter_slices(1_000):
            yield from piece.to_series().to_list()
    else:
        for start, stop in runs:
            yield memoryview(items[start:stop].to_arrow().buffers()[-1])


def _of_line(path: str, batch: pl.DataFrame) -> dict[str, pl.Series]:
    """What a path names of the one change of a request: for each line, as it stands in an address."""
    columns = {name.removeprefix("id_"): name for name in batch.columns if name in _IN_PATHS or name.startswith("id_")}
    named = {name: column for name, column in columns.items() if f"{{{name}}}" in path}
    return {name: percent_encoded(batch[column].fill_null("")) for name, column in named.items()}
