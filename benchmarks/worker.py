"""The process that a single run happens in: ``prepare NAME SCALE FOLDER`` or ``run NAME WAY FOLDER``."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from benchmarks.entry import load
from benchmarks.measure import run_here


def main(task: str, name: str, what: str, folder: str) -> None:
    """Do one task; a run prints its measures as JSON."""
    if task == "prepare":
        load(name).prepare(Path(folder), float(what))
    else:
        json.dump(asdict(run_here(name, what, Path(folder))), sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
