"""Benchmarks: what Treadle costs, beside its peers and the bare floor, measured in one go on one machine."""
