"""A workspace to be scheduled, in a folder that every format has to quote, and programs that stand in for others."""

import shlex
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from personas_kit.activation.cadence import Cadence, Cron
from personas_kit.schedulers import Job, Need

HOUR = 3_600
NEEDS = (
    Need("vips", "analytics", Cadence(HOUR)),
    Need("vips", "ads", Cadence(HOUR), 6 * HOUR),
    Need("weekly", "ads", Cadence(cron=Cron("30 6 * * 1", "Europe/Berlin"))),
)
#: With a space, a percent sign, an apostrophe and a dollar sign.
FOLDER = "/srv/Ann's 100% $hop"


@pytest.fixture
def job():
    """Snowflake's warehouse with the state in it, and secrets in the environment: all there is to say of a job."""
    return Job(
        file=f"{FOLDER}/personas.toml",
        within="crm/personas.toml",
        command=("/opt/kit/bin/personas",),
        user="shop",
        zone="Europe/Berlin",
        needs=NEEDS,
        warehouse="snowflake",
        connection="prod",
        variables=("SEGMENT_WRITE_KEY", "META_TOKEN"),
        extras=("snowflake",),
        version="0.1.0",
    )


@dataclass
class Bench:
    """A folder that a scheduler's command runs in for real: `personas` and `sleep` are stand-ins."""

    folder: Path

    def __post_init__(self):
        (self.folder / "bin").mkdir()
        self.program("sleep", 'echo "sleep $1" >> "$TOLD"')

    @property
    def told(self) -> list[str]:
        """What the stand-ins were called with, in order."""
        return (self.folder / "told").read_text().splitlines() if (self.folder / "told").exists() else []

    def program(self, name, line) -> Path:
        made = self.folder / "bin" / name
        made.write_text(f"#!/bin/sh\nTOLD={shlex.quote(str(self.folder))}/told\n{line}\n")
        made.chmod(0o755)
        return made

    def personas(self, *codes) -> Path:
        """One that ends with these codes, one after the other, and says its words and the secrets that it was given."""
        ends = " ".join(map(str, codes))
        return self.program(
            "personas",
            'for word in "$@"; do printf "[%s]" "$word" >> "$TOLD"; done\n'
            'echo " $SEGMENT_WRITE_KEY" >> "$TOLD"\necho "a report"\n'
            f'set -- {ends}\nshift $(($(grep -c "^\\[" "$TOLD") - 1))\nexit $1',
        )

    def run(self, command, **environment):
        """By a shell that knows next to nothing else."""
        path = f"{self.folder / 'bin'}:/usr/bin:/bin"
        return subprocess.run(
            command, env={"PATH": path, **environment}, capture_output=True, text=True, check=False, cwd=self.folder
        )


@pytest.fixture
def bench(tmp_path):
    folder = tmp_path / "Ann's 100% $hop"
    folder.mkdir()
    return Bench(folder)


@pytest.fixture
def here(job, bench):
    """The job in the bench's folder, run by its `personas`."""
    return replace(job, file=f"{bench.folder}/personas.toml", command=(str(bench.folder / "bin" / "personas"),))
