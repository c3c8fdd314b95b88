"""Pages for this machine alone: the room's screen, and the eyes' drawing page."""
