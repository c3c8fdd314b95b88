"""Whether a transcript is in English, told by the small words that no English talk does without. Pure."""

import re
from collections.abc import Iterable
from typing import Final

from forge_language.spotting.vocabulary import word_set

_SMALL_WORDS: Final = word_set("""
the and to of a i you it that is was in my me for on with have had not but this what so we they do be are she he at
as all there if about your don't it's i'm just like when can were how know because been would from or an them feel
think get going no yes well her his did really yeah okay
""")
LEAST_SHARE: Final = 0.25
"""Share of small words below which a text is not English. Ours: of the conversations that were written for the tests
every hundred words have 40 to 60; German, French, Spanish, Dutch and Italian ones at most 15 (they share some)."""
LEAST_WORDS: Final = 20
"""Words below which only the script is judged: "no" is an answer in many languages. Ours."""
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_LATIN_ENDS = 0x250
"""Code point after the Latin letters of Europe (Unicode blocks Basic Latin to Latin Extended-B)."""


def is_english(texts: Iterable[str]) -> bool:
    """Tell whether texts, all together, are English. Placeholders such as ``[NAME]`` count as words."""
    total = small = foreign = 0
    for text in texts:
        for found in _WORD.finditer(text):
            word = found.group()
            total += 1
            foreign += ord(word[0]) >= _LATIN_ENDS
            small += word.casefold().replace("\u2019", "'") in _SMALL_WORDS
    if total == 0:
        return True
    if total < LEAST_WORDS:
        return foreign * 2 <= total
    return small >= LEAST_SHARE * total
