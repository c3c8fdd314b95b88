"""How long a clinician waits for the list of their people and for a person's story, beside a first program's query.

The records are made up, in SQLite: sessions of fifty utterances, each with a place on the circumplex, half of them with
an emotion, a third with a distortion. The application answers as it does in the hub, without a network. Naive: one
query for each utterance, put together in the program.
"""

import argparse
import asyncio
import gc
import json
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import insert, select
from sqlalchemy.orm import Session as Transaction
from tests.fakes.pages import HubPages, client, open_pages

from forge_hub.records.schema import EventLog, Inference, Inferred, Person, Session, Utterance
from forge_language.taxonomy import LABELS

BEGAN = datetime(2025, 1, 1, 9, tzinfo=UTC)
SESSION_UTTERANCES = 50
SHARES = {"emotion": 0.5, "distortion": 0.33, "stage": 0.1, "note": 0.02}
TABLES = (Session, Utterance, EventLog, Inferred, Inference)

Row = Mapping[str, Any]


def rows_of(person: str, utterances: int, chance: random.Random) -> Iterator[tuple[type, Row]]:
    """Yield the rows of one person, each with its table."""
    for number in range(utterances):
        session, place = divmod(number, SESSION_UTTERANCES)
        of = f"{person}-s{session}"
        at = BEGAN + timedelta(days=3 * session, seconds=20 * place)
        said = f"{person}-u{number}"
        if not place:
            ended = at + timedelta(hours=1)
            told = {"id": of, "node": "room-1", "consent": "c", "started_at": at, "ended_at": ended}
            yield Session, {**told, "subject": person}
        same = {"session": of, "subject": person, "at": at}
        text = "I was in the garden and then the nurse came and we talked"
        spoken = {"text": text, "redactions": {}, "confidence": 0.9, "ordinal": number, "speaker": "patient"}
        yield Utterance, {"id": said, **same, **spoken}
        logged = {"node": "room-1", "epoch": person, "lane": "record", "sequence": number, "type": "utterance"}
        times = {"subject": person, "time": at, "received_at": at, "envelope": {"text": text}}
        yield EventLog, {"event_id": said, **logged, **times}
        yield Inferred, {"utterance": said, **same, "taggers": "1"}
        found = {"affect": chance.choice(LABELS["affect"])}
        found |= {name: chance.choice(LABELS[name]) for name, share in SHARES.items() if chance.random() < share}
        for framework, label in found.items():
            felt = {axis: chance.uniform(-1, 1) if framework == "affect" else None for axis in ("valence", "arousal")}
            quoted = {"start": 0, "end": 9, "confidence": chance.uniform(0.3, 0.9), "method": "words", "version": "1"}
            named = {"id": f"{said}-{framework}", "utterance": said, "framework": framework, "label": label}
            yield Inference, {**named, **same, **quoted, **felt}


def fill(pages: HubPages, people: int, utterances: int) -> None:
    """File everybody's rows."""
    chance = random.Random(3)
    for number in range(people):
        person = f"p{number}"
        rows: dict[type, list[Row]] = {table: [] for table in TABLES}
        for table, row in rows_of(person, utterances, chance):
            rows[table].append(row)
        with pages.database.begin() as transaction:
            transaction.execute(insert(Person), [{"pseudonym": person, "node": "room-1", "first_seen": BEGAN}])
            for table, filed in rows.items():
                transaction.execute(insert(table), filed)


def one_by_one(transaction: Transaction, person: str) -> None:
    """Ask what a first program would: a person's utterances, then the inferences about each."""
    for said in transaction.scalars(select(Utterance.id).where(Utterance.subject == person)):
        transaction.execute(select(Inference).where(Inference.utterance == said)).all()


async def waited(work: Callable[[], Awaitable[object]]) -> float:
    """Return the milliseconds until something is done."""
    begun = time.perf_counter()
    await work()
    return 1000 * (time.perf_counter() - begun)


async def measured(pages: HubPages, cared: int, people: int, repeats: int) -> Iterator[tuple[str, list[float]]]:
    """Return for each page its name and milliseconds."""
    chance = random.Random(7)
    found: dict[str, list[float]] = {}

    async def get(http: httpx.AsyncClient, address: str) -> None:
        answer = await http.get(address)
        assert answer.status_code == 200, answer.status_code

    async with client(pages, "clinician") as http:
        for name, way in (
            ("caseload", "/people"),
            ("story", "/people/{}"),
            ("circumplex", "/people/{}/circumplex.json"),
            ("utterances", "/people/{}/utterances?framework=distortion"),
        ):
            await get(http, way.format("p0"))  # the first one plans
            addresses = [way.format(f"p{chance.randrange(cared)}") for _ in range(repeats)]
            found[name] = [await waited(partial(get, http, address)) for address in addresses]
    naive = []
    for _ in range(3):
        begun = time.perf_counter()
        with pages.database.read() as transaction:
            one_by_one(transaction, f"p{chance.randrange(people)}")
        naive.append(1000 * (time.perf_counter() - begun))
    found["naive: the story's inferences, one utterance after the other"] = naive
    return iter(found.items())


def main() -> None:
    """Print the figures, one JSON line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--utterances", type=int, default=1000, help="of each person")
    parser.add_argument("--assigned", type=int, default=20, help="people of the clinician")
    parser.add_argument("--repeats", type=int, default=30)
    options = parser.parse_args()
    gc.collect()
    gc.freeze()  # as `forge-hub serve` does
    with tempfile.TemporaryDirectory() as folder, open_pages(Path(folder)) as pages:
        pages.account("clinician")
        begun = time.perf_counter()
        fill(pages, options.people, options.utterances)
        seconds = round(time.perf_counter() - begun, 1)
        for number in range(options.assigned):
            pages.assign("clinician", f"p{number}")
        base = {"people": options.people, "utterances": options.people * options.utterances}
        print(json.dumps({**base, "assigned": options.assigned, "filed_s": seconds}), flush=True)
        for name, values in asyncio.run(measured(pages, options.assigned, options.people, options.repeats)):
            figures = {
                "p50_ms": round(statistics.median(values), 1),
                "p95_ms": round(sorted(values)[min(len(values) - 1, int(0.95 * len(values)))], 1),
            }
            print(json.dumps({**base, "page": name, **figures}), flush=True)


if __name__ == "__main__":
    main()
