"""The builder: an audience that is composed by clicking, and always the text that it stands for.

PURE is what a draft means (``draft.py`` says the shape; ``opening``, ``reading``, ``values``, ``python`` and ``menus``
do the work): no query, no widget. Drafts come back from a browser, so nothing in one is trusted to have its shape.
"""
