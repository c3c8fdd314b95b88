"""Model releases in the room: trusted, fetched, proved, tried, and taken back when they do not do well."""
