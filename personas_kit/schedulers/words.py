"""What stands as comments above every form: which sync needs it so often, and what has to be there."""

from __future__ import annotations

from collections.abc import Sequence

from personas_kit.schedulers.job import Job
from personas_kit.schedulers.ticks import Ticks, deciding, uneven

AGAIN = (
    "for wait in 0 60 60; do sleep $wait; code=0; {run} || code=$?; [ $code -eq 5 ] || break; done; "
    "[ $code -ne 6 ] || code=0"
)
"""A shell's loop: what ended with 5 (interrupted, or something unknown) is run again, twice at most. 6 is well, too:
another run has the syncs, and says how they end.
"""


def reasons(job: Job, ticks: Ticks, *, apart: int = 1, later: int = 0) -> list[str]:
    """How often it runs, and for whom."""
    width = max(len(str(need)) for need in job.needs)
    lines = ["personas run pushes what is due. Here it has to be run for:"]
    lines += [f"  {need!s:<{width}}  {need.words}" for need in job.needs]
    named = (
        ", ".join(dict.fromkeys(map(str, deciding(job.needs, ticks, apart=apart, later=later))))
        or "all of them together"
    )
    lines.append(f"So it runs {ticks.words}; what needs it so often: {named}.")
    lines += [
        f"These runs do not come exactly when {need} is due: it is pushed at the next run after it is due."
        for need in job.needs
        if uneven(need, ticks, later=later)
    ]
    lines.append("The first push of a sync waits for a person all the same: personas push KEY --to NAME")
    return lines


def keeps_nothing(job: Job, where: str) -> list[str]:
    """What has to change before this works where no disk is kept between runs."""
    lines = []
    if job.state:
        lines += [
            f"*** THIS WILL NOT WORK YET: {where} keeps nothing on its disk, and the state is a folder: {job.state}",
            "*** Without its state every run would send everybody again. Keep it in the warehouse:",
            "***   [state]",
            '***   store = "warehouse"',
        ]
    if not job.warehouse:
        lines.append(
            f"*** THIS WILL NOT WORK YET: [warehouse] is a file of this machine, and {where} does not have it."
        )
    lines += [
        f"*** THIS WILL NOT WORK YET: {where} does not have the secret in {place}: refer to it by {{ env = ... }}"
        for place in job.elsewhere
    ]
    return lines


def commented(lines: Sequence[str], mark: str = "#") -> str:
    """As comments, a line each: a name with a line break in it cannot get out of them."""
    plain = ("".join(one if one.isprintable() else " " for one in line) for line in lines)
    return "".join(f"{mark} {line}".rstrip() + "\n" for line in plain)
