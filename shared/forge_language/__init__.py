"""What the room node and the hub must judge alike about language."""
