"""TOP: what the tests of your own audiences need: a workspace of a few literal lines, in memory, that asserts.

::

    import personas_kit as pk
    from personas_kit.testing import happened


    def test_buyers_leave_after_thirty_days():
        ws = pk.testing.workspace(
            as_of="2026-03-31",
            users={"u1": {"plan": "pro"}, "u2": {"plan": "free"}},
            events=[happened("u1", "Order Completed", "2026-03-30", revenue=20)],
            destinations={"analytics": "segment"},
        )
        ws.assert_members(buyers, {"u1"})
        ws.push(buyers, to="analytics")
        ws.later(days=31)
        ws.assert_changes(buyers, to="analytics", leave={"u1"})
"""

import personas_kit.notebook  # noqa: F401  (registers how results look)
from personas_kit.testing.literal import Happened, happened
from personas_kit.testing.small import SmallWorkspace, workspace

__all__ = ["Happened", "SmallWorkspace", "happened", "workspace"]
