"""Asks a destination what became of work that it had accepted, before the next plan is made."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable

import polars as pl

from personas_kit.activation.state import Job
from personas_kit.activation.store import Store
from personas_kit.activation.sync import Sync
from personas_kit.activation.transport import NoAnswerError, NotConnectedError, Transport, result_of
from personas_kit.clock import Clock
from personas_kit.destinations.base import Connection
from personas_kit.errors import SyncBusy

JOB_PATIENCE = dt.timedelta(hours=48)
"""After so long without a word, what a destination had accepted counts as unknown: it is due again."""


def settle_jobs(
    store: Store, clock: Clock, connect: Callable[[Connection], Transport], sync: Sync, connection: Connection
) -> None:
    """Note what the destination says.

    What it cannot say yet stays as it is, and so does everything while another runner holds the sync.
    """
    if connection.destination.poll is None or not store.outline(sync).state.jobs:
        return
    with contextlib.suppress(SyncBusy), store.lock(sync):
        if store.begun(sync) is not None:  # that plan is settled first
            return
        with contextlib.closing(connect(connection)) as transport:
            for job in store.outline(sync).state.jobs:
                _settle(store, clock, job, sync, connection, transport)


def _settle(store: Store, clock: Clock, job: Job, sync: Sync, connection: Connection, transport: Transport) -> None:
    try:
        outcome = result_of(connection.polling(job.handle), transport)
    except (NotConnectedError, NoAnswerError):
        outcome = None
    if outcome is None or outcome.verdict == "accepted":
        if clock.now() - job.accepted_at > JOB_PATIENCE:
            store.conclude(job, sync, {}, unknown=True)
        elif outcome is not None:
            store.go_on(job, sync, outcome.handle)
    elif outcome.verdict == "acknowledged":
        store.conclude(job, sync, {})
    elif outcome.verdict == "rejected":
        theirs = store.outline(sync).state.unknown.filter(pl.col("job") == job.id)
        store.conclude(job, sync, dict.fromkeys(theirs["member"], outcome.reason))
    else:
        store.conclude(job, sync, {}, unknown=True)
