"""The care of the database: its lock and its upkeep, the checks, the backups, and what goes in time."""
