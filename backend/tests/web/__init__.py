"""The studio over HTTP, on a real SQLite file."""
