"""Drawing zones and masks over a still of the room: the eyes' own page, on loopback, for who had the PIN."""
