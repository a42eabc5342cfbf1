"""How large audiences are, as one statement with one line: nobody's id leaves the warehouse."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from personas_kit.compiler.compile import traits_of
from personas_kit.compiler.conditions import condition
from personas_kit.compiler.metrics import values_together
from personas_kit.compiler.nodes import as_, column
from personas_kit.compiler.population import Build
from personas_kit.compiler.query import Query
from personas_kit.compiler.scope import Scope
from personas_kit.compiler.source import Source
from personas_kit.definitions.definition import Definition, Subject
from personas_kit.definitions.expressions import Condition
from personas_kit.definitions.pointing import pointing
from personas_kit.definitions.resolve import Registry, resolve
from personas_kit.errors import DefinitionError


def compile_sizes(audiences: Sequence[Definition], source: Source, registry: Registry) -> Query:
    """How many users or accounts are in each audience; each table of the warehouse is read once for all of them.

    Args:
        audiences: at least one; of users, of accounts, or of both.
        source: where the data lies.
        registry: the other definitions, by key.

    Returns:
        One line: ``size_0`` and so on, in the order of the audiences, and ``users`` and ``accounts``, how many exist at
        ``as_of``, each where an audience is of them.

    Raises:
        DefinitionError, UnknownName: as for one of them, which is named; or one is a trait.
    """
    meant = []
    for audience in audiences:
        with pointing(audience, registry):
            said = resolve(audience, registry, traits_of(source))
            if not isinstance(said, Condition):
                raise DefinitionError("a trait has no size", where=repr(audience.name), hint="count an audience")
            meant.append(said)
    build = Build(source, together=values_together(meant))
    scopes: dict[Subject, Scope] = {}
    listed: dict[Subject, dict[str, exp.Expr]] = {}
    for position, (audience, said) in enumerate(zip(audiences, meant, strict=True)):
        which = audience.subject
        scope = scopes.setdefault(which, Scope.of(build, which))
        with pointing(audience, registry):
            listed.setdefault(which, {})[f"size_{position}"] = condition(said, scope)
    parts = [build.add("counted", _counted(scopes[which], answers)) for which, answers in listed.items()]
    columns = [(part, f"{which}s") for part, which in zip(parts, listed, strict=True)]
    columns += [(part, name) for part, names in zip(parts, listed.values(), strict=True) for name in names]
    made = exp.select(*(as_(column(part, name), name) for part, name in columns)).from_(parts[0])
    for part in parts[1:]:
        made = made.join(part, join_type="cross")
    tree = build.finish(made)
    return Query(tree)


def _counted(scope: Scope, answers: dict[str, exp.Expr]) -> exp.Select:
    """One line: how many there are, and for how many each answer is true.

    The tables of users and accounts may hold one twice, so each is counted once, and in where one of its lines is.
    """
    flags = [as_(_one_if(answer), name) for name, answer in answers.items()]
    lines = scope.joined(exp.select(as_(scope.id.copy(), "member"), *flags).from_(exp.to_table(scope.base)))
    most = [as_(exp.Max(this=column("n", name)), name) for name in answers]
    members = exp.select(column("n", "member"), *most).from_(lines.subquery("n")).group_by(column("n", "member"))
    sums = [as_(exp.Coalesce(this=exp.Sum(this=column("m", n)), expressions=[_number(0)]), n) for n in answers]
    total = as_(exp.Count(this=exp.Star()), f"{scope.subject}s")
    return exp.select(total, *sums).from_(members.subquery("m"))


def _one_if(answer: exp.Expr) -> exp.Expr:
    return exp.Case(ifs=[exp.If(this=answer, true=_number(1))], default=_number(0))


def _number(value: int) -> exp.Expr:
    return exp.Literal.number(value)
