"""How well the redactor does, for whoever shows what it has passed. Updated with docs/benchmarks.md, *Redaction*."""

from typing import Final

REDACTION_RECALL_WRITTEN: Final = 0.956
"""Share of identifying characters that were taken out of written sentences.

Source: benchmarks/redaction.py, presidio_synth, templates that the tagger had not seen, cased.
"""
REDACTION_RECALL_SPOKEN: Final = 0.938
"""The same in small letters without punctuation, as a recogniser writes."""

PSEUDONYMISED: Final = (
    "pseudonymised, not anonymous: of 100 characters that identify people "
    f"{100 * (1 - REDACTION_RECALL_WRITTEN):.0f} were left in written and "
    f"{100 * (1 - REDACTION_RECALL_SPOKEN):.0f} in recognised test sentences (docs/benchmarks.md, Redaction)"
)
"""What is to be said wherever a redacted text is shown."""
