"""The rooms: who they are, how they are, and commands to them."""
