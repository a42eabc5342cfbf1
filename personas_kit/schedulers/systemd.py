"""A service and its timer, as a script that puts them in place.

``%`` begins a specifier and ``$`` a variable, which doubling takes away; a path with spaces stands in double quotes,
and that of the program holds no quote itself.
Of a service of the type ``oneshot`` no exit code can force a restart, so all others prevent it; before systemd 245 such
a service may not be restarted at all, and one that says so is refused. (https://github.com/NixOS/nixpkgs/pull/90604)
(https://manpages.debian.org/bookworm/systemd/systemd.service.5.en.html, systemd.time.7, read 2026-11-27; both units are
tried with ``systemd-analyze verify`` of systemd 252)
"""

from __future__ import annotations

from personas_kit.errors import ConfigError
from personas_kit.schedulers.crontab import environment_file, environment_notes
from personas_kit.schedulers.job import Job
from personas_kit.schedulers.ticks import Ticks, ticks_of
from personas_kit.schedulers.words import commented, reasons

PLACE = "/etc/systemd/system"


def units(job: Job) -> str:
    """The script.

    Raises:
        ConfigError: a path cannot stand in a unit.
    """
    ticks = ticks_of(job.needs)
    notes = [
        "To paste into a shell: it writes a service and its timer, and starts the timer. For systemd 245 or newer.",
        *reasons(job, ticks),
        "The log: journalctl -u personas. Failed runs: systemctl --failed.",
        *environment_notes(job),
    ]
    return (
        f"{commented(notes)}{_written('personas.service', _service(job))}{_written('personas.timer', _timer(ticks))}"
        "sudo systemctl daemon-reload\nsudo systemctl enable --now personas.timer\n"
    )


def calendar(ticks: Ticks) -> str:
    """The times as ``OnCalendar`` takes them."""
    minutes, hours, *_ = (field.replace("*/", "0/") for field in ticks.cron.split())
    return f"*-*-* {hours}:{minutes}:00 {ticks.zone}"


def _service(job: Job) -> str:
    program, *words = job.run
    if any("\\" in word for word in job.run):
        raise ConfigError("a path of the workspace or of personas holds a backslash", hint="rename that folder")
    if any(mark in program for mark in "'\""):
        raise ConfigError(
            "systemd starts no program with a quote in its path",
            where=program,
            hint="install personas-kit in another folder",
        )
    started = " ".join([_quoted(program), *(_quoted(word).replace("$", "$$") for word in words)])
    secrets = f"EnvironmentFile={environment_file(job).replace('%', '%%')}\n" if job.variables else ""
    return f"""\
[Unit]
Description=Push what is due: personas run
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=5min
StartLimitBurst=8

[Service]
Type=oneshot
User={job.user}
{secrets}ExecStart={started}
# 5 is interrupted, or something unknown: run again. 1 is an error, 2 wrong usage, 3 stopped by a guard, 4 some changes
# were refused: those want a person, and the service is shown as failed. 6 is well: another run has the syncs.
SuccessExitStatus=6
Restart=on-failure
RestartSec=60
RestartPreventExitStatus=1 2 3 4
"""


def _timer(ticks: Ticks) -> str:
    return f"""\
[Unit]
Description=Times at which personas run looks what is due

[Timer]
OnCalendar={calendar(ticks)}
AccuracySec=1s
Persistent=true

[Install]
WantedBy=timers.target
"""


def _quoted(word: str) -> str:
    doubled = word.replace("%", "%%").replace('"', '\\"')
    return f'"{doubled}"' if any(mark in word for mark in " '\";") else doubled


def _written(name: str, unit: str) -> str:
    return f"sudo tee {PLACE}/{name} > /dev/null <<'END'\n{unit}END\n"
