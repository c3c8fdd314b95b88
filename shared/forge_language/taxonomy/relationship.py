"""What somebody may bring to the relationship with their therapist."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

TransferenceId = Literal[
    "idealising",
    "mirroring",
    "erotic",
    "hostile",
    "dependent",
    "parental",
    "avoidant",
    "testing_limits",
]
"""Themes of transference. A clinician sets them; a tagger may only suggest. Source: Gabbard (2017)."""

TRANSFERENCE: Final[Mapping[TransferenceId, str]] = MappingProxyType(
    {
        "idealising": "The therapist is seen as without fault, the only one who can help.",
        "mirroring": "The therapist is to admire and confirm.",
        "erotic": "The therapist is desired.",
        "hostile": "The therapist is attacked or belittled.",
        "dependent": "Without the therapist nothing can be managed or decided.",
        "parental": "The therapist is met as a father or a mother.",
        "avoidant": "The therapist is kept at a distance.",
        "testing_limits": "The frame of the therapy is tried out.",
    }
)
"""What each theme means."""

CcrtId = Literal["wish", "response_of_other", "response_of_self"]

CCRT: Final[Mapping[CcrtId, str]] = MappingProxyType(
    {
        "wish": "What is wanted of the other.",
        "response_of_other": "What is expected of the other in return.",
        "response_of_self": "What one then feels or does.",
    }
)
"""Parts of the core conflictual relationship theme, which a clinician fills in. Source: Luborsky (1984)."""
