"""Asks the warehouse why members change: how things would stand otherwise, in one statement for all syncs of a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from personas_kit.activation.causes import Case, Causes, Question, question_of
from personas_kit.activation.forgetting import Forgotten
from personas_kit.activation.judging import Answer, Judge, answer_of
from personas_kit.activation.telling import reduced
from personas_kit.compiler.counterfactual import alike, compile_worlds
from personas_kit.errors import PersonasError
from personas_kit.planner import Found
from personas_kit.reading import Reader


@dataclass(frozen=True, slots=True)
class Otherwise:
    """Finds the causes of changes: called for a plan, it asks one statement at most, and none that could tell nothing.

    Attributes:
        reader: asks the warehouse.
    """

    reader: Reader

    def __call__(self, found: Found, cases: Sequence[Case], forgotten: Forgotten) -> list[Causes]:
        """The causes that the state does not tell.

        Of users who were forgotten they are known without asking. Where the warehouse may not be asked, or does not
        answer, the rest is left to what the state tells, and it is said why.

        Args:
            found: the members of the definition.
            cases: one for each sync that has changes to explain.
            forgotten: who must never be sent again.
        """
        unasked = [Causes(Judge(found.members, forgotten).causes(case, {}, None)) for case in cases]
        if all(known.of.height == case.open.height for known, case in zip(unasked, cases, strict=True)):
            return unasked
        source, expand = self.reader.source, found.members.pairs is not None
        question = question_of(cases, found.meaning, found.as_of, source)
        try:
            question = reduced(question, cases, alike(question.worlds, source, expand=expand))
            answer = self._answer(found, question) if question.asks else None
        except PersonasError as problem:
            return [Causes(known.of, problem.what) for known in unasked]
        judge = Judge(found.members, forgotten, answer, question.claims.values if question.claims else ())
        return [
            Causes(judge.causes(case, roles, usual), question.unasked)
            for case, roles, usual in zip(cases, question.roles, question.usual, strict=True)
        ]

    def _answer(self, found: Found, question: Question) -> Answer:
        definition, expand = question.worlds[0].definition, found.members.pairs is not None
        carry = sorted(found.carry)
        query = compile_worlds(question.worlds, self.reader.source, carry=carry, expand=expand, claims=question.claims)
        frame = self.reader.ask(query, found.as_of, definition.key)
        return answer_of(frame, definition.subject, carry, expand=expand)
