"""The node's updater at work: it looks what the site wants, proves it, waits for a quiet moment, and tries it."""
