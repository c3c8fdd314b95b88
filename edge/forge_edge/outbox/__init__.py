"""The durable store of events that wait for the hub, and their publisher."""
