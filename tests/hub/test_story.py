"""What the pages count of a person is what was planted, and leads down to the very utterances."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from tests.fakes.mind_rows import BEGUN
from tests.fakes.mind_story import BAD_DAY, GOOD_DAY, tell
from tests.fakes.pages import PERSON, HubPages, client, csrf, open_pages
from tests.fakes.planted_series import HIGHS, LOWS, PLAN, RATES, plant

from forge_hub.access import audit
from forge_hub.mind import evidence, figures
from forge_hub.mind.caseload import READ, caseload, last_look
from forge_hub.mind.evidence import PAGE, Wanted
from forge_hub.mind.figures import Span
from forge_hub.mind.summaries import Correlation, summarise
from forge_hub.records.schema import EventLog, Inference, Inferred, Person, Session, Utterance
from forge_hub.web.charts import Told, told_of
from forge_hub.web.compare_view import Side, compare
from forge_hub.web.evidence_view import said_of
from forge_hub.web.findings import dangers_of
from forge_hub.web.report_view import report_of
from forge_hub.web.story_view import hypotheses, label_rows, together_of, turns_of
from forge_language.encoder.package import encoder
from forge_language.measured import PSEUDONYMISED

PLANTED = "p-1"


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[HubPages]:
    with open_pages(tmp_path) as opened:
        for role in ("clinician", "staff", "admin"):
            opened.account(role)
        yield opened


@pytest.fixture
def planted(pages: HubPages) -> HubPages:
    series = plant(7)
    pages.add(Person(pseudonym=PLANTED, node="room-1", first_seen=BEGUN))
    for number in range(len(PLAN)):
        at = BEGUN + timedelta(days=7 * number)
        pages.add(Session(id=f"{PLANTED}-{number}", subject=PLANTED, node="room-1", consent="c", started_at=at))
    pages.add(*series.utterances, *series.inferences)
    pages.add(
        *(
            Inferred(utterance=each.id, subject=PLANTED, session=each.session, at=each.at, taggers="1")
            for each in series.utterances
        )
    )
    pages.assign("clinician", PLANTED)
    return pages


def told(pages: HubPages) -> list[Told]:
    found = figures.sessions(pages.database, PLANTED), figures.readings(pages.database, PLANTED)
    return told_of(*found, None, {})


def decide(pages: HubPages, framework: str, verdict: str, instead: str | None = None, utterance: str = "") -> None:
    query = update(Inference).where(Inference.framework == framework)
    if utterance:
        query = query.where(Inference.utterance == utterance)
    with pages.database.begin() as transaction:
        transaction.execute(query.values(verdict=verdict, instead=instead, decided_by="x", decided_at=pages.now))


def test_the_charts_of_a_planted_series_are_those_reckoned_by_hand(planted: HubPages) -> None:
    sessions = told(planted)
    assert [each.high for each in sessions] == list(HIGHS)
    assert [each.low for each in sessions] == list(LOWS)
    assert [each.valence.value for each in sessions if each.valence] == pytest.approx([each.middle for each in PLAN])
    assert [each.distorted.value for each in sessions if each.distorted] == list(RATES)
    assert turns_of(sessions, PLANTED) == {f"{PLANTED}-3": "rise"}


def test_what_is_counted_in_the_database_is_what_the_summaries_say(planted: HubPages) -> None:
    decide(planted, "emotion", "other", "relief", f"{PLANTED}-3-0")
    decide(planted, "distortion", "wrong", None, f"{PLANTED}-1-1")
    with planted.database.read() as transaction:
        said = transaction.scalars(select(Utterance)).all()
        inferences = transaction.scalars(select(Inference)).all()
    summary = summarise(said, inferences)
    counted: dict[str, int] = {}
    for each in figures.label_counts(planted.database, PLANTED):
        if each.framework != "affect":
            key = f"{each.framework}.{each.label}"
            counted[key] = counted.get(key, 0) + each.utterances
    assert counted == {key: count for key, count in summary.counts.items() if not key.startswith("affect.")}
    readings = figures.readings(planted.database, PLANTED)
    assert len(readings) == summary.readings
    assert sum(each.valence for each in readings) / len(readings) == pytest.approx(summary.avg_valence)


def test_every_figure_leads_to_as_many_utterances_as_it_counts(planted: HubPages) -> None:
    for each in figures.label_counts(planted.database, PLANTED):
        if each.framework != "affect":
            wanted = Wanted(Span(session=each.session), each.framework, each.label)
            assert evidence.behind(planted.database, PLANTED, wanted).total == each.utterances
    for session in figures.sessions(planted.database, PLANTED):
        wanted = Wanted(Span(session=session.id), "distortion")
        assert evidence.behind(planted.database, PLANTED, wanted).total == session.distorted


def test_highs_and_lows_of_an_emotion_are_shares_of_its_sessions(planted: HubPages) -> None:
    rows = {
        row.label: row for row in label_rows(figures.label_counts(planted.database, PLANTED), told(planted), "emotion")
    }
    joy = rows["joy"]
    assert [cell.count for cell in joy.cells] == [each.joys for each in PLAN]
    assert (joy.high, joy.middle, joy.low) == (5 / 8, 1.5 / 8, 0)
    assert joy.highest is not None
    assert joy.highest.session.id == f"{PLANTED}-5"


def test_what_a_clinician_said_themselves_is_in_no_figure(planted: HubPages) -> None:
    with planted.database.begin() as transaction:
        transaction.execute(update(Utterance).values(speaker="clinician"))
    assert figures.readings(planted.database, PLANTED) == []
    assert figures.label_counts(planted.database, PLANTED) == []
    assert [each.utterances for each in figures.sessions(planted.database, PLANTED)] == [0] * len(PLAN)


def test_what_goes_together_is_shown_where_its_interval_leaves_out_none(planted: HubPages) -> None:
    found = figures.correlations(planted.database, PLANTED)
    shown = together_of(found)
    assert ("overgeneralisation", "sadness") in {(each.distortion, each.other) for each in shown}
    for each in shown:
        assert each.low > 0 or each.high < 0
    assert len(shown) < len(found)
    assert together_of([]) == []


def test_two_that_were_never_apart_have_no_interval_to_boast_of() -> None:
    always, often = Correlation("labelling", "joy", 1, 1, 1, 85), Correlation("labelling", "grief", 0.8, 0.7, 0.9, 85)
    assert [each.is_always for each in together_of([always, often])] == [True, False]


def test_a_danger_with_something_against_it_is_doubted_and_one_without_is_not() -> None:
    (plain,) = dangers_of("I want to die.")
    (denied,) = dangers_of("I do not want to die.")
    assert (plain.is_doubted, denied.is_doubted) == (False, True)
    assert "(denied)" in denied.name


@pytest.mark.skipif(encoder()[0] is None, reason="the encoder's package is not installed")
def test_a_danger_that_calls_somebody_though_no_phrase_alone_raises_it_is_stated_and_not_asked() -> None:
    (taken,) = [
        each for each in dangers_of("I swallowed the whole bottle yesterday.") if "the whole resembles it" in each.name
    ]
    assert not taken.is_doubted


async def test_wherever_words_are_shown_it_is_said_how_much_the_redactor_leaves_in(pages: HubPages) -> None:
    (session,) = tell(pages, PERSON, [BAD_DAY])
    pages.assign("clinician")
    with pages.database.read() as transaction:
        inference = transaction.scalars(select(Inference).where(Inference.framework == "note")).first()
    assert inference is not None
    words = "penicillin"
    async with client(pages, "clinician") as http:
        for path in (
            "",
            "/utterances",
            f"/utterances/{inference.utterance}",
            f"/sessions/{session}",
            f"/sessions/{session}/report",
            f"/sessions/{session}/rows",
            "/review",
            f"/explore?at=Utterance:{inference.utterance}",
        ):
            answer = await http.get(f"/people/{PERSON}{path}")
            assert answer.status_code == 200, path
            assert words in answer.text, path
            assert PSEUDONYMISED in answer.text, path


def test_of_the_person_nothing_is_said_with_fewer_than_five_quotes(planted: HubPages) -> None:
    with planted.database.begin() as transaction:
        rows = transaction.scalars(select(Inference).where(Inference.framework == "emotion").limit(5)).all()
        for each in rows[:4]:
            each.framework, each.label = "schema", "failure"
        last = rows[4].id

    def is_enough() -> bool:
        found = hypotheses(figures.label_counts(planted.database, PLANTED), figures.profile(planted.database, PLANTED))
        return {each.framework: each.is_enough for each in found}["schema"]

    assert not is_enough()
    with planted.database.begin() as transaction:
        transaction.execute(update(Inference).where(Inference.id == last).values(framework="schema", label="failure"))
    assert is_enough()


def test_what_waits_begins_with_notes_then_what_was_said_last_and_leaves_moods_out(planted: HubPages) -> None:
    with planted.database.begin() as transaction:
        first = transaction.scalars(select(Inference).where(Inference.framework == "emotion").limit(1)).one()
        first.framework, first.label = "note", "allergy"
    total, waiting = evidence.to_review(planted.database, PLANTED, Wanted())
    assert waiting[0].inference.framework == "note"
    assert [each.utterance.at for each in waiting[1:]] == sorted((e.utterance.at for e in waiting[1:]), reverse=True)
    assert "affect" not in {each.inference.framework for each in waiting}
    (case,) = caseload(planted.database, "nobody", {PLANTED})
    assert case.to_review == total
    moods, _ = evidence.to_review(planted.database, PLANTED, Wanted(framework="affect"))
    assert moods == sum(each.utterances for each in PLAN)


def test_two_stretches_differ_where_they_were_made_to_and_nothing_is_claimed_of_few(planted: HubPages) -> None:
    turn = BEGUN + timedelta(days=21)

    def side(span: Span) -> Side:
        return Side.of(
            figures.utterance_count(planted.database, PLANTED, span),
            figures.readings(planted.database, PLANTED, span),
            figures.label_counts(planted.database, PLANTED, span),
        )

    lines = {line.label or line.words: line for line in compare(side(Span(until=turn)), side(Span(since=turn)))}
    valence = lines["Valence (pleasant or unpleasant)"]
    assert valence.difference is not None
    assert valence.difference.value == pytest.approx(0.25 + 0.5)
    assert valence.finding == "higher in the second"
    assert lines["Arousal (stirred or calm)"].finding == "no difference can be told"
    assert lines["overgeneralisation"].finding == "lower in the second"
    one = side(Span(session=f"{PLANTED}-0"))
    assert {line.finding for line in compare(one, side(Span(since=turn)))} == {
        "too few to compare (fewer than 10 utterances on a side)"
    }


def test_a_report_keeps_what_is_approved_apart_and_leaves_out_what_is_wrong(planted: HubPages) -> None:
    database, session = planted.database, Wanted(Span(session=f"{PLANTED}-0"))
    before = report_of(evidence.standing_in(database, PLANTED, session), {})
    assert before.facts == []
    assert "overgeneralisation" in {guess.label for guess in before.guesses}
    decide(planted, "distortion", "right")
    decide(planted, "emotion", "wrong")
    after = report_of(evidence.standing_in(database, PLANTED, session), {"x": "clinician"})
    assert {fact.words for fact in after.facts} == {"Overgeneralisation"}
    assert {fact.reason.decided_by for fact in after.facts} == {"clinician"}
    assert {guess.framework for guess in after.guesses} == {"affect"}


async def test_a_word_is_kept_in_the_log_shown_with_its_author_and_taken_back(pages: HubPages) -> None:
    tell(pages, PERSON, [BAD_DAY])
    pages.assign("clinician")
    _, waiting = evidence.to_review(pages.database, PERSON, Wanted(framework="distortion"))
    found = waiting[0].inference
    address = f"/people/{PERSON}/inferences/{found.id}/review"
    async with client(pages, "clinician") as http:
        token = {"csrf_token": csrf(pages, http)}
        answer = await http.post(address, data={**token, "verdict": "right"}, headers={"Accept": "application/json"})
        assert answer.json()["by"] == "clinician"
        assert answer.json()["shown"] is True
        page = await http.get(f"/people/{PERSON}/utterances/{found.utterance}")
        assert "approved by clinician" in page.text
        assert (await http.post(address, data={**token, "verdict": "open"})).status_code == 303
        page = await http.get(f"/people/{PERSON}/utterances/{found.utterance}")
        assert "approved by clinician" not in page.text
    with pages.database.read() as transaction:
        query = select(EventLog.envelope).where(EventLog.type.like("%inference.reviewed%")).order_by(EventLog.position)
        assert [each["data"]["verdict"] for each in transaction.scalars(query)] == ["right", "open"]


async def test_another_label_must_be_one_of_the_same_list(pages: HubPages) -> None:
    tell(pages, PERSON, [BAD_DAY])
    pages.assign("clinician")
    _, waiting = evidence.to_review(pages.database, PERSON, Wanted(framework="distortion"))
    found = waiting[0].inference
    address = f"/people/{PERSON}/inferences/{found.id}/review"
    async with client(pages, "clinician") as http:
        token = {"csrf_token": csrf(pages, http)}
        for instead in ("", "sadness", "failure", found.label, "catastrophising"):
            answer = await http.post(address, data={**token, "verdict": "other", "instead": instead})
            assert answer.status_code == 400, instead
        other = "magnification" if found.label != "magnification" else "blaming"
        assert (await http.post(address, data={**token, "verdict": "other", "instead": other})).status_code == 303
    with pages.database.read() as transaction:
        assert transaction.scalars(select(Inference.instead).where(Inference.id == found.id)).one() == other


async def test_nobody_decides_reads_or_explores_through_another_persons_address(pages: HubPages) -> None:
    (theirs,) = tell(pages, "stay-other", [BAD_DAY], node="room-14")
    tell(pages, PERSON, [GOOD_DAY])
    pages.assign("clinician")
    with pages.database.read() as transaction:
        inference = transaction.scalars(select(Inference).where(Inference.subject == "stay-other")).first()
    assert inference is not None
    async with client(pages, "clinician") as http:
        token = {"csrf_token": csrf(pages, http), "verdict": "right"}
        mine = f"/people/{PERSON}"
        assert (await http.post(f"{mine}/inferences/{inference.id}/review", data=token)).status_code == 404
        stays = ("Persona:stay-other", f"Session:{theirs}", f"Utterance:{inference.utterance}")
        paths = [f"{mine}/explore?at={at}" for at in stays] + [f"{mine}/graph.json?at={at}" for at in stays]
        paths += [
            f"{mine}/utterances/{inference.utterance}",
            f"{mine}/sessions/{theirs}",
            f"{mine}/sessions/{theirs}/report",
        ]
        assert [(await http.get(path)).status_code for path in paths] == [404] * len(paths)
        for label in ("Distortion:overgeneralisation", "Sentiment:pleasant_activated"):
            drawn = await http.get(f"{mine}/graph.json?at={label}")
            assert drawn.status_code == 200
            assert inference.utterance not in drawn.text
            assert "stay-other" not in drawn.text
    assert evidence.inference(pages.database, inference.id).verdict is None


def test_the_list_begins_with_whoever_needs_a_look(pages: HubPages) -> None:
    for number, person in enumerate(("stay-quiet", "stay-new", "stay-alert")):
        tell(pages, person, [GOOD_DAY[:6]] * 3, node=f"room-{number}")
    account = _account(pages)
    for person in ("stay-quiet", "stay-alert"):
        audit.note(pages.database, pages.now + timedelta(seconds=1), account, READ, person, subject=person)
    pages.alert_arrives(subject="stay-alert", severity="high")
    cases = caseload(pages.database, account, {"stay-quiet", "stay-new", "stay-alert"})
    assert [each.pseudonym for each in cases] == ["stay-alert", "stay-new", "stay-quiet"]
    assert [each.new_utterances for each in cases] == [0, 18, 0]
    assert [len(each.trend) for each in cases] == [3, 3, 3]
    assert cases[0].alerts == 1
    assert cases[1].looked_at is None


def test_what_the_hub_hears_of_later_is_new_however_long_ago_it_was_said(pages: HubPages) -> None:
    account = _account(pages)
    audit.note(pages.database, pages.now - timedelta(hours=1), account, READ, PERSON, subject=PERSON)
    tell(pages, PERSON, [GOOD_DAY])  # said yesterday, filed now
    (case,) = caseload(pages.database, account, {PERSON})
    assert case.new_utterances == len(GOOD_DAY)
    assert isinstance(last_look(pages.database, account, PERSON), datetime)


async def test_the_list_of_somebody_without_people_says_what_to_do(pages: HubPages) -> None:
    async with client(pages, "clinician") as http:
        answer = await http.get("/people")
    assert "Nobody is assigned to you." in answer.text


def test_quotes_are_marked_where_they_stand_and_nowhere_else(pages: HubPages) -> None:
    tell(pages, PERSON, [BAD_DAY[:1]])
    behind = evidence.behind(pages.database, PERSON, Wanted())
    said = said_of(behind.said[0], behind.inferences[behind.said[0].id], {})
    assert "".join(piece.text for piece in said.pieces) == BAD_DAY[0]
    for reason in said.reasons:
        assert reason.quote == BAD_DAY[0][reason.start : reason.end]
    marked = {piece.text for piece in said.pieces if "distortion" in piece.marks}
    assert marked
    assert said.pieces[-1].text == "."
    assert not said.pieces[-1].marks


async def test_long_lists_come_in_pages(pages: HubPages) -> None:
    tell(pages, PERSON, [GOOD_DAY] * 4)
    pages.assign("clinician")
    async with client(pages, "clinician") as http:
        first = await http.get(f"/people/{PERSON}/utterances")
        second = await http.get(f"/people/{PERSON}/utterances?page=2")
    assert first.text.count("<blockquote>") == PAGE
    assert second.text.count("<blockquote>") == 4 * len(GOOD_DAY) - PAGE
    assert "page=2" in first.text


async def test_a_persons_story_is_told_to_no_room(pages: HubPages) -> None:
    tell(pages, PERSON, [BAD_DAY])
    pages.assign("clinician")
    _, waiting = evidence.to_review(pages.database, PERSON, Wanted())
    async with client(pages, "clinician") as http:
        data = {"csrf_token": csrf(pages, http), "verdict": "right"}
        await http.post(f"/people/{PERSON}/inferences/{waiting[0].inference.id}/review", data=data)
        await http.get(f"/people/{PERSON}")
    assert pages.published == []


def _account(pages: HubPages) -> str:
    who = pages.app.state.site.access.signed_in(pages.token("clinician"))
    assert who is not None
    return str(who.account_id)
