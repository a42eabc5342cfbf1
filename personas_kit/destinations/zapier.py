"""Zapier: a Zap that begins with *Webhooks by Zapier*, *Catch Hook*.

What is odd: the address is the secret (``https://hooks.zapier.com/hooks/catch/.../.../``), so ``url`` takes it whole,
and it is shown nowhere. Each message is a request of its own, because a Zap runs once for a request. The answer says
``success`` although the Zap is paused or gone, and comes before it runs; under load it runs minutes later. Leave
*Silent Mode* off: it empties the answer, and an answer without a word proves nothing. Zapier does not check
``X-Signature``; a *Catch Raw Hook* sees it. 10,000 requests in five minutes are allowed to a user, 30 in a second to an
address, and 1,000 in five minutes to an old address without the user's number in it.

Source: https://help.zapier.com/hc/en-us/articles/8496288690317-Trigger-Zaps-from-webhooks,
.../29972220283789-Webhooks-by-Zapier-rate-limits (read 2026-11-26) and, for the limit of a second,
https://docs.zapier.com/platform/build/operating-constraints (read 2026-11-27). Not confirmed: the field ``status`` of
the answer.
"""

from personas_kit.destinations.base import Rate
from personas_kit.destinations.outcomes import json_says
from personas_kit.destinations.webhook import passthrough

destination = passthrough(
    "zapier",
    "Zapier",
    one_by_one=True,
    read=json_says("status", "success"),
    rates=(Rate(30, 1), Rate(10_000, 300)),
)
