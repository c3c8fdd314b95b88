"""The room's screen: a page on loopback for the node's own kiosk browser, and for nobody else."""
