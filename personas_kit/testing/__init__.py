"""TOP: what your own tests need: a workspace of a few literal lines, and the contract of a destination of your own.

A workspace lies in memory, and asserts::

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

``DestinationContract`` is every check that the kit's own destinations are held to (``personas_kit.testing.contract``).
"""

import personas_kit.notebook  # noqa: F401  (registers how results look)
from personas_kit.testing.contract import DestinationContract
from personas_kit.testing.literal import Happened, happened
from personas_kit.testing.small import SmallWorkspace, workspace

__all__ = ["DestinationContract", "Happened", "SmallWorkspace", "happened", "workspace"]
