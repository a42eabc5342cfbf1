"""Tray.io, now Tray.ai: a workflow that begins with a *Webhook Trigger*.

What is odd: the workflow's public URL is the secret, so ``url`` takes it whole, and it is shown nowhere. A trigger may
want a token besides (*Validate and respond*): it goes into ``X-Csrf-Token``. A trigger that responds at once (*Auto
respond*) answers 200 before the workflow ran; with *Await workflow and respond* the answer is the workflow's own. The
messages come as an array, 1 MB at most.

Source: https://docs.tray.ai/connectors/trigger/webhook-trigger, .../connectors/core/trigger-event-reply (read
2026-11-26). Not confirmed: the name of the header, and what a wrong token or a disabled workflow is answered.
"""

from personas_kit.destinations.auth import Header
from personas_kit.destinations.base import Setting
from personas_kit.destinations.webhook import passthrough

destination = passthrough(
    "tray.io",
    "Tray.io",
    Setting("csrf_token", "of the trigger", secret=True, optional=True),
    auth=(Header("x-csrf-token", "{csrf_token}"),),
)
