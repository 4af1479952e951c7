"""What is happening now: workers, requests, leases and nudges."""
