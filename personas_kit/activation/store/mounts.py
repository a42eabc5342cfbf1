"""Whether a folder lies on another machine, where what SQLite's write-ahead log needs does not work.

"All processes using a database must be on the same host computer; WAL does not work over a network filesystem."
(https://www.sqlite.org/wal.html, read 2026-11-26)
"""

from __future__ import annotations

import fnmatch
import re
from pathlib import Path

MOUNTINFO = Path("/proc/self/mountinfo")
"""Where Linux lists what is mounted; other systems have no such file, and their folders are taken for local."""

#: The types of file systems that are elsewhere, or that share no memory between processes.
NETWORK = (
    "nfs*", "cifs", "smb*", "9p", "afs", "ceph", "lustre", "gpfs", "beegfs", "glusterfs", "vboxsf", "prl_fs",
    "fuse.sshfs", "fuse.glusterfs", "fuse.ceph*", "fuse.rclone", "fuse.s3fs", "fuse.gcsfuse", "fuse.blobfuse*",
    "fuse.juicefs", "fuse.goofys", "fuse.davfs*",
)  # fmt: skip


def network_type(folder: Path) -> str | None:
    """The type of the network file system that a folder is on, such as ``nfs4``; None where it is on none."""
    try:
        listed = MOUNTINFO.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    place, kind = Path(folder).resolve(), ""
    deepest = -1
    for line in listed:
        mounted, _, about = line.partition(" - ")
        point = Path(_unescaped(mounted.split()[4]))
        if place.is_relative_to(point) and len(point.parts) >= deepest:  # of two at one point the later one is on top
            deepest, kind = len(point.parts), about.split()[0]
    return kind if any(fnmatch.fnmatch(kind, pattern) for pattern in NETWORK) else None


def _unescaped(point: str) -> str:
    r"""Blanks and the like stand as octal numbers: ``\040``."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), point)
