"""What a person clicks and types in: widgets of one shape, on anywidget, with nothing from the network and no build.

Import a module of this package only where ``live.attended()`` or ``live.check_usable()`` said that anywidget is there.
"""
