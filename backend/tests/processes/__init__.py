"""A real `treadle serve` in processes of its own: what the steps, the network and `kill -9` may do to it."""
