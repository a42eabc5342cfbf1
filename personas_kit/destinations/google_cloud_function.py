"""Google Cloud Functions, now Cloud Run functions: one with an HTTP trigger is called with an array of messages.

What is odd: a function lets nobody in without an identity token of Google's, which lives for an hour. The token is read
anew for each request, so keep it in a file that something refreshes (``gcloud auth print-identity-token``), and refer
to it as ``{ file = "..." }``. A function that allows unauthenticated calls is a ``webhook``, whose ``secret`` it can
check. The function is yours, so any 2xx counts as *applied*.

Source: https://docs.cloud.google.com/functions/docs/securing/authenticating, .../functions/quotas (read 2026-11-26).
"""

from personas_kit.destinations.auth import Bearer
from personas_kit.destinations.base import Setting
from personas_kit.destinations.webhook import passthrough

destination = passthrough(
    "google-cloud-function",
    "Google Cloud Function",
    Setting("identity_token", "in a file that is refreshed", secret=True),
    auth=(Bearer("identity_token"),),
)
