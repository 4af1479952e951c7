"""One noun, one file; no route knows another."""
