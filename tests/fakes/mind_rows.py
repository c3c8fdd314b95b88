"""Utterances and inferences as rows, written in one line each."""

from datetime import UTC, datetime, timedelta
from typing import Any

from forge_hub.records.schema import Inference, Session, Utterance

BEGUN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def said(key: str, *, session: str = "s1", minute: float = 0, **changes: Any) -> Utterance:
    """Return an utterance of a person, so many minutes after the beginning."""
    values = {
        "id": key,
        "session": session,
        "subject": "p-1",
        "text": f"words of {key}",
        "redactions": {},
        "confidence": 1.0,
        "at": BEGUN + timedelta(minutes=minute),
        "ordinal": None,
        "speaker": "patient",
    }
    return Utterance(**{**values, **changes})


def found(utterance: str, framework: str, label: str, confidence: float = 0.6, **changes: Any) -> Inference:
    """Return an inference about an utterance, quoted from its first five characters."""
    values = {
        "id": f"{utterance}-{framework}-{label}-{changes.get('start', 0)}-{changes.get('method', 'patterns')}",
        "utterance": utterance,
        "subject": "p-1",
        "session": "s1",
        "at": BEGUN,
        "framework": framework,
        "label": label,
        "start": 0,
        "end": 5,
        "confidence": confidence,
        "method": "patterns",
        "version": "1",
        "valence": None,
        "arousal": None,
        "verdict": None,
        "instead": None,
    }
    return Inference(**{**values, **changes})


def felt(utterance: str, valence: float, arousal: float, confidence: float = 0.6, **changes: Any) -> Inference:
    """Return a reading of affect."""
    return found(utterance, "affect", "neutral", confidence, valence=valence, arousal=arousal, **changes)


def session(key: str, day: int = 0) -> Session:
    """Return a session that began so many days after the beginning."""
    return Session(
        id=key, subject="p-1", node="room-1", consent="c-1", started_at=BEGUN + timedelta(days=day), ended_at=None
    )
