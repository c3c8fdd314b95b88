"""Tags of what whoever cares for somebody must find again."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

NoteId = Literal["allergy", "medication", "care_request", "dietary_need", "key_event"]
"""Ours."""

NOTES: Final[Mapping[NoteId, str]] = MappingProxyType(
    {
        "allergy": "Says that they are allergic to something or do not tolerate it.",
        "medication": "Says what medicine they take, took, missed or refuse.",
        "care_request": "Asks for something to be done for them.",
        "dietary_need": "Says what they do not eat, for health, belief or choice.",
        "key_event": "Tells of a turn in their life: a death, a birth, a separation, work, a home, an illness.",
    }
)
"""What each tag means. It quotes what was said: it is no finding, and no chart is changed by it."""
