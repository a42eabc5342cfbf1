"""Azure Functions: one with an HTTP trigger is called with an array of messages.

What is odd: the address that the portal copies ends with ``?code=`` and the key; write it without, and put the key into
``key``, which goes into a header. The key of the function is enough; the master key may do everything. The function is
yours, so any 2xx counts as *applied*: 204 is what one answers that says nothing.

Source: https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger,
.../function-keys-how-to (read 2026-11-26).
"""

from personas_kit.destinations.auth import Header
from personas_kit.destinations.base import Setting
from personas_kit.destinations.webhook import passthrough

destination = passthrough(
    "azure-function",
    "Azure Function",
    Setting("key", "of the function", secret=True),
    auth=(Header("x-functions-key", "{key}"),),
)
