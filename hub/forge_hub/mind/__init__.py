"""What the hub infers from words: passes over one pseudonymised utterance, each with its evidence and confidence."""
