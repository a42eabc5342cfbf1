"""How things would stand otherwise: several courses of things as one statement, which lists only what differs.

A *world* is a definition with what it refers to, the instant at which it is asked, and what is there at that instant.
The first world is the present one. A user, an account, or a user of an account is listed if some other world says
something else than the first; so the statement gives about as many lines as there are changes, however large the
audience is. What is the same in several worlds is made once, and a table of the warehouse is read once for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from personas_kit.compiler.claims import Claims, claims_of
from personas_kit.compiler.compile import traits_of
from personas_kit.compiler.conditions import condition, negated
from personas_kit.compiler.nodes import Instant, as_, column, free_name, given, same
from personas_kit.compiler.population import ACCOUNTS, CLAIMS, EVER, ID, MEMBERS, USERS, Build
from personas_kit.compiler.query import Query
from personas_kit.compiler.reading_once import Part, Tables, made_once, renamed, spelt
from personas_kit.compiler.scope import Scope, trait_column
from personas_kit.compiler.several import ACCOUNT_OF, USER_OF, lines_of_kinds
from personas_kit.compiler.source import ColumnType, Source
from personas_kit.definitions.definition import AccountAudience, Definition, Subject
from personas_kit.definitions.expressions import Condition, Expression, Value, walk
from personas_kit.definitions.pointing import pointing
from personas_kit.definitions.resolve import Registry, resolve, resolve_of_user
from personas_kit.definitions.streams import Events

_EXISTING = frozenset({USERS, ACCOUNTS, MEMBERS, EVER, CLAIMS})
_COMPARED: frozenset[ColumnType | None] = frozenset(
    {"text", "integer", "float", "decimal", "boolean", "timestamp", "timestamp_tz", "date"}
)
_PAIR = ("user_id", "account_id")


@dataclass(frozen=True, slots=True)
class World:
    """One course of things.

    Attributes:
        definition: what is asked.
        registry: what it refers to, by key.
        ago: it is asked as of so many seconds before the instant of the statement.
        quiet: what began in the last so many seconds is not there: events, users, accounts, memberships, claims.
        members_ago: the users of its accounts are those of so many seconds ago, whoever is kept out of them; None:
            those of the world itself.
        aside: it is answered for those who are listed, and lists nobody.
    """

    definition: Definition
    registry: Registry
    ago: int = 0
    quiet: int = 0
    members_ago: int | None = None
    aside: bool = False


def compile_worlds(
    worlds: Sequence[World],
    source: Source,
    *,
    carry: Sequence[str] = (),
    expand: bool = False,
    claims: Claims | None = None,
) -> Query:
    """Who is in, or has which value, in each of several worlds, as far as they differ from the first.

    Args:
        worlds: at least one, all about users or all about accounts.
        source: where the data lies.
        carry: traits of users to list beside their ids.
        expand: list the users of accounts, too.
        claims: list these identifiers, too, if the source has any.

    Returns:
        Lines of users, or of accounts: ``user_id`` or ``account_id``, and ``w0``, ``w1`` ... (true or false for an
        audience; for a trait its value, or nothing); lines of users of accounts: ``member_user_id``,
        ``member_account_id``, ``p0``, ``p1`` ...; carried traits as ``user_0`` ... and ``member_0`` ...; lines of
        identifiers: ``claims.CLAIM``. What is not of a line's kind is missing on it.

    Raises:
        DefinitionError, UnknownName: as for the definition of a world alone.
    """
    return _Statement(source, worlds, carry, expand, claims).query()


def alike(worlds: Sequence[World], source: Source, *, expand: bool = False) -> tuple[int, ...]:
    """For each world the first one that says the same of everybody, whatever the data.

    That is so if both are asked in the same way: the instant makes no difference where nothing depends on it. Worlds
    that are asked in different ways may say the same all the same.

    Args:
        worlds: as for ``compile_worlds``.
        source: where the data lies.
        expand: the users of accounts are asked for, too.

    Raises:
        DefinitionError, UnknownName: as for the definition of a world alone.
    """
    statement = _Statement(source, worlds, (), expand, None)
    statement.query()
    return tuple(statement.answers.index(answer) for answer in statement.answers)


@dataclass(eq=False)
class _Moment:
    """The worlds that are asked at one instant, of the same that is there: one statement being put together.

    Attributes:
        named: what a part is for -> its name, which is another one in the end.
        kinds: by world, the type of its values; None for an audience.
        streams: the events that are read.
    """

    build: Build
    ago: int
    quiet: int
    named: dict[str, str] = field(default_factory=dict)
    kinds: dict[int, ColumnType | None] = field(default_factory=dict)
    streams: list[Events] = field(default_factory=list)

    def add(self, position: int, world: World, *, expand: bool) -> None:
        """A world: a part with its users or accounts, and one with the users of these."""
        with pointing(world.definition, world.registry):
            meant = resolve(world.definition, world.registry, traits_of(self.build.source))
            self.named[f"w{position}"] = self.build.add("world", self._subjects(position, world.definition, meant))
            if expand and world.members_ago is None:
                self.named[f"p{position}"] = self.build.add("users_of", self._users(position, world))

    def _subjects(self, position: int, definition: Definition, meant: Expression) -> exp.Select:
        self._note(meant)
        scope = Scope.of(self.build, definition.subject)
        listed, wanted = [scope.id], None
        if isinstance(meant, Condition):
            wanted = condition(meant, scope)
        elif isinstance(meant, Value):
            found = scope.value(meant, None)
            self.kinds[position] = found.type
            listed.append(as_(found.sql, "value"))
            wanted = given(found.sql.copy()) if found.missing else None
        return _narrowed(scope.joined(exp.select(*listed).from_(exp.to_table(scope.base))), wanted)

    def _users(self, position: int, world: World) -> exp.Select:
        each = Scope.of_members(self.build, "user")
        definition, wanted = world.definition, None
        if isinstance(definition, AccountAudience) and definition.unless_user is not None:
            kept_out = resolve_of_user(definition, definition.unless_user, world.registry, traits_of(self.build.source))
            self._note(kept_out)
            wanted = negated(condition(kept_out, each))
        made = _users_of(self.named[f"w{position}"], MEMBERS, valued=position in self.kinds)
        return _narrowed(each.joined(made), wanted)

    def _note(self, meant: Expression) -> None:
        self.streams += [node for node in walk(meant) if isinstance(node, Events)]

    def parts(self, label: str, taken: set[str]) -> list[Part]:
        """What the statement consists of, at its instant; every name begins with the label."""
        first, *others = self.named.values()
        ask = exp.select(exp.Literal.number(1)).from_(exp.to_table(first))
        for name in others:  # so that what they are called in the end is read from there
            ask = ask.join(exp.to_table(name), join_type="cross")
        tree = self.build.finish(ask)
        called = [tree.args["from_"].this.name, *(join.this.name for join in tree.args.get("joins") or [])]
        parts, names = renamed(tree, label, taken)
        self.named = {what: names[name] for what, name in zip(self.named, called, strict=True)}
        for part in parts:
            self._at(part)
        return parts

    def rename(self, instead: Mapping[str, str]) -> None:
        """Parts have other names."""
        self.named = {what: instead.get(name, name) for what, name in self.named.items()}

    def _at(self, part: Part) -> None:
        """The part at the instant. Who exists, and belongs where, has begun up to the quiet time."""
        for found in part.made.find_all(Instant):
            begun = _is_existing(part) and isinstance(found.parent, exp.LTE)
            found.set("seconds", found.args["seconds"] - self.ago - (self.quiet if begun else 0))


@dataclass(eq=False)
class _Statement:
    """The statement of several worlds.

    Attributes:
        answers: of each world the parts that say what it is about, users or accounts, and the users of these.
        made: the names of the parts that were added, by what they say.
    """

    source: Source
    worlds: Sequence[World]
    carry: Sequence[str]
    expand: bool
    claims: Claims | None
    moments: dict[tuple[int, int], _Moment] = field(default_factory=dict)
    parts: list[tuple[str, exp.Query]] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    answers: list[tuple[str, ...]] = field(default_factory=list)
    made: dict[object, str] = field(default_factory=dict)

    @property
    def subject(self) -> Subject:
        """Whose ids the worlds are about."""
        return self.worlds[0].definition.subject

    def query(self) -> Query:
        """Every part, and the lines of every kind."""
        now = self._moment(0, 0)
        for position, world in enumerate(self.worlds):
            self._moment(world.ago, world.quiet).add(position, world, expand=self.expand)
        now.named["user"], now.named[self.subject] = now.build.subject("user"), now.build.subject(self.subject)
        for ago in {each for world in self.worlds for each in (world.ago, world.members_ago or 0)}:
            if self.expand:
                self._moment(ago, 0).named["members"] = self._moment(ago, 0).build.members()
        carried = [now.build.trait("user", trait_column(self.source, "user", name)) for name in self.carry]
        self._put_together()
        for each in carried:
            each.set("table", exp.to_identifier(now.named["user"]))
        arms = [self._subjects(carried if self.subject == "user" else [])]
        if self.expand:
            arms.append(self._users(carried))
        if self.claims is not None and self.source.identities is not None:
            users = now.named["user"]
            arms.append(claims_of(self.source.identities, self.claims, users, self.source.timezone))
        made = lines_of_kinds(arms, self._add)
        for name, part in self.parts:
            made = made.with_(name, as_=part, copy=False)
        return Query(made)

    def _moment(self, ago: int, quiet: int) -> _Moment:
        return self.moments.setdefault((ago, quiet), _Moment(Build(self.source), ago, quiet))

    def _put_together(self) -> None:
        """The parts of all moments, each once, and before them what several of these read."""
        builds = [moment.build for moment in self.moments.values()]
        for build in builds:
            build.read_as(builds)
        self.taken = {name.casefold() for of in self.source.schema.values() for name in of.parts}
        made = [moment.parts(f"at_{at}_" if at else "", self.taken) for at, moment in enumerate(self.moments.values())]
        inside = [part for parts in made for part in parts]
        self.taken |= {name.name.casefold() for part in inside for name in part.made.find_all(exp.Identifier)}
        streams = [(each, moment.ago) for moment in self.moments.values() for each in moment.streams]
        tables, until = Tables(self.source, streams, self.taken), list[Part]()
        for parts, moment in zip(made, self.moments.values(), strict=True):
            if moment.quiet:
                until += tables.until([part for part in parts if not _is_existing(part)], moment.quiet)
        inside, instead = made_once(inside)
        for moment in self.moments.values():
            moment.rename(instead)
        every = [*tables.read_once([*until, *inside]), *until, *inside]
        self.parts = [(part.name, part.made) for part in every]

    def _add(self, name: str, made: exp.Query) -> str:
        says = spelt(made)
        if says not in self.made:
            self.made[says] = free_name(name, self.taken)
            self.taken.add(self.made[says])
            self.parts.append((self.made[says], made))
        return self.made[says]

    def _answer(self, position: int, what: str) -> str:
        world = self.worlds[position]
        return self._moment(world.ago, world.quiet).named[f"{what}{position}"]

    def _kind(self, position: int) -> ColumnType | None:
        world = self.worlds[position]
        return self._moment(world.ago, world.quiet).kinds.get(position)

    # --- the lines ---------------------------------------------------------------------------------------------------

    def _subjects(self, carried: Sequence[exp.Column]) -> exp.Select:
        """The users, or the accounts, of whom some world says something else than the first."""
        base, key = self._moment(0, 0).named[self.subject], ID[self.subject]
        made = exp.select(column(base, key), *_called(carried, "user")).from_(exp.to_table(base))
        answers = [self._answer(position, "w") for position in range(len(self.worlds))]
        self.answers = [(answer,) for answer in answers]
        return self._differing(made, base, (key,), answers, "w")

    def _users(self, carried: Sequence[exp.Column]) -> exp.Select:
        """The users of accounts, likewise."""
        now = self._moment(0, 0)
        members = {ago: of.named["members"] for (ago, _), of in self.moments.items() if "members" in of.named}
        names = dict.fromkeys(members.values())
        every = [exp.select(*(column(name, key) for key in _PAIR)).from_(name) for name in names]
        base = self._add("members_of_any", every[0] if len(every) == 1 else exp.union(*every, distinct=True))
        answers = []
        for position, world in enumerate(self.worlds):
            if world.members_ago is None:
                answers.append(self._answer(position, "p"))
                continue
            valued = self._kind(position) is not None
            made = _users_of(self._answer(position, "w"), members[world.members_ago], valued=valued)
            answers.append(self._add(f"users_of_{position}", made.distinct()))
        self.answers = [(*of, users) for of, users in zip(self.answers, answers, strict=True)]
        listed = [as_(column(base, "user_id"), USER_OF), as_(column(base, "account_id"), ACCOUNT_OF)]
        made = exp.select(*listed, *_called(carried, "member")).from_(exp.to_table(base))
        user = exp.EQ(this=column(now.named["user"], "user_id"), expression=column(base, "user_id"))
        return self._differing(made.join(now.named["user"], on=user), base, _PAIR, answers, "p")

    def _differing(
        self, made: exp.Select, base: str, keys: Sequence[str], answers: Sequence[str], prefix: str
    ) -> exp.Select:
        """The lines with the answer of each world, where one differs from the first."""
        differ: dict[str, exp.Expr] = {}
        for part in dict.fromkeys(answers):
            pairs = [exp.EQ(this=column(part, key), expression=column(base, key)) for key in keys]
            made.append("joins", exp.Join(this=exp.to_table(part), on=exp.and_(*pairs), side="LEFT"))
        for position, part in enumerate(answers):
            said, first = (self._said(at, answers[at], keys[0]) for at in (position, 0))
            made = made.select(as_(said, f"{prefix}{position}"))
            if part != answers[0] and not self.worlds[position].aside:
                differ[part] = self._differs(position, said.copy(), first)
        return made.where(exp.or_(*differ.values()) if differ else exp.false()).distinct()

    def _differs(self, position: int, said: exp.Expr, first: exp.Expr) -> exp.Expr:
        """A world says something else than the first. Values that the warehouse cannot compare always may."""
        kinds = {self._kind(position), self._kind(0)}
        if kinds == {None}:
            return exp.NEQ(this=exp.paren(first), expression=exp.paren(said))
        if len(kinds) == 1 and kinds <= _COMPARED:
            return exp.Not(this=exp.paren(same(first, said)))
        return exp.or_(given(first), given(said))

    def _said(self, position: int, part: str, key: str) -> exp.Expr:
        return given(column(part, key)) if self._kind(position) is None else column(part, "value")


def _narrowed(made: exp.Select, wanted: exp.Expr | None) -> exp.Select:
    """Those for whom it holds, each once."""
    return (made if wanted is None else made.where(wanted)).distinct()


def _users_of(accounts: str, members: str, *, valued: bool) -> exp.Select:
    """The users of accounts, each with the value of its account."""
    listed = [*(column(members, key) for key in _PAIR), *([column(accounts, "value")] if valued else [])]
    same_account = exp.EQ(this=column(accounts, "account_id"), expression=column(members, "account_id"))
    return exp.select(*listed).from_(exp.to_table(members)).join(accounts, on=same_account)


def _called(carried: Sequence[exp.Column], prefix: str) -> list[exp.Expr]:
    return [as_(each.copy(), f"{prefix}_{position}") for position, each in enumerate(carried)]


def _is_existing(part: Part) -> bool:
    """Whether a part says who exists, and belongs where."""
    return part.was.rstrip("_") in _EXISTING
