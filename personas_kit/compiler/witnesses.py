"""What stands behind the truth of a condition for one member, as statements: values, events, users or accounts, places.

They are made of the same parts as the definition itself, so an explanation cannot disagree with the members.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from personas_kit.compiler.conditions import condition, sides
from personas_kit.compiler.metrics import EventLines, where
from personas_kit.compiler.nodes import all_of, as_, column, given, instant, naive, ordered, ranked, sortable
from personas_kit.compiler.population import ID, MEMBERS, Build
from personas_kit.compiler.query import Query
from personas_kit.compiler.scope import Scope, is_member, subject_members
from personas_kit.compiler.source import Source
from personas_kit.definitions.definition import Subject
from personas_kit.definitions.expressions import Compare, Condition, Expression, OfAccounts, OfUsers, Top, Value
from personas_kit.definitions.streams import Events, Reduced, Users

Group = OfUsers | OfAccounts | Reduced
"""What asks about the users of an account, or the accounts of a user."""


def compile_truths(nodes: Sequence[Expression], source: Source, subject: Subject, member: str | int) -> Query:
    """What each condition and value says of one member.

    Args:
        nodes: resolved.
        source: where the data lies.
        subject: whom they are about.
        member: the id.

    Returns:
        One line: ``n0``, ``n1``, ...: a truth value, or a value; and for comparisons ``n0_0``, ``n0_1``, ...: what
        stands on each side, constants left out.
    """
    build = Build(source)
    scope = Scope.of(build, subject)
    listed: list[exp.Expr] = []
    for at, node in enumerate(nodes):
        if isinstance(node, Value):
            listed.append(as_(scope.value(node, None).sql.copy(), f"n{at}"))
        elif isinstance(node, Condition):
            listed.append(as_(condition(node, scope), f"n{at}"))
        if isinstance(node, Compare):
            values = sides(node, scope)
            listed += [as_(side.sql.copy(), f"n{at}_{place}") for place, side in enumerate(values)]
    made = scope.joined(exp.select(*listed).from_(exp.to_table(scope.base)))
    return _query(build, made.where(is_member(scope.id, source, subject, member)).limit(1))


def compile_events_behind(
    streams: Sequence[Events], source: Source, subject: Subject, member: str | int, most: int
) -> Query:
    """The events of one member that count, and those that nearly do: the first and the last of each standing.

    Returns:
        ``part`` (the place of the stream), ``standing`` (``counted``; ``before`` or ``after`` the window; ``unlike``,
        in the window and refused by ``where``), ``total`` events of that standing, ``event_id`` and ``user_id`` as
        text, ``happened_at`` in UTC without a zone, ``place`` from the earliest.
    """
    build = Build(source)
    parts = [_events(build, stream, subject, member, at, most) for at, stream in enumerate(streams)]
    return _query(build, _united(parts))


def compile_people_behind(
    groups: Sequence[Group], source: Source, subject: Subject, member: str | int, most: int
) -> Query:
    """The users of an account, or the accounts of a user, that satisfy a part, and those that do not.

    Returns:
        ``part``, ``holds``, ``total`` of those, ``id`` as text, ``place``: the first ``most`` by id.
    """
    build = Build(source)
    parts = [_people(build, group, subject, member, at, most) for at, group in enumerate(groups)]
    return _query(build, _united(parts))


def compile_places(tops: Sequence[Top], source: Source, subject: Subject, member: str | int) -> Query:
    """Which place a member has among those that a ``top`` ranks: ``part``, ``place``; no line if it is not ranked."""
    build = Build(source)
    parts = []
    for at, top in enumerate(tops):
        name = build.add("places", Scope.of(build, subject).placed(top))
        own = exp.select(as_(exp.Literal.number(at), "part"), column(name, "place")).from_(name)
        parts.append(own.where(is_member(column(name, ID[subject]), source, subject, member)))
    return _query(build, _united(parts))


def _events(build: Build, stream: Events, subject: Subject, member: str | int, at: int, most: int) -> exp.Select:
    """All events of the name, with where each stands: a line per event id and time; without ids each line counts."""
    lines = EventLines(build, Events(stream.name, counted=stream.counted), subject)
    zone, happened = build.source.timezone, lines.of.at
    accepted = exp.true() if stream.condition is None else where(stream.condition, lines)
    window = stream.window
    ifs: list[exp.If] = []
    if window is not None:
        too_old = exp.LTE(this=lines.happened(), expression=instant(-window.older, happened.type, zone))
        too_new = exp.GT(this=lines.happened(), expression=instant(-window.newer, happened.type, zone))
        ifs += [_if(exp.and_(too_old, accepted.copy()), "before"), _if(exp.and_(too_new, accepted.copy()), "after")]
        ifs.append(exp.If(this=exp.paren(exp.or_(too_old.copy(), too_new.copy())), true=exp.null()))
    ifs.append(_if(accepted, "counted"))
    standing = exp.Case(ifs=ifs, default=exp.Literal.string("unlike"))
    own = _text(lines.read(lines.of.id)) if lines.of.id is not None else _text(exp.null())
    listed = [as_(standing, "standing"), as_(own, "event_id"), as_(_text(lines.user), "of_user")]
    listed.append(as_(naive(lines.happened(), happened.type, zone), "happened_at"))
    key = lines.keys[0][1]
    found = lines.select(*listed, extra=is_member(key, build.source, subject, member))
    found = found if lines.of.id is None else found.distinct()
    e = "e"
    by = [column(e, "happened_at"), sortable(column(e, "event_id"), "text"), sortable(column(e, "of_user"), "text")]
    partition = [column(e, "standing")]
    ranks = [
        as_(ranked([each.copy() for each in partition], [ordered(each.copy()) for each in by]), "place"),
        as_(ranked([each.copy() for each in partition], [ordered(each.copy(), largest=True) for each in by]), "behind"),
        as_(exp.Window(this=exp.Count(this=exp.Star()), partition_by=partition), "total"),
    ]
    shown = [column(e, name) for name in ("standing", "event_id", "of_user", "happened_at")]
    placed = exp.select(*shown, *ranks).from_(found.subquery(e)).where(given(column(e, "standing")))
    edge = exp.Literal.number(most)
    near = exp.or_(
        exp.LTE(this=column("p", "place"), expression=edge), exp.LTE(this=column("p", "behind"), expression=edge.copy())
    )
    columns = [column("p", name) for name in ("standing", "total", "event_id", "happened_at", "place")]
    made = exp.select(as_(exp.Literal.number(at), "part"), *columns, as_(column("p", "of_user"), "user_id"))
    return made.from_(placed.subquery("p")).where(near)


def _people(build: Build, group: Group, subject: Subject, member: str | int, at: int, most: int) -> exp.Select:
    inner: Subject = "user" if subject == "account" else "account"
    lines = Scope.of_members(build, inner)
    holds = condition(asked, lines) if (asked := asked_of_each(group)) is not None else exp.true()
    counts = condition(narrowed, lines) if (narrowed := _among(group)) is not None else exp.true()
    members = subject_members(build.source, inner)
    listed = [as_(column(MEMBERS, ID[inner]), "id"), as_(holds, "holds")]
    own = is_member(column(MEMBERS, ID[subject]), build.source, subject, member)
    found = lines.joined(exp.select(*listed).distinct().from_(exp.to_table(MEMBERS))).where(all_of([own, counts]))
    order = [ordered(sortable(column("m", "id"), members.id.type))]
    holds_too = [column("m", "holds")]
    ranks = [
        as_(ranked([each.copy() for each in holds_too], order), "place"),
        as_(exp.Window(this=exp.Count(this=exp.Star()), partition_by=holds_too), "total"),
    ]
    placed = exp.select(column("m", "id"), column("m", "holds"), *ranks).from_(found.subquery("m"))
    columns = [column("p", name) for name in ("holds", "total", "place")]
    made = exp.select(as_(exp.Literal.number(at), "part"), *columns, as_(_text(column("p", "id")), "id"))
    first = exp.LTE(this=column("p", "place"), expression=exp.Literal.number(most))
    return made.from_(placed.subquery("p")).where(first)


def asked_of_each(group: Group) -> Condition | None:
    """What is asked of each user or account; None if nothing is."""
    if isinstance(group, OfUsers | OfAccounts):
        return group.part
    if isinstance(group.of, Condition):
        return group.of
    return group.stream.condition if isinstance(group.stream, Users) else None


def _among(group: Group) -> Condition | None:
    """Of whom it is asked at all."""
    shared = isinstance(group, Reduced) and isinstance(group.of, Condition) and isinstance(group.stream, Users)
    return group.stream.condition if shared else None  # type: ignore[union-attr]


def _united(parts: Sequence[exp.Select]) -> exp.Select:
    if len(parts) == 1:
        return parts[0]
    made: exp.Query = parts[0]
    for part in parts[1:]:
        made = exp.union(made, part, distinct=False)
    columns = [column("w", each.alias_or_name) for each in parts[0].selects]
    return exp.select(*columns).from_(made.subquery("w"))


def _query(build: Build, made: exp.Select) -> Query:
    tree = build.finish(made)
    return Query(tree)


def _if(holds: exp.Expr, standing: str) -> exp.If:
    return exp.If(this=holds, true=exp.Literal.string(standing))


def _text(value: exp.Expr) -> exp.Expr:
    return exp.cast(value, exp.DataType.Type.TEXT, copy=False)
