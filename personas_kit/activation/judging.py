"""What the answer of the warehouse says about the changes of a plan. Pure: frames in, a cause per member out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from personas_kit.activation.causes import EDITED, MERGED, MOVED, TIME, UPSTREAM, WITHDRAWN, Case, Role
from personas_kit.activation.forgetting import Forgotten, without_forgotten
from personas_kit.activation.merging import merged_members
from personas_kit.activation.wanted import Members, wanted_by
from personas_kit.compiler.claims import CLAIM
from personas_kit.compiler.several import ACCOUNT_OF, USER_OF


@dataclass(frozen=True, slots=True)
class Answer:
    """Of whom some world says something else than the present one.

    Attributes:
        subjects: ``user_id`` or ``account_id``, the columns of identifiers, and ``w0``, ``w1`` ... : what each world
            says (true or false, or a value).
        pairs: likewise of ``user_id`` and ``account_id``, for account definitions.
        claims: identifiers, with the columns of ``compiler.claims.CLAIM``.
    """

    subjects: pl.DataFrame
    pairs: pl.DataFrame | None
    claims: pl.DataFrame | None


def answer_of(frame: pl.DataFrame, subject: str, carry: Sequence[str], *, expand: bool) -> Answer:
    """The lines of ``compile_worlds``, by kind.

    Args:
        frame: what the warehouse answered.
        subject: ``user`` or ``account``.
        carry: the columns of users, in the order in which they were asked for.
        expand: the users of accounts were asked for.
    """
    says = {name: name for name in frame.columns if name[0] == "w" and name[1:].isdecimal()}
    key = f"{subject}_id"
    own = {f"user_{at}": name for at, name in enumerate(carry)} if subject == "user" else {}
    subjects = _lines(frame, {key: key, **own, **says})
    pairs = None
    if expand:
        members = {f"member_{at}": name for at, name in enumerate(carry) if name != "account_id"}
        answers = {f"p{name[1:]}": name for name in says}
        pairs = _lines(frame, {USER_OF: "user_id", ACCOUNT_OF: "account_id", **members, **answers})
    claims = _lines(frame, {name: name for name in CLAIM}) if CLAIM[0] in frame.columns else None
    return Answer(subjects, pairs, claims)


def _lines(frame: pl.DataFrame, named: Mapping[str, str]) -> pl.DataFrame:
    """The lines of the kind that has the first of the columns, under other names."""
    return frame.filter(pl.col(next(iter(named))).is_not_null()).select(*named).rename(dict(named))


@dataclass(frozen=True, slots=True)
class Judge:
    """Knows what there is, and what was answered.

    Attributes:
        found: the members of the definition, those that were forgotten included.
        forgotten: who must never be sent again.
        answer: None if nobody was asked.
        gone: ids that leave somewhere in the plan.
    """

    found: Members
    forgotten: Forgotten
    answer: Answer | None = None
    gone: Sequence[object] = ()

    def causes(self, case: Case, roles: Mapping[Role, int], usual: str | None) -> pl.DataFrame:
        """The cause of each change that the state does not tell.

        Args:
            case: the sync.
            roles: which world is what.
            usual: what it is if nothing else is; None leaves these changes out.

        Returns:
            ``member`` (text) and ``cause``.
        """
        if self.answer is None and not self.forgotten.marks:  # then nobody needs to look at what is acknowledged
            lines = case.open.select(pl.col("member").cast(pl.String), cause=pl.lit(usual, pl.String))
            return lines.drop_nulls("cause")
        lines = self._with_forgotten(case, _changes(case))
        told: list[pl.Expr] = [pl.when(pl.col("forgotten") & _LOSS).then(pl.lit(WITHDRAWN))]
        if self.answer is not None:
            lines = self._with_worlds(case, lines, self.answer, roles)
            merged = merged_members(case, lines, self.answer.claims, self.gone, self._users)
            lines = lines.with_columns(merged=merged)
            told += _told(roles)
        return lines.select("member", cause=pl.coalesce(*told, pl.lit(usual, pl.String))).filter(
            pl.col("cause").is_not_null()
        )

    @property
    def _users(self) -> pl.Series:
        """Who is wanted."""
        frame = self.found.subjects if self.found.pairs is None else self.found.pairs
        return frame["user_id"] if "user_id" in frame.columns else pl.Series(dtype=pl.String)

    def _with_forgotten(self, case: Case, lines: pl.DataFrame) -> pl.DataFrame:
        """Whether a member, or on a list one whose it would be, was forgotten."""
        frame = self.found.subjects if self.found.pairs is None else self.found.pairs
        if not self.forgotten.marks or case.part.sync.call == "group":
            return lines.with_columns(forgotten=pl.lit(value=False))
        if not case.by_identifier:
            return lines.with_columns(forgotten=self.forgotten.among(lines["member"]))
        out = frame.filter(self.forgotten.among(frame["user_id"]))
        members = replace(self.found, pairs=out) if self.found.pairs is not None else replace(self.found, subjects=out)
        theirs = _statuses(case, members)["member"]
        return lines.with_columns(forgotten=pl.col("member").is_in(theirs.implode()))

    def _with_worlds(self, case: Case, lines: pl.DataFrame, answer: Answer, roles: Mapping[Role, int]) -> pl.DataFrame:
        """What each world gives for the members that change."""
        for role, position in roles.items():
            members, _ = without_forgotten(self._world(case, lines, answer, position), self.forgotten)
            lines = _beside(lines, role, _statuses(case, members))
        return lines

    def _world(self, case: Case, lines: pl.DataFrame, answer: Answer, position: int) -> Members:
        """The members of a world, as far as they have to do with a change."""
        call, found = case.part.sync.call, self.found
        key = "account_id" if call == "group" else "user_id"
        asked = answer.subjects if found.pairs is None or call == "group" else answer.pairs
        present = found.subjects if found.pairs is None or call == "group" else found.pairs
        assert asked is not None and present is not None  # noqa: S101, PT018  (pairs were asked for where there are any)
        near = lines["member"]
        if case.by_identifier:
            named = lines["users"].explode(keep_nulls=False).cast(pl.String)
            near = pl.concat([named.rename(key), asked[key].cast(pl.String)])
        ours = pl.col(key).cast(pl.String).is_in(near.unique().implode())
        made = _otherwise(present.filter(ours), asked.filter(ours), f"w{position}", valued=case.part.valued)
        if found.pairs is None or call == "group":
            return replace(found, subjects=made)
        return replace(found, subjects=found.subjects.clear(), pairs=made)


def _changes(case: Case) -> pl.DataFrame:
    """The changes: ``member`` (text), ``wanted`` and ``acknowledged`` (missing: out, or no value), and ``users``."""
    lines, known = case.open, case.part.state.acknowledged
    said = _said(case)
    change = pl.col("change").cast(pl.String)
    users = pl.col("users") if "users" in lines.columns else pl.lit(None, pl.List(pl.String))
    wanted = lines.select(pl.col("member").cast(pl.String), wanted=pl.when(change != "exit").then(said), users=users)
    before = known.select(pl.col("member").cast(pl.String), acknowledged=said if case.part.valued else pl.lit("true"))
    before = before.filter(pl.col("member").is_in(wanted["member"].implode()))  # few of many are quicker picked out
    return wanted.join(before, on="member", how="left", maintain_order="left")


def _said(case: Case) -> pl.Expr:
    """A value. What says nothing, such as 0 for a count, is as good as none."""
    nothing = ["null", *([case.empty] if case.empty is not None else [])]
    return pl.when(~pl.col("value").is_in(nothing)).then("value")


def _statuses(case: Case, members: Members) -> pl.DataFrame:
    """What members give at the call of a case: ``member`` (text) and ``status``."""
    wanted = wanted_by(case.part.sync.call, members, case.part.connection, case.ids, case.combine).members
    status = _said(case) if case.part.valued else pl.lit("true")
    return wanted.select(pl.col("member").cast(pl.String), status=status)


def _beside(lines: pl.DataFrame, name: str, statuses: pl.DataFrame) -> pl.DataFrame:
    return lines.join(statuses.rename({"status": name}), on="member", how="left", maintain_order="left")


def _otherwise(present: pl.DataFrame, asked: pl.DataFrame, world: str, *, valued: bool) -> pl.DataFrame:
    """The present lines, with those of which a world says something else as that says it."""
    keys = [name for name in ("user_id", "account_id") if name in asked.columns and name in present.columns]
    kept = present.join(asked.select(keys), on=keys, how="anti", maintain_order="left")
    there = asked.filter(pl.col(world).is_not_null() if valued else pl.col(world))
    added = there.with_columns(value=world) if valued else there
    added = added.select(present.columns)
    return pl.concat([kept, added], how="vertical_relaxed") if kept.height else added


# --- the rules -------------------------------------------------------------------------------------------------------

_LOSS = pl.col("wanted").is_null() & pl.col("acknowledged").is_not_null()
_GAIN = pl.col("wanted").is_not_null() & pl.col("acknowledged").is_null()


def _gives(world: str) -> pl.Expr:
    """There, the member would be what the destination acknowledged."""
    return pl.col(world).eq_missing(pl.col("acknowledged"))


def _told(roles: Mapping[Role, int]) -> list[pl.Expr]:
    """Which cause which worlds tell, in the order of precedence. A world that was not asked tells nothing."""

    def gives(role: Role) -> pl.Expr:
        return _gives(role) if role in roles else pl.lit(value=False)

    by_edit = gives("edited") | gives("upstream") | gives("as it was")
    kept_out = _LOSS & (gives("unsuppressed") | (pl.col("kept out").is_not_null() if "kept out" in roles else False))
    admitted = _GAIN & gives("then")
    admitted &= pl.col("then unsuppressed").is_not_null() if "then unsuppressed" in roles else pl.lit(value=False)
    same_now = pl.col("quiet").eq_missing(pl.col("wanted")) if "quiet" in roles else pl.lit(value=False)
    rules = [
        ((kept_out | admitted) & ~by_edit, WITHDRAWN),
        (pl.col("merged"), MERGED),
        (gives("edited"), EDITED),
        (gives("upstream"), UPSTREAM),
        (gives("as it was"), EDITED),
        (gives("moved") & ~gives("accounts then"), MOVED),
        (gives("then") & same_now, TIME),
    ]
    return [pl.when(holds).then(pl.lit(cause)) for holds, cause in rules]
