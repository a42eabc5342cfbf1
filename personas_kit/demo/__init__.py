"""A generated warehouse of an invented B2B product, and the ``personas.toml`` that goes with it."""
