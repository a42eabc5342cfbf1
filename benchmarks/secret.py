"""A secret for destinations that are measured: they want a reference to one."""


class MadeUp:
    """A secret that is none."""

    def reveal(self) -> str:
        """What it says."""
        return "made-up"
