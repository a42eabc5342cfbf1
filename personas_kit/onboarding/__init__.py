"""The first day: looks at a warehouse's tables, says what they seem to be and why, and writes ``personas.toml``."""
