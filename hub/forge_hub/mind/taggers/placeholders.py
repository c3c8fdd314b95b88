"""What the redactor left in a text."""

import re
from typing import get_args

from forge_language.redaction import Kind

_PLACEHOLDER = re.compile(rf"\[(?:{'|'.join(get_args(Kind))})\]|‹[^‹›]{{1,80}}›")
"""A kind, or an invented word (`forge_language.surrogates`)."""


def without_placeholders(text: str) -> str:
    """Return a text of the same length in which placeholders are blanked out.

    Nobody said those, and a lexicon finds "number" pleasant; places stay what they are in the text.
    """
    return _PLACEHOLDER.sub(lambda placeholder: "_" * len(placeholder[0]), text)
