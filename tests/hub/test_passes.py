"""Passes A, B and C: nothing is lost or doubled, the three stores agree, and what was brought in can be taken out."""

import contextlib
import dataclasses
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select
from tests.fakes.mind_hub import CARLA, SITE, MindHub, files_of, mind_hub
from tests.fakes.transcripts import FORMATS, turns, words

from forge_hub.erasure import Eraser
from forge_hub.errors import ConsentMissingError, NotFoundError
from forge_hub.graph.errors import GraphRefusedError
from forge_hub.graph.exchange import read_graph_json
from forge_hub.graph.ports import GraphBatch, Node
from forge_hub.graph.projection import rebuild
from forge_hub.passes import keeping, pass_a, pass_b, pass_c
from forge_hub.passes import rows as chunking
from forge_hub.passes.basis import Statement
from forge_hub.passes.errors import PassError, RunStoppedError, RunUnknownError
from forge_hub.passes.router import Pace, route
from forge_hub.passes.runs import PassName, RunFolder, all_runs
from forge_hub.passes.tables import COLUMNS, TableFolder
from forge_hub.records.schema import Consent, EventLog, Inference, Person, Session, Stay, Utterance
from forge_hub.retention import forget
from forge_hub.stays.consents import INFERENCE, SESSION, Consents
from forge_shared.events import UtteranceCorrected

HELD = datetime(2026, 2, 1, 14, 30, tzinfo=UTC)
ASKED = b"Therapist: How was it?\nClient: I always mess things up. Everyone probably thinks I'm a failure.\n"
TURNS = 48


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few turns make as many chunks as a long session does."""
    monkeypatch.setattr(chunking, "CHUNK_SIZE", 10)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[MindHub]:
    with mind_hub(tmp_path) as hub:
        yield hub


@pytest.fixture(scope="module")
def whole() -> bytes:
    return FORMATS["csv"](turns(TURNS))


def rows(hub: MindHub, session: str | None = None) -> list[Utterance]:
    query = select(Utterance).order_by(Utterance.session, Utterance.ordinal)
    with hub.database.read() as transaction:
        return list(transaction.scalars(query if session is None else query.where(Utterance.session == session)))


def test_a_transcript_is_in_log_tables_csv_and_graph_and_they_agree(hub: MindHub, whole: bytes) -> None:
    run = hub.bring(whole, "csv", started_at=HELD)
    found = rows(hub)
    in_chunks = [row for chunk in run.read_chunks() for row in chunk.rows]
    assert [(row.speaker, row.question, row.text) for row in found] == [
        (row.speaker, row.question, row.text) for row in in_chunks
    ]
    said = " ".join(row.text for row in found)
    assert [said.count(f"wrote {words(number)} on") for number in range(TURNS)] == [1] * TURNS
    assert (found[0].at, found[1].at) == (HELD, HELD + timedelta(seconds=1))
    alignment = hub.align()
    assert (alignment.clean, alignment.utterances) == (True, len(in_chunks))
    with hub.database.read() as transaction:
        [session] = transaction.scalars(select(Session))
    assert (session.node, session.started_at, session.end_reason) == ("transcripts", HELD, "asked")


def test_doing_it_again_changes_no_byte_and_no_row(hub: MindHub, whole: bytes) -> None:
    run = hub.bring(whole, "csv")
    files, graph = files_of(hub.folder), hub.graph.snapshot()
    again = hub.begin(whole, "csv")
    assert again.path == run.path
    assert hub.route(again, whole, "csv")["events"] == 0
    assert (files_of(hub.folder), hub.graph.snapshot()) == (files, graph)


def test_the_same_words_in_another_format_are_the_same_run(hub: MindHub, whole: bytes) -> None:
    run = hub.bring(whole, "csv")
    assert hub.bring(FORMATS["json"](turns(TURNS)), "json").path == run.path


def as_said(hub: MindHub) -> list[tuple[str | None, str | None, str, datetime]]:
    return [(row.speaker, row.question, row.text, row.at) for row in rows(hub)]


def test_a_transcript_that_has_grown_continues_its_session_however_often_it_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In three steps, the second of which comes before the first is through."""
    monkeypatch.setattr(chunking, "CHUNK_SIZE", 3)
    said = turns(27)
    for name in ("through", "grown"):
        (tmp_path / name).mkdir()
    with mind_hub(tmp_path / "through") as through:
        through.bring(FORMATS["csv"](said), "csv", started_at=HELD)
        expected = as_said(through)
    chance = random.Random(11)
    with mind_hub(tmp_path / "grown") as hub:

        def stopped(_: PassName, __: int, ___: int) -> None:
            if chance.random() < 0.2:
                raise RunStoppedError("enough")

        paths = set()
        for length, is_new, whole in ((9, True, False), (21, False, True), (27, False, True)):
            part = FORMATS["json"](said[:length])
            run = hub.begin(part, "json", started_at=HELD if is_new else None, new_person=is_new)
            paths.add(run.path)
            with contextlib.suppress(RunStoppedError):
                hub.route(run, part, "json", passes=["a", "b"], step=stopped)
            while whole and "c" not in run.progress.done:
                with contextlib.suppress(RunStoppedError):
                    hub.route(hub.begin(part, "json"), part, "json", step=stopped)
        assert len(paths) == 1
        assert as_said(hub) == expected
        assert hub.align().clean
        ordinals = [row.ordinal for row in rows(hub)]
        assert len(set(ordinals)) == len(ordinals)
        with hub.database.read() as transaction:
            [session] = transaction.scalars(select(Session))
        assert session.ended_at == expected[-1][-1]
        files = files_of(hub.folder)
        for length in (9, 21, 27):
            again = FORMATS["csv"](said[:length])
            assert hub.route(hub.begin(again, "csv", new_person=False), again, "csv")["events"] == 0
        assert files_of(hub.folder) == files


def test_only_what_has_grown_at_its_end_continues_a_session(hub: MindHub) -> None:
    run = hub.bring(ASKED, started_at=HELD)
    more = ASKED + b"Therapist: Go on.\n"
    assert hub.begin(more, person="p-2").path != run.path, "another person's"
    assert hub.begin(more.replace(b"always", b"never"), new_person=False).path != run.path, "other words before"
    another = more + b"Client: Yes.\n"
    assert hub.begin(another, new_person=False, started_at=HELD - timedelta(days=1)).path != run.path, "of another day"
    nobody = Statement(None)
    with pytest.raises(ConsentMissingError):
        hub.begin(more, new_person=False, started_at=HELD, statement=nobody)
    assert run.run.turns == 2, "what is not consented to does not grow"
    assert hub.begin(more, new_person=False, started_at=HELD).path == run.path


def test_a_run_that_is_stopped_at_any_step_comes_to_the_same_bytes(tmp_path: Path, whole: bytes) -> None:
    for name in ("through", "stopped"):
        (tmp_path / name).mkdir()
    with mind_hub(tmp_path / "through") as through:
        through.bring(whole, "csv", started_at=HELD)
        expected = files_of(through.folder)
    chance = random.Random(7)
    with mind_hub(tmp_path / "stopped") as hub:
        run = hub.begin(whole, "csv", started_at=HELD)
        stops = 0
        while "c" not in run.progress.done:
            left = chance.randint(1, 9)

            def step(_: PassName, __: int, ___: int) -> None:
                nonlocal left
                left -= 1
                if left < 0:
                    raise RunStoppedError("enough")

            try:
                hub.route(run, whole, "csv", step=step)
            except RunStoppedError:
                stops += 1
        assert stops > 2
        consent = json.loads((run.path / "run.json").read_text())["consent"]
        assert {name: digest for name, digest in files_of(hub.folder).items() if "run.json" not in name} == {
            name: digest for name, digest in expected.items() if "run.json" not in name
        }
        assert hub.align().clean
        assert consent


def test_a_pass_waits_for_the_one_before_it(hub: MindHub) -> None:
    run = hub.begin(ASKED)
    with pytest.raises(PassError, match="pass a"):
        hub.route(run, passes=["b"])
    hub.route(run, ASKED, passes=["a"])
    with pytest.raises(PassError, match="pass b"):
        hub.route(run, passes=["c"])
    hub.route(run, passes=["b"])
    assert [row.speaker for row in rows(hub)] == ["clinician", "patient"]
    hub.route(run, passes=["c"])
    assert run.progress.done == ("a", "b", "c")


def test_no_pass_is_given_another_ones_tools() -> None:
    tools = {kind.__name__: set(kind.__dataclass_fields__) for kind in (pass_a.PassA, pass_b.PassB, pass_c.PassC)}
    assert tools == {
        "PassA": {"folder", "redact", "step"},
        "PassB": {"folder", "desk", "step"},
        "PassC": {"folder", "desk", "step"},
    }
    at_log, at_graph = (
        {name for name in vars(desk) if not name.startswith("_")} for desk in (pass_b.LogDesk, pass_c.GraphDesk)
    )
    assert (at_log, at_graph) == ({"commit", "file"}, {"load", "draw"})


def test_single_step_waits_before_every_chunk_and_no_word_stops_it(hub: MindHub, whole: bytes) -> None:
    run = hub.begin(whole, "csv")
    answers = iter([True, True, False])
    with pytest.raises(RunStoppedError):
        hub.route(run, whole, "csv", step=Pace(run, lambda: next(answers)))
    assert run.chunks() == 2


def test_a_request_to_stop_is_heeded_at_the_next_step(hub: MindHub, whole: bytes) -> None:
    run = hub.begin(whole, "csv")
    run.ask_to_stop()
    with pytest.raises(RunStoppedError):
        hub.route(run, whole, "csv", step=Pace(run))
    run.go_on()
    hub.route(run, whole, "csv", step=Pace(run))
    assert run.progress.done == ("a", "b", "c")


def test_a_graph_with_a_wrong_edge_or_label_is_refused_with_a_reason(hub: MindHub) -> None:
    run = hub.bring(ASKED)
    document = json.loads((run.path / "c" / "00001.json").read_text(encoding="utf-8"))
    assert read_graph_json(json.dumps(document)).edges
    for part, change, reason in (
        ("edges", {"label": "LOVES"}, "edge label outside"),
        ("edges", {"end": {"label": "Persona", "id": "p-1"}}, "nowhere else"),
        ("nodes", {"label": "Diagnosis"}, "node label outside"),
        ("nodes", {"label": "Distortion", "id": "laziness"}, "outside the vocabulary"),
    ):
        wrong = json.loads(json.dumps(document))
        wrong[part][0] = {**wrong[part][-1], **change}
        with pytest.raises(GraphRefusedError, match=reason):
            read_graph_json(json.dumps(wrong))


@pytest.mark.parametrize("place", ["csv", "tables", "graph"])
def test_a_row_that_one_store_has_otherwise_is_named(hub: MindHub, place: str) -> None:
    run = hub.bring(ASKED).run
    said = rows(hub)[1]
    if place == "csv":
        found = hub.tables.read("p-1", run.session, "said")
        found[said.id]["text"] = "I never said that."
        hub.tables.write("p-1", run.session, "said", found.values())
    elif place == "tables":
        with hub.database.begin() as transaction:
            transaction.execute(delete(Utterance).where(Utterance.id == said.id))
    else:
        hub.graph.apply(GraphBatch((Node("Utterance", said.id, {"text": "I never said that."}),), (), 0))
    alignment = hub.align()
    assert not alignment.clean
    assert {difference.id for difference in alignment.differences} == {said.id}
    assert place in {difference.place for difference in alignment.differences}
    assert "never said" not in json.dumps(alignment.as_json())


def test_an_inference_that_one_store_lacks_is_named(hub: MindHub) -> None:
    hub.bring(ASKED)
    with hub.database.begin() as transaction:
        found = transaction.scalars(select(Inference)).first()
        assert found is not None
        transaction.delete(found)
    alignment = hub.align()
    assert {(difference.id, difference.place) for difference in alignment.differences} == {(found.id, "tables")}


def test_a_correction_reaches_tables_csv_and_graph_and_what_was_filed_first_stays(hub: MindHub) -> None:
    run = hub.bring(ASKED).run
    said = rows(hub)[1]
    corrected = UtteranceCorrected(
        utterance=said.id, session=run.session, speaker="unknown", text="I slept well.", question=None, by="carla-id"
    )
    hub.journal.append(corrected, "p-1")
    assert hub.align().clean
    row = rows(hub)[1]
    assert (row.text, row.speaker, row.question, row.corrected_by) == ("I slept well.", "unknown", None, "carla-id")
    assert row.original == said.text
    filed = hub.tables.read("p-1", run.session, "said")[said.id]
    assert (filed["text"], filed["original"], filed["corrected_by"]) == ("I slept well.", said.text, "carla-id")
    [node] = [node for node in hub.graph.snapshot("p-1").nodes if node.key == said.id]
    assert (node.properties["text"], node.properties["corrected_by"]) == ("I slept well.", "carla-id")


def test_what_a_run_brought_in_can_be_taken_out_without_a_trace(hub: MindHub, whole: bytes) -> None:
    kept = hub.bring(ASKED, person="p-2").run
    run = hub.bring(whole, "csv", person="p-1")
    said = rows(hub, run.run.session)[0]
    correction = UtteranceCorrected(
        utterance=said.id, session=run.run.session, speaker="patient", text="Quite unlike.", by="carla-id"
    )
    hub.journal.append(correction, "p-1")
    hub.derive()
    removed = hub.remover().remove(run.path.name[:8], "command-line")
    assert removed["events"] > TURNS
    with hub.database.read() as transaction:
        assert transaction.scalars(select(Person.pseudonym)).all() == ["p-2"]
        assert transaction.scalars(select(Session.id)).all() == [kept.session]
        log = " ".join(json.dumps(envelope) for envelope in transaction.scalars(select(EventLog.envelope)))
        assert transaction.scalar(select(func.count()).select_from(Inference).where(Inference.subject == "p-1")) == 0
    assert words(0) not in log
    assert "Quite unlike" not in log
    assert not any("p-1" in name or run.path.name in name for name in files_of(hub.folder))
    assert "p-1" not in {node.key for node in hub.graph.snapshot().nodes}
    assert hub.align().clean
    with pytest.raises(RunUnknownError):
        RunFolder.open(hub.folder, run.path.name)


def test_what_was_taken_out_can_be_brought_in_again(hub: MindHub) -> None:
    first = hub.bring(ASKED).run
    hub.remover().remove(first.id, "command-line")
    second = hub.bring(ASKED).run
    assert first.id != second.id
    assert [row.session for row in rows(hub)] == [second.session] * 2
    assert hub.align().clean


def test_a_run_whose_folder_is_lost_can_still_be_taken_out_by_its_whole_id(hub: MindHub) -> None:
    run = hub.bring(ASKED)
    run.remove()
    assert hub.remover().remove(run.path.name, "command-line")["events"] == 4
    assert hub.align().utterances == 0
    with pytest.raises(RunUnknownError):
        hub.remover().remove("0" * 36, "command-line")


def test_an_erased_person_leaves_no_run_and_no_csv_and_is_not_taken_in_again(hub: MindHub) -> None:
    hub.bring(ASKED)
    hub.bring(ASKED, person="p-2")
    eraser = Eraser(
        hub.database, hub.graph, hub.folder, forget_files=lambda person: keeping.forget_person(hub.folder, person)
    )
    proof = eraser.erase("p-1", at=hub.clock.now(), by="command-line", reason="asked")
    assert proof.found == {}
    assert [run.run.person for run in all_runs(hub.folder)] == ["p-2"]
    assert hub.align().clean
    with pytest.raises(PassError, match="erased"):
        hub.begin(ASKED)


def test_what_was_kept_long_enough_leaves_the_runs_and_the_csv_too(hub: MindHub) -> None:
    hub.bring(ASKED)
    forget(hub.database, hub.graph, {"utterances": 0}, hub.clock.now() + timedelta(days=1))
    assert keeping.forget_emptied(hub.folder, hub.database) == 1
    assert hub.align().clean
    assert hub.tables.sessions("said") == []


def test_csv_is_derived_anew_after_it_was_lost(hub: MindHub) -> None:
    hub.bring(ASKED)
    files = files_of(hub.folder)
    keeping.derive_anew(hub.folder)
    rebuild(hub.database, hub.graph)
    hub.derive()
    assert files_of(hub.folder) == files


def test_a_cell_that_a_spreadsheet_would_run_is_text_and_reads_back_as_it_was(tmp_path: Path) -> None:
    tables = TableFolder(tmp_path)
    texts = ["=1+1", "+49", "-x", "@sum", "'=2", "''=2", "'quoted'", 'say "hi", you', "two\nlines", "plain", "\t=3"]
    found = [dict.fromkeys(COLUMNS["said"], "") | {"utterance": str(n), "text": text} for n, text in enumerate(texts)]
    tables.write("p-1", "s", "said", found)
    assert [row["text"] for row in tables.read("p-1", "s", "said").values()] == texts
    raw = tables.path("p-1", "s", "said").read_text()
    assert '"=1+1"' not in raw
    assert '"\'=1+1"' in raw


def test_an_import_rests_on_a_consent_of_this_person_that_holds(hub: MindHub) -> None:
    consents = Consents(hub.database, hub.clock)
    others = consents.grant("p-9", SESSION, "carla-id")
    unlike = consents.grant("p-1", INFERENCE, "carla-id")
    for statement in (
        Statement(None),
        Statement("no-such-id"),
        Statement(others.id),
        Statement(unlike.id),
        Statement(None, "carla", "because"),
    ):
        with pytest.raises(ConsentMissingError):
            hub.begin(ASKED, statement=statement)
    with pytest.raises(NotFoundError):
        hub.begin(ASKED, statement=dataclasses.replace(CARLA, stated_by="nobody"))
    held = consents.grant("p-1", SESSION, "carla-id")
    assert hub.begin(ASKED, statement=Statement(held.id)).run.consent == held.id
    consents.withdraw("p-1", SESSION, "carla-id")
    with pytest.raises(ConsentMissingError, match="withdrawn"):
        hub.begin(b"Therapist: I see.\n" + ASKED, statement=Statement(held.id))


def test_a_consent_that_is_stated_with_the_import_covers_the_session_and_is_in_the_audit(hub: MindHub) -> None:
    run = hub.begin(ASKED, started_at=HELD).run
    with hub.database.read() as transaction:
        [consent] = transaction.scalars(select(Consent))
    assert (consent.id, consent.purpose, consent.holds_from) == (run.consent, SESSION, HELD)
    assert Consents(hub.database, hub.clock).covering("p-1", SESSION, HELD) is not None
    assert Consents(hub.database, hub.clock).covering("p-1", SESSION, HELD - timedelta(days=1)) is None


def test_nothing_is_inferred_of_a_person_on_a_stay_who_has_not_consented_to_it(hub: MindHub) -> None:
    with hub.database.begin() as transaction:
        transaction.add(Stay(id="stay-1", pseudonym="p-1", admitted_at=hub.clock.now(), discharged_at=None))
    without = hub.bring(ASKED, new_person=False, started_at=HELD).run
    given = dataclasses.replace(CARLA, infer=True)
    consenting = hub.bring(b"Therapist: I see.\n" + ASKED, new_person=False, started_at=HELD, statement=given).run
    with hub.database.read() as transaction:
        inferred = set(transaction.scalars(select(Inference.session)))
    assert without.session not in inferred
    assert consenting.session in inferred
    assert hub.align().clean


def test_a_slip_in_the_pseudonym_files_nothing_under_a_stranger(hub: MindHub) -> None:
    with pytest.raises(NotFoundError, match="slip"):
        hub.begin(ASKED, new_person=False)
    hub.bring(ASKED)
    with pytest.raises(PassError, match="on file already"):
        hub.begin(b"Therapist: I see.\n" + ASKED, new_person=True)
    with pytest.raises(PassError, match="lies in the past"):
        hub.begin(b"Therapist: I see.\n" + ASKED, new_person=False, started_at=hub.clock.now() + timedelta(days=1))
    with pytest.raises(PassError, match="another date"):
        hub.begin(ASKED, started_at=HELD)


def test_the_router_does_what_it_is_asked_and_nothing_else(hub: MindHub) -> None:
    run = hub.begin(ASKED)
    assert route(run, ["b", "c"], step=lambda *_: None) == {}
    assert (run.chunks(), SITE) == (0, "ward")
