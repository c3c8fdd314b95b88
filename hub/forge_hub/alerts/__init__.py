"""Rules that turn events into alerts, and the board on which someone answers them."""
