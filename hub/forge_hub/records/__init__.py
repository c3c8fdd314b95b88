"""The relational store: the event log, people, rooms, forms, sessions, alerts, accounts."""
