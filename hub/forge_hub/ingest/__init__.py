"""MQTT to event log: validate, deduplicate, commit, acknowledge."""
