"""Labels words that identify, by a small trained head; `forge_language.redaction` uses it beside the patterns."""
