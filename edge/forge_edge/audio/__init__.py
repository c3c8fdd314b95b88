"""Sound in and out of a room: sources, sinks and voice activity."""
