"""Values: every kind that has an exact form as JSON, written and read by the same hands."""
