"""One file, one benchmark."""
