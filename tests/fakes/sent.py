"""What rooms send, as the broker would deliver it."""

from collections.abc import Sequence
from typing import Any

from tests.fakes.clock import FakeClock

from forge_hub.ingest.reading import Arrived
from forge_shared.events import (
    DangerKind,
    DangerSeen,
    DangerStage,
    Envelope,
    EventData,
    FormAnswer,
    FormRecorded,
    RequestMade,
    RiskAnswered,
    SessionStarted,
    UtteranceSaid,
    source_of,
)
from forge_shared.ids import new_id
from forge_shared.topics import EventAddress, Lane

PHQ_9 = "https://personaforge.org/fhir/Questionnaire/phq-9|1.0.0"
PHQ_9_SCORED = (*("44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8"),)
PHQ_9_CODES = ("LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9")

WATER = RequestMade(request="water", mode="voice")


class FakeNode:
    """One room's node: numbers its events as an outbox does."""

    def __init__(self, clock: FakeClock, name: str = "room-1", site: str = "site", subject: str = "p-1") -> None:
        self.clock = clock
        self.name = name
        self.site = site
        self.subject = subject
        self.epoch = new_id()
        self._last: dict[Lane, int] = {"alarm": 0, "record": 0}

    def event(self, data: EventData, /, **changes: Any) -> Envelope:
        """Return the next event of its lane; ``changes`` alter the envelope."""
        self._last[data.lane] += 1
        values = {
            "id": new_id(),
            "source": source_of(self.site, self.name),
            "type": data.type_name(),
            "time": self.clock.now(),
            "subject": self.subject,
            "epoch": self.epoch,
            "lane": data.lane,
            "sequence": self._last[data.lane],
            "data": data.model_dump(mode="json"),
        }
        return Envelope.model_validate({**values, **changes})

    def send(self, data: EventData, /, **changes: Any) -> Arrived:
        """Return the next event of its lane as it arrives."""
        return arrived(self.event(data, **changes))

    def garbage(self, payload: bytes, lane: Lane = "record") -> Arrived:
        """Return something unreadable at the next place of a lane."""
        self._last[lane] += 1
        address = EventAddress(site=self.site, node=self.name, epoch=self.epoch, lane=lane, sequence=self._last[lane])
        return Arrived(address.topic(), payload)

    def flash(self) -> None:
        """Begin a new epoch, as a node does whose disk was written anew."""
        self.epoch = new_id()
        self._last = {"alarm": 0, "record": 0}


def arrived(envelope: Envelope) -> Arrived:
    """Return an event as it arrives."""
    return Arrived(envelope.address.topic(), envelope.to_json())


def risk(answer: str | None = "LA6569-3") -> RiskAnswered:
    """Return an answer to the risk item, or its absence."""
    return RiskAnswered(
        questionnaire=PHQ_9, link_id="44260-8", answer=answer, ordinal=None if answer is None else 1, mode="voice"
    )


def phq_9(clock: FakeClock, ordinals: Sequence[int], **changes: Any) -> FormRecorded:
    """Return a completed PHQ-9 with these scores, as the room tells it."""
    values = {
        "response": new_id(),
        "questionnaire": PHQ_9,
        "status": "completed",
        "answers": tuple(
            FormAnswer(link_id=link, code=PHQ_9_CODES[ordinal], mode="voice", times_asked=1)
            for link, ordinal in zip(PHQ_9_SCORED, ordinals, strict=False)
        ),
        "total": sum(ordinals),
        "re_prompts": 0,
        "started_at": clock.now(),
    }
    return FormRecorded.model_validate({**values, **changes})


def session(session_id: str) -> SessionStarted:
    """Return the beginning of a recorded session."""
    return SessionStarted(session=session_id, consent=new_id())


def utterance(session_id: str, text: str = "i slept badly") -> UtteranceSaid:
    """Return an utterance of a session."""
    return UtteranceSaid(session=session_id, speaker="unknown", text=text, redactions={}, confidence=0.7)


def danger(incident: str, stage: DangerStage = "suspected", kind: DangerKind = "fall", **changes: Any) -> DangerSeen:
    """Return a stage of something that the camera followed."""
    values = {
        "incident": incident,
        "kind": kind,
        "stage": stage,
        "zone": "floor",
        "lasted_seconds": 2.0,
        "confidence": 0.8,
        "confirmed_by": "time" if stage == "confirmed" else None,
        "masks": "none",
    }
    return DangerSeen.model_validate({**values, **changes})
