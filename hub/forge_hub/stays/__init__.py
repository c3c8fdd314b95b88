"""Stays: who has which bed under which pseudonym, what they consent to, and, sealed and apart, who they are."""
