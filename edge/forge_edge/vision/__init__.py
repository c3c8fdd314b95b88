"""Sees: cameras, masks, pose networks and what carries them. Everything here lives in the eyes' process."""
