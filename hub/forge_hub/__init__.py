"""The hub: alerts for staff, records for clinicians, a knowledge graph, a web interface."""
