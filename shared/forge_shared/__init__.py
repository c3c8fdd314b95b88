"""What the room node and the hub must agree on: events, topics, forms, ids, clock, errors and logs."""
