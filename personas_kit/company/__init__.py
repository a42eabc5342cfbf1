"""A generated warehouse of an invented B2B product, the ``personas.toml`` that goes with it, opened as a workspace."""

from personas_kit.company.opening import DemoWorkspace, open_demo

__all__ = ["DemoWorkspace", "open_demo"]
