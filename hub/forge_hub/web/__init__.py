"""The pages: alert board, rooms, people."""
