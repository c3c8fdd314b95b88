"""Finds identifying spans in written and in recognised speech; `forge_language.redaction` puts them together."""
