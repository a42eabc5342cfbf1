"""The push bar: a plan's card, and below it what a person does with it: try it, approve it, watch it, stop it.

The browser only says what a person did. The name that was typed and the guards that were ticked are looked at again by
the kernel, which pushes the plan that is shown, and no other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, ClassVar

from personas_kit.activation.plan import Plan
from personas_kit.errors import PersonasError
from personas_kit.masking import mask_text, visible
from personas_kit.notebook.live import Handle
from personas_kit.notebook.plan_card import card_of, dry_run_lines, plan_card
from personas_kit.notebook.pushing import Pushing, pushing_of
from personas_kit.notebook.report_card import report_card, report_lines, what_is_left
from personas_kit.notebook.widgets.base import Widget, action

MINUTE = 60


class PushBar(Widget):
    """Shows a plan and pushes it.

    Args:
        plan: what is shown.
    """

    name: ClassVar[str] = "push_bar"

    def __init__(self, plan: Plan) -> None:
        self._showing = threading.RLock()
        self._handle: Handle | None = None
        self._pushed: list[str] = []
        self._saved = ""
        self._pushing = pushing_of(plan)
        super().__init__(card=card_of(plan, ""), before="", **self._data())
        self._pushing.listen(self._changed)

    @property
    def pushing(self) -> Pushing:
        """The course of the plan that is shown."""
        return self._pushing

    def display(self) -> None:
        """Show the card as an output of the running cell, and the bar below it as another.

        A saved notebook that is opened again has no widgets, but it has the card: that output is kept hold of, and
        holds the result once there is one.
        """
        from IPython.display import display  # noqa: PLC0415  (only called where it is loaded)

        show: Callable[..., Any] = display
        self._saved = self.card()
        self._handle = show(self._static(), raw=True, display_id=True)
        self.show(card="", before="", **self._data())
        show({"text/plain": "", **self.bundle()}, raw=True)

    def line(self) -> str:
        """The plan in a line, or what became of it."""
        return visible(repr(self._pushing.report or self._pushing.plan))

    def card(self) -> str:
        """What a saved notebook shows: what was pushed here before, the plan, and what became of it."""
        report = self._pushing.report
        return "".join([*self._pushed, plan_card(self._pushing.plan), report_card(report) if report else ""])

    # --- what a person does ------------------------------------------------------------------------------------------

    @action
    def dry_run(self) -> None:
        """Go through the plan without sending."""
        self._pushing.try_it()

    @action
    def ask(self) -> None:
        """The first press of the button: ask for the name."""
        self._pushing.ask()

    @action
    def cancel(self) -> None:
        """Rather not."""
        self._pushing.cancel()

    @action
    def push(self, typed: object = "", override: object = (), why: object = "") -> None:
        """The name is typed: push, if it is right."""
        ticked = [str(name) for name in override] if isinstance(override, list | tuple) else []
        self._pushing.push(str(typed), ticked, str(why))

    @action
    def stop(self) -> None:
        """Stop in good order."""
        self._pushing.stop()

    @action
    def plan_again(self) -> None:
        """Make a new plan, and show it in the place of this one. It waits for an approval of its own."""
        self._pushing.plan_again(self._follow)

    # --- inside ------------------------------------------------------------------------------------------------------

    def _follow(self, plan: Plan) -> None:
        """Show another plan; what was pushed before stays above it."""
        with self._showing:
            before = self._pushing
            if before.report is not None:
                self._pushed.append(report_card(before.report))
            before.deafen(self._changed)
            self._pushing = pushing_of(plan)
            inside = self._handle is None
            card, past = (card_of(plan, ""), "".join(self._pushed)) if inside else ("", "")
            self.show(card=card, before=past, **self._data())
            self._pushing.listen(self._changed)
            self._save()

    def _changed(self) -> None:
        """Something is different; called from any thread."""
        with self._showing:
            self.show(**self._data())
            if self._pushing.step == "done":
                self._save()

    def _save(self) -> None:
        """Put what is known now into the output, where it is something else."""
        card = self.card()
        if self._handle is not None and card != self._saved:
            self._saved = card
            self._handle.update(self._static(), raw=True)

    def _static(self) -> dict[str, str]:
        """The output that is saved."""
        return {"text/plain": self.line(), "text/html": self.card()}

    def _heard(self, _: object, content: object, buffers: object) -> None:
        with self._showing:
            super()._heard(_, content, buffers)

    def _data(self) -> dict[str, object]:
        """What the browser draws: counts, sentences and masked HTML."""
        at, plan = self._pushing, self._pushing.plan
        report, problem, standing = at.report, at.problem, at.standing
        inside = self._handle is None  # else they stand in the card above
        return {
            "step": at.step,
            "key": plan.key,
            "title": plan.name,
            "to": list(dict.fromkeys(sync.sync.destination for sync in plan.syncs)),
            "left": at.left,
            "guards": [{"name": each.name, "saw": list(each.saw), "final": each.final} for each in standing],
            "calls": [
                {"where": call.where, "done": call.done, "total": call.total, "rejected": call.rejected,
                 "unknown": call.unknown}
                for call in at.calls
            ],
            "stopping": at.stopping,
            "remaining": _remaining(at.seconds_left()),
            "dry": dry_run_lines(at.dry) if at.dry is not None else "",
            "result": report_lines(report) if report is not None and inside else "",
            "said": mask_text(repr(report)) if report is not None else "",
            "advice": what_is_left(report) if report is not None and inside else [],
            "goes_on": at.goes_on,
            "complete": report is not None and report.complete,
            "problem": _told(problem) if problem is not None else None,
        }  # fmt: skip


def _told(problem: PersonasError) -> dict[str, str]:
    return {name: mask_text(said) for name, said in problem.to_dict().items()}


def _remaining(seconds: float | None) -> str:
    """How long it still takes at the rate so far; empty while nobody can say."""
    if seconds is None:
        return ""
    return f"about {seconds / MINUTE:.0f} min left" if seconds >= MINUTE else f"about {max(seconds, 1):.0f} s left"
