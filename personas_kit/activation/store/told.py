"""What a team was told last of each sync, by channel: a line of ``meta`` each, so that the format stays as it is."""

from __future__ import annotations

from collections.abc import Mapping

from personas_kit.activation.store.tables import Tables


def told(tables: Tables, channel: str) -> dict[str, str]:
    """What the channel was told last, by the id of the sync."""
    before = _name(channel, "")
    lines = tables.rows("select name, value from meta where name like ?", (f"{before}%",))
    return {str(line["name"]).removeprefix(before): str(line["value"]) for line in lines}


def note_told(tables: Tables, channel: str, states: Mapping[str, str]) -> None:
    """Within a transaction: that the channel was told these."""
    for sync_id, state in states.items():
        tables.run("delete from meta where name = ?", (_name(channel, sync_id),))
        tables.run("insert into meta values (?, ?)", (_name(channel, sync_id), state))


def _name(channel: str, sync_id: str) -> str:
    return f"told {channel} {sync_id}"
