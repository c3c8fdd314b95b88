"""Recorded sessions, what was said in them, and what clinicians put right."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from forge_shared.events.data import EventData
from forge_shared.events.vocabulary import MOST_ITEMS, Code, Identifier, Probability, SessionEnd, Speaker, SpokenText


class SessionStarted(EventData):
    """A recorded session began: consent was stated to the hub and the room shows and says that it is on."""

    noun_verb = "session.started"
    version = 1
    lane = "record"

    session: Identifier
    consent: Identifier


class SessionEnded(EventData):
    """A recorded session ended; nothing said after it leaves the room."""

    noun_verb = "session.ended"
    version = 1
    lane = "record"

    session: Identifier
    reason: SessionEnd


class UtteranceSaid(EventData):
    """One pseudonymised utterance of a consented session that is on, or of a transcript.

    ``question`` is what it answers, where a transcript says so. It and the speaker "clinician" came later, within
    version 1; no room sends them.
    """

    noun_verb = "utterance.said"
    version = 1
    lane = "record"

    session: Identifier
    speaker: Speaker
    text: SpokenText
    question: SpokenText | None = None
    redactions: Annotated[Mapping[Code, Annotated[int, Field(ge=1, le=2000)]], Field(max_length=MOST_ITEMS)]
    confidence: Probability


class UtteranceCorrected(EventData):
    """A clinician put an utterance right. The hub's own: what was said first stays in the log."""

    noun_verb = "utterance.corrected"
    version = 1
    lane = "record"

    utterance: Identifier
    session: Identifier
    speaker: Speaker
    text: SpokenText
    question: SpokenText | None = None
    by: Code


class InferenceReviewed(EventData):
    """A clinician's word on an inference about a person: right, wrong, or another label of the same framework.

    The hub's own. ``inference`` is its id; ``instead`` the other label. ``open`` takes an earlier word back.
    """

    noun_verb = "inference.reviewed"
    version = 1
    lane = "record"

    inference: Code
    verdict: Literal["right", "wrong", "other", "open"]
    instead: Code | None = None
    by: Code
