"""What a person's words amount to, on the pages and in the graph, equals what anybody finds in the rows.

On SQLite and on PostgreSQL.
"""

import math
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session as Transaction
from tests.fakes import postgresql
from tests.fakes.mind_rows import BEGUN, felt, found, said
from tests.fakes.planted_series import DOMINANT, HIGHS, LOWS, PHI_CELLS, PLAN, RATES, WEEKLY, Planted, plant
from tests.fakes.records import sqlite_records
from tests.fakes.word_tagger import word_taggers

from forge_hub.graph.figures import figures_of
from forge_hub.graph.questions import Uttered
from forge_hub.graph.schema import Value
from forge_hub.mind import figures
from forge_hub.mind.inference import Framework
from forge_hub.mind.ledger import Inferences
from forge_hub.records.database import Database, open_database
from forge_hub.records.schema import Inference, Inferred, Session, Utterance
from forge_hub.web.charts import told_of
from forge_hub.web.story_view import turns_of
from forge_language.taxonomy import LABELS
from forge_shared.ids import new_id

Pattern = Mapping[str, Value]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    if request.param == "sqlite":
        database = sqlite_records(tmp_path_factory.mktemp("records"))
        yield database
        database.close()
    else:
        with postgresql.database(request.getfixturevalue("postgresql_server")) as url:
            database = open_database(url)
            yield database
            database.close()


def file(database: Database, planted: Planted) -> None:
    begun: dict[tuple[str, str], datetime] = {}
    for each in planted.utterances:
        begun[each.session, each.subject] = min(each.at, begun.get((each.session, each.subject), each.at))
    with database.begin() as transaction:
        transaction.add_all(
            Session(id=session, subject=subject, node="room-1", consent="c", started_at=at)
            for (session, subject), at in begun.items()
        )
        transaction.add_all(planted.utterances)
        transaction.add_all(planted.inferences)
        transaction.add_all(
            Inferred(utterance=each.id, subject=each.subject, session=each.session, at=each.at, taggers="1")
            for each in planted.utterances
        )


def drawn(database: Database, subject: str) -> tuple[dict[str, Pattern], dict[str, Pattern]]:
    """Return the patterns that the graph has of sessions and of weeks, each by key in the order of time."""
    with database.read() as transaction:
        rows = transaction.scalars(select(Utterance).where(Utterance.subject == subject)).all()
    uttered = [Uttered(row.id, row.session, subject, row.at, row.speaker, "", "") for row in rows]
    on_file = Inferences(database, word_taggers({})).on_file(uttered)
    batch = figures_of(subject, uttered, on_file, {row.session for row in rows})
    nodes = {node.key: node.properties for node in batch.nodes if node.label == "PatternSummary"}
    ordered = sorted(nodes.items(), key=lambda node: str(node[1]["since"]))
    sessions = {key: pattern for key, pattern in ordered if pattern["session"] == key}
    return sessions, {key: pattern for key, pattern in ordered if key not in sessions}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_planted_series_gives_the_patterns_that_were_planted(database: Database, seed: int) -> None:
    subject = new_id()
    file(database, plant(seed, subject))
    for patterns in drawn(database, subject):
        filed = list(patterns.values())
        assert [each["utterances"] for each in filed] == [each["readings"] for each in filed] == [8] * 6
        assert [each["avg_valence"] for each in filed] == [session.middle for session in PLAN]
        assert [each["avg_arousal"] for each in filed] == [0.5] * 6
        assert [each["overgeneralisation_rate"] for each in filed] == list(RATES)
        assert [each["dominant_emotion"] for each in filed] == list(DOMINANT)
    sessions, _ = drawn(database, subject)
    assert [datetime.fromisoformat(str(each["since"])) for each in sessions.values()] == [
        BEGUN + number * WEEKLY for number in range(6)
    ]


@pytest.mark.parametrize("seed", [4, 5])
def test_a_planted_series_gives_the_charts_that_were_planted(database: Database, seed: int) -> None:
    subject = new_id()
    file(database, plant(seed, subject))
    told = told_of(figures.sessions(database, subject), figures.readings(database, subject), None, {})
    assert [each.session.id for each in told] == [f"{subject}-{number}" for number in range(6)]
    assert [each.high for each in told] == list(HIGHS)
    assert [each.low for each in told] == list(LOWS)
    assert [each.middle for each in told] == [session.middle for session in PLAN]
    assert [each.distorted.value if each.distorted else None for each in told] == list(RATES)
    assert turns_of(told, subject) == {f"{subject}-3": "rise"}
    both, thought, sad, neither = PHI_CELLS
    phi = (both * neither - thought * sad) / math.sqrt(16 * 32 * 16 * 32)
    [together] = [
        each
        for each in figures.correlations(database, subject)
        if (each.distortion, each.other) == ("overgeneralisation", "sadness")
    ]
    assert together.weight == pytest.approx(phi)
    assert together.n == 48


def test_a_clinician_s_word_changes_the_pattern_and_the_stage_at_once(database: Database) -> None:
    subject = new_id()
    planted = Planted(
        [said(f"{subject}-{n}", minute=n, subject=subject, session=subject) for n in range(4)],
        [
            found(f"{subject}-0", "distortion", "labelling", subject=subject, session=subject),
            found(f"{subject}-0", "stage", "identity_vs_role_confusion", 0.2, subject=subject, session=subject),
        ],
    )
    file(database, planted)
    assert figures.profile(database, subject).stage.stage == "insufficient_evidence"
    with database.begin() as transaction:
        labelled, staged = (transaction.get_one(Inference, each.id) for each in planted.inferences)
        labelled.verdict = "wrong"
        staged.verdict, staged.instead = "other", "integrity_vs_despair"
    [[pattern], _] = [list(patterns.values()) for patterns in drawn(database, subject)]
    assert pattern["labelling_rate"] == 0.0
    assert [(each.framework, each.label) for each in figures.label_counts(database, subject)] == [
        ("stage", "integrity_vs_despair")
    ]
    stage = figures.profile(database, subject).stage
    assert (stage.stage, stage.by_clinician) == ("integrity_vs_despair", True)


def test_what_nobody_was_allowed_to_read_is_part_of_no_share(database: Database) -> None:
    subject = new_id()
    read = Planted(
        [said(f"{subject}-0", subject=subject, session=subject)],
        [found(f"{subject}-0", "distortion", "labelling", subject=subject, session=subject)],
    )
    file(database, read)
    with database.begin() as transaction:
        transaction.add(said(f"{subject}-1", minute=1, subject=subject, session=subject))
    [session] = figures.sessions(database, subject)
    assert (session.utterances, session.read, session.distorted) == (2, 1, 1)
    assert figures.utterance_count(database, subject, figures.Span()) == 1
    assert figures.profile(database, subject).utterances == 1


@pytest.mark.parametrize("framework", LABELS)
def test_every_label_on_the_list_is_taken_and_any_other_spelling_is_refused(
    database: Database, framework: Framework
) -> None:
    subject = new_id()
    with database.begin() as transaction:
        transaction.add_all(found(f"{subject}-{label}", framework, label) for label in LABELS[framework])
    strangers = {label.title() for label in LABELS[framework]} | {LABELS["note" if framework != "note" else "stage"][0]}
    for stranger in strangers:
        with pytest.raises(IntegrityError), database.begin() as transaction:
            transaction.add(found(subject, framework, stranger))


THOUGHTS = ["overgeneralisation", "labelling", "blaming"]
FEELINGS = ["joy", "sadness", "neutral"]


@st.composite
def lives(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Utterances with what is inferred of each: at most one reading, and any labels with any word on them."""
    verdict = st.sampled_from([None, None, "right", "wrong", "other"])
    about = st.tuples(
        st.sampled_from([("distortion", THOUGHTS), ("emotion", FEELINGS)]),
        st.integers(0, 2),
        st.integers(0, 2),
        verdict,
        st.sampled_from([0.01, 0.2499, 0.25, 0.9]),
    )
    one = st.fixed_dictionaries(
        {
            "session": st.integers(0, 2),
            "minute": st.integers(0, 60 * 24 * 30),
            "speaker": st.sampled_from(["patient", "clinician", "unknown", None]),
            "reading": st.none() | st.tuples(st.integers(-100, 100), st.integers(-100, 100), verdict),
            "about": st.lists(about, max_size=3, unique_by=lambda each: (each[0][0], each[1])),
        }
    )
    return draw(st.lists(one, min_size=1, max_size=12))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(life=lives())
def test_every_pattern_equals_a_naive_query_over_the_rows(database: Database, life: list[dict[str, Any]]) -> None:
    subject = new_id()
    file(database, _rows(subject, life))
    theirs = {(each["session"], each["speaker"] != "clinician") for each in life}
    spoken = {f"{subject}-s{session}" for session, is_theirs in theirs if is_theirs}
    sessions, weeks = drawn(database, subject)
    assert sessions.keys() == spoken
    for key, each in sessions.items():
        _equals(database, subject, each, Utterance.session == key)
    _counts_equal(database, subject, sessions)
    assert _all(weeks) == _all(sessions)
    for each in weeks.values():
        since, until = (datetime.fromisoformat(str(each[name])) for name in ("since", "until"))
        assert (since.weekday(), until - since) == (0, timedelta(days=7))
        _equals(database, subject, each, and_(Utterance.at >= since, Utterance.at < until))


def _all(patterns: Mapping[str, Pattern]) -> int:
    return sum(int(each["utterances"] or 0) for each in patterns.values())


def _counts_equal(database: Database, subject: str, sessions: Mapping[str, Pattern]) -> None:
    """What the pages count in the database is what the graph has."""
    told = {each.id: each for each in figures.sessions(database, subject) if each.read}
    assert {key: each.read for key, each in told.items()} == {key: each["utterances"] for key, each in sessions.items()}
    shown = {
        (each.session, each.label): each.utterances
        for each in figures.label_counts(database, subject)
        if each.framework == "distortion"
    }
    rates = {(key, label): each[f"{label}_rate"] for key, each in sessions.items() for label in THOUGHTS}
    assert {place: shown.get(place, 0) / told[place[0]].read for place in rates} == rates


def _rows(subject: str, life: list[dict[str, Any]]) -> Planted:
    planted = Planted()
    for number, each in enumerate(life):
        key, session = f"{subject}-{number}", f"{subject}-s{each['session']}"
        same: dict[str, Any] = {"subject": subject, "session": session}
        planted.utterances.append(said(key, minute=each["minute"], speaker=each["speaker"], **same))
        if each["reading"] is not None:
            valence, arousal, word = each["reading"]
            instead = "neutral" if word == "other" else None
            planted.inferences.append(felt(key, valence / 100, arousal / 100, verdict=word, instead=instead, **same))
        for (framework, labels), label, other, word, confidence in each["about"]:
            instead = labels[other] if word == "other" else None
            planted.inferences.append(
                found(key, framework, labels[label], confidence, verdict=word, instead=instead, **same)
            )
    return planted


def _equals(database: Database, subject: str, pattern: Pattern, where: ColumnElement[bool]) -> None:
    mine = and_(Utterance.subject == subject, where, func.coalesce(Utterance.speaker, "") != "clinician")
    with database.read() as transaction:
        of = transaction.scalar(select(func.count()).select_from(Utterance).where(mine)) or 0
        assert pattern["utterances"] == of
        for column, value in ((Inference.valence, pattern["avg_valence"]), (Inference.arousal, pattern["avg_arousal"])):
            mean = transaction.scalar(
                select(func.avg(column))
                .join(Utterance, Utterance.id == Inference.utterance)
                .where(mine, Inference.framework == "affect", func.coalesce(Inference.verdict, "right") == "right")
            )
            assert value == (None if mean is None else pytest.approx(float(mean), abs=1e-12))
        for label in THOUGHTS:
            shown = _shown(transaction, "distortion", label, 0.25, mine)
            assert pattern[f"{label}_rate"] == shown / of
        felt_so = {label: _shown(transaction, "emotion", label, 0.0, mine) for label in FEELINGS}
    most = max(felt_so["joy"], felt_so["sadness"])
    neutral = "neutral" if felt_so["neutral"] else None
    first = "joy" if felt_so["joy"] == most else "sadness"
    assert pattern["dominant_emotion"] == (first if most else neutral)


def _shown(transaction: Transaction, framework: str, label: str, least: float, mine: ColumnElement[bool]) -> int:
    stands = or_(
        and_(Inference.verdict.is_(None), Inference.label == label, Inference.confidence >= least),
        and_(Inference.verdict == "right", Inference.label == label),
        and_(Inference.verdict == "other", Inference.instead == label),
    )
    query = (
        select(func.count(func.distinct(Inference.utterance)))
        .join(Utterance, Utterance.id == Inference.utterance)
        .where(mine, Inference.framework == framework, stands)
    )
    return transaction.scalar(query) or 0
