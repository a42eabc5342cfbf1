"""``python -m personas_kit.cli``: the same as ``personas``."""

from personas_kit.cli import main

if __name__ == "__main__":
    main()
