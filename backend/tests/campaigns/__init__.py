"""Campaigns: random violence against real processes, with a seed, judged by what the database and a side log say."""
