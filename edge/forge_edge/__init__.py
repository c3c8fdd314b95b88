"""The room node: hears, speaks, fills forms and sends anonymised events."""
