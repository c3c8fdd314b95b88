"""Rows as events of the hub's own source of transcripts, numbered so that the log takes each of them once. Pure."""

from collections.abc import Iterator

from forge_hub.ingest.reading import Arrived
from forge_hub.passes.rows import Chunk, QaRow
from forge_hub.passes.runs import Run, event_of, moment_of, sequence_of
from forge_shared import topics
from forge_shared.events import Envelope, EventData, SessionEnded, SessionStarted, UtteranceSaid, source_of

CERTAIN = 1.0
"""How sure it is that a row was said as it stands: a person wrote it down. Ours."""


def messages(site: str, run: Run, chunk: Chunk) -> list[Arrived]:
    """Return the events of a chunk: the session's start with the first, and its end where it ended before it grew."""
    return [_arrived(envelope) for envelope in _envelopes(site, run, chunk)]


def ending(site: str, run: Run, last: QaRow) -> Arrived:
    """Return the event that ends the session after its last row."""
    return _arrived(_ended(site, run, last))


def _envelopes(site: str, run: Run, chunk: Chunk) -> Iterator[Envelope]:
    if chunk.number == 1:
        started = SessionStarted(session=run.session, consent=run.consent)
        yield _envelope(site, run, 1, started, None)
    for row in chunk.rows:
        said = UtteranceSaid(
            session=run.session,
            speaker=row.speaker,
            text=row.text,
            question=row.question,
            redactions=row.redactions,
            confidence=CERTAIN,
        )
        yield _envelope(site, run, sequence_of(run, row.ordinal), said, row)
        if any(each.end == row.ordinal for each in run.before):
            yield _ended(site, run, row)


def _ended(site: str, run: Run, last: QaRow) -> Envelope:
    ended = SessionEnded(session=run.session, reason="asked")
    return _envelope(site, run, sequence_of(run, last.ordinal) + 1, ended, last)


def _envelope(site: str, run: Run, sequence: int, data: EventData, row: QaRow | None) -> Envelope:
    return Envelope(
        id=event_of(run.id, sequence),
        source=source_of(site, topics.TRANSCRIPTS),
        type=data.type_name(),
        time=run.started_at if row is None else moment_of(run, row.ordinal, row.seconds),
        subject=run.person,
        epoch=run.id,
        lane=data.lane,
        sequence=sequence,
        backfill=True,
        data=data.model_dump(mode="json"),
    )


def _arrived(envelope: Envelope) -> Arrived:
    return Arrived(envelope.address.topic(), envelope.to_json(), own=True)
