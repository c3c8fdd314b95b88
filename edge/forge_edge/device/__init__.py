"""The machine that a node runs on: which it is, what follows from that, and how it is."""
