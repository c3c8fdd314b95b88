"""Telling people who have no page open: each channel is a port of its own, each attempt is written down."""
