"""The builder: an audience that is composed by clicking, and always the text that it stands for.

PURE is what a draft means (``draft.py`` says the shape; ``opening``, ``reading``, ``values``, ``python``, ``menus`` and
``edits`` do the work): no query, no widget. Drafts come back from a browser, so nothing in one is trusted to have its
shape. ``counting`` and ``offers`` ask the warehouse, beside the kernel's own thread.
"""
