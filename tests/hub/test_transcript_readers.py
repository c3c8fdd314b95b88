"""Pass A: whatever a transcript looks like, its rows are the same, and what is none is refused in plain words."""

import contextlib
import io
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes import transcripts
from tests.fakes.transcripts import FORMATS, malformed, turns, words

from forge_hub.passes.errors import REFUSALS, TranscriptRefusedError
from forge_hub.passes.pass_a import read_transcript
from forge_hub.passes.readers import Format, format_of
from forge_hub.passes.rows import CHUNK_SIZE, LONGEST, MOST_ROWS, Chunk, QaRow, Rows, parts_of
from forge_language.redaction import redact

SESSION = "0" * 36
SHORT_FUZZ = 300


def chunks(content: bytes, kind: Format) -> list[Chunk]:
    transcript = read_transcript(content, kind)
    return list(Rows("p-1", SESSION, lambda text: redact(text, transcript.names)).chunks(transcript.turns))


def rows(content: bytes | str, kind: Format = "text") -> list[QaRow]:
    return [
        row for chunk in chunks(content.encode() if isinstance(content, str) else content, kind) for row in chunk.rows
    ]


def said(content: bytes | str, kind: Format = "text") -> list[tuple[str, str]]:
    return [(row.speaker, row.text) for row in rows(content, kind)]


def refusal(content: bytes, kind: Format = "text", encoding: str | None = None) -> str:
    with pytest.raises(TranscriptRefusedError) as caught:
        read_transcript(content, kind, encoding)
    assert caught.value.refusal in REFUSALS
    return caught.value.refusal


@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_the_same_conversation_gives_the_same_rows_in_every_format(kind: Format) -> None:
    conversation = turns(120)
    expected = [(row.speaker, row.question, row.text) for row in rows(FORMATS["text"](conversation))]
    assert [(row.speaker, row.question, row.text) for row in rows(FORMATS[kind](conversation), kind)] == expected


@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_no_turn_is_lost_and_none_comes_twice(kind: Format) -> None:
    whole = " ".join(row.text for row in rows(FORMATS[kind](turns(300)), kind))
    assert [whole.count(f"wrote {words(number)} on") for number in range(300)] == [1] * 300


def test_speakers_are_known_by_many_labels() -> None:
    assert said(
        "Therapist: Hi.\nClient: Hello.\nT: And?\nC: Well.\nDr Miller: So?\nPt 1: Yes.\nQ: Why?\nA: It is so."
    ) == [
        ("clinician", "Hi."),
        ("patient", "Hello."),
        ("clinician", "And?"),
        ("patient", "Well."),
        ("clinician", "So?"),
        ("patient", "Yes."),
        ("clinician", "Why?"),
        ("patient", "It is so."),
    ]


def test_names_are_told_by_who_mostly_asks_and_are_redacted_wherever_they_stand() -> None:
    text = "Mark: How are you, Julia?\nJulia: Bad, Mark.\nMark: Since when?\nJulia: Since last week.\n"
    assert said(text) == [
        ("clinician", "How are you, [NAME]?"),
        ("patient", "Bad, [NAME]."),
        ("clinician", "Since when?"),
        ("patient", "Since last week."),
    ]


def test_where_nothing_tells_who_speaks_nobody_is_guessed() -> None:
    assert said("I slept badly.\nIt was the noise.\n") == [
        ("unknown", "I slept badly."),
        ("unknown", "It was the noise."),
    ]
    assert {
        speaker for speaker, _ in said("Ann: It was.\nBea: It is.\nCleo: Is it?\nAnn: No.\nBea: No.\nCleo: Yes.")
    } == {"unknown"}


def test_paragraphs_without_labels_are_turns_and_their_lines_belong_together() -> None:
    assert [text for _, text in said("I slept\nbadly.\n\nIt was\nthe noise.")] == [
        "I slept badly.",
        "It was the noise.",
    ]


def test_a_word_before_a_colon_is_no_speaker_unless_it_comes_back() -> None:
    assert [text for _, text in said("Patient: one thing: I am tired.\nTherapist: Note: rest.\nPatient: Yes.")] == [
        "one thing: I am tired.",
        "Note: rest.",
        "Yes.",
    ]


def test_a_line_without_a_label_goes_on_with_the_turn_before_it() -> None:
    assert said("T: How was it?\nP: It was good.\nAnd then not.\n") == [
        ("clinician", "How was it?"),
        ("patient", "It was good. And then not."),
    ]


def test_questions_and_answers_side_by_side_become_a_row_each() -> None:
    found = rows("question,answer\nHow are you?,I am well\nWhy?,\n,No idea\n", "csv")
    assert [(row.speaker, row.text, row.question) for row in found] == [
        ("clinician", "How are you?", None),
        ("patient", "I am well", "How are you?"),
        ("clinician", "Why?", None),
        ("patient", "No idea", "Why?"),
    ]


def test_markdown_keeps_what_was_said_and_drops_what_is_only_form() -> None:
    text = (
        "---\nauthor: x\n---\n# Title\n\n<!-- not\nsaid -->\n***\n> - **Client:** I *never* [sleep](http://x.test).\n"
    )
    assert said(text, "markdown") == [("patient", "I never sleep.")]


def test_captions_know_voices_and_times() -> None:
    cue = "00:01.500 --> 00:03.000 align:start\n<v Dr Ray>Is it &lt;you&gt;?</v>\n<v Bo>Yes.\n"
    text = f"WEBVTT\n\nSTYLE\n::cue {{}}\n\n{cue}"
    found = rows(text, "vtt")
    assert [(row.speaker, row.text, row.seconds) for row in found] == [
        ("clinician", "Is it <you>?", 1.5),
        ("patient", "Yes.", 1.5),
    ]


def test_a_document_keeps_tables_and_leaves_out_what_was_deleted() -> None:
    body = (
        "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>Client:</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>I am</w:t></w:r></w:p>"
        "<w:p><w:r><w:t>here.</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
        "<w:p><w:del><w:r><w:delText>Secret.</w:delText></w:r></w:del>"
        "<w:r><w:t>Therapist: Good</w:t><w:tab/><w:t>day.</w:t></w:r></w:p>"
    )
    assert said(transcripts.document(body), "docx") == [("patient", "I am here."), ("clinician", "Good day.")]


def test_lists_of_texts_pairs_and_lines_of_json_are_read() -> None:
    assert [text for _, text in said('["I am here", "It is so"]', "json")] == ["I am here", "It is so"]
    assert said('[["T", "So?"], ["C", "Yes."]]', "json") == [("clinician", "So?"), ("patient", "Yes.")]
    assert [row.seconds for row in rows('{"text": "a", "start": 2}\n{"text": "b", "start": "00:03"}', "json")] == [2, 3]
    chat = json.dumps(
        {"chat": {"messages": [{"role": "assistant", "content": "So?"}, {"role": "user", "content": "No."}]}}
    )
    assert said(chat, "json") == [("clinician", "So?"), ("patient", "No.")]


def test_a_long_turn_is_split_after_sentences_and_nothing_of_it_is_lost() -> None:
    sentence = "It went on and on and I could not say a word about it to anybody."
    found = rows("Client: " + " ".join([sentence] * 100) + "\nTherapist: I see.\n")
    assert [row.part for row in found] == [1, 2, 3, 4, 1]
    assert all(len(row.text) <= LONGEST and row.text.endswith(".") for row in found)
    assert " ".join(row.text for row in found[:-1]) == " ".join([sentence] * 100)


@given(st.text(min_size=1, max_size=400), st.integers(min_value=1, max_value=50))
def test_parts_of_a_text_hold_all_of_it(text: str, longest: int) -> None:
    parts = parts_of(text, longest)
    assert all(0 < len(part) <= longest for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_what_redaction_makes_longer_is_split_again() -> None:
    found = rows("Client: " + "ring me on 07700 900123 or ask for Bob. " * 80)
    assert all(len(row.text) <= LONGEST for row in found)
    assert sum(row.redactions.get("PHONE", 0) for row in found) == 80
    assert "900123" not in "".join(row.text for row in found)


def test_a_chunk_holds_fifty_pairs_and_says_all_that_is_needed_to_work_on_it() -> None:
    made = chunks(FORMATS["csv"](turns(400)), "csv")
    assert [chunk.number for chunk in made] == [1, 2, 3, 4]
    for chunk in made:
        assert sum(row.speaker == "patient" and row.part == 1 for row in chunk.rows) == CHUNK_SIZE
        assert all(row.question for row in chunk.rows if row.speaker == "patient")
    ordinals = [row.ordinal for chunk in made for row in chunk.rows]
    assert ordinals == list(range(1, len(ordinals) + 1))


def test_a_chunk_ends_where_only_the_clinician_speaks() -> None:
    made = chunks("\n".join(["T: And what is it that you feel about it now?"] * (2 * MOST_ROWS + 1)).encode(), "text")
    assert [len(chunk.rows) for chunk in made] == [MOST_ROWS, MOST_ROWS, 1]


def test_a_repeat_from_any_chunk_on_gives_the_same_bytes() -> None:
    transcript = read_transcript(FORMATS["json"](turns(420)), "json")
    maker = Rows("p-1", SESSION, lambda text: redact(text, transcript.names))
    whole = [chunk.model_dump_json() for chunk in maker.chunks(transcript.turns)]
    for done in range(1, len(whole)):
        last = Chunk.model_validate_json(whole[done - 1])
        assert [chunk.model_dump_json() for chunk in maker.chunks(transcript.turns, last)] == whole[done:]


@pytest.mark.parametrize(
    ("content", "kind", "expected"),
    [
        (b"", "text", "empty"),
        (b" \n\t\r\n ", "markdown", "empty"),
        (b"a" * (20 * 1024 * 1024 + 1), "text", "too-large"),
        (b"yes\n" * 100_001, "text", "too-many-turns"),
        ("Therapist: Wie geht es Ihnen, Frau M\xfcller?".encode("latin-1"), "text", "encoding"),
        (bytes(range(256)) * 9, "text", "binary"),
        (b"T: hi\x00there", "text", "binary"),
        (b"PK\x03\x04 and so on", "text", "binary"),
        (b"T: hello", "docx", "format"),
        (b"PK\x03\x04 cut", "docx", "broken"),
        (b"WEBVTT\n\nno cue at all", "vtt", "format"),
        (b"# Only\n\n## Headings\n", "markdown", "no-turns"),
        (b"Therapist:\nClient:\n", "text", "no-turns"),
        (b'{"turns": [', "json", "broken"),
        (b"[" * 100_000, "json", "broken"),
        (b'{"numbers": [1, 2, 3]}', "json", "no-text-column"),
        (b"[]", "json", "no-text-column"),
        (b"id,age,height\n1,2,3\n4,5,6\n", "csv", "no-text-column"),
        (b'speaker,text\nT,"' + b"x" * 1_000_001, "csv", "broken"),
        (b"session,text\ns1,I am here\ns2,I was there\n", "csv", "several-sessions"),
        (b'[{"session": 1, "text": "a"}, {"session": 2, "text": "b"}]', "json", "several-sessions"),
    ],
)
def test_what_is_no_transcript_is_refused_with_its_reason(content: bytes, kind: Format, expected: str) -> None:
    assert refusal(content, kind) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Und dann habe ich gesagt, dass ich nicht mehr kann, weil es zu viel wird und niemand mir zuhört, ja",
        "Je ne sais pas quoi faire parce que tout le monde me dit de me reposer mais je ne peux pas dormir la nuit",
        "No puedo dormir porque pienso en todo lo que ha pasado y mi hermana dice que tengo que hablar con alguien",
        "Ik kan niet slapen omdat ik steeds aan mijn werk denk en mijn man zegt dat ik met iemand moet praten",
        "Non riesco a dormire perché penso sempre al lavoro e mio marito dice che devo parlare con qualcuno di tutto",
        "Я не могу спать, потому что всё время думаю о работе",  # noqa: RUF001 (it is Russian)
        "我睡不着因为我一直在想工作的事情 你好吗 我很好",
    ],
)
def test_another_language_is_refused_since_names_would_stay_in_it(text: str) -> None:
    assert refusal(f"Therapist: {text}\nClient: {text}".encode()) == "language"


def test_a_short_answer_needs_no_sentence_to_be_english() -> None:
    assert said("Q: Pain?\nA: No.\n") == [("clinician", "Pain?"), ("patient", "No.")]


def test_a_file_of_another_encoding_is_read_where_it_is_named() -> None:
    text = "Client: It\u2019s my caf\xe9, I like it."
    assert read_transcript(text.encode("cp1252"), "text", "cp1252").turns[0].text == text.removeprefix("Client: ")
    assert read_transcript(text.encode("utf-16"), "text").turns[0].text == text.removeprefix("Client: ")
    assert refusal(text.encode(), "text", "no-such-encoding") == "encoding"
    assert refusal(text.encode(), "text", "zlib") == "encoding"


def test_a_document_that_would_unpack_without_end_is_refused_before_it_does() -> None:
    entities = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    assert refusal(transcripts.document("<w:p><w:r><w:t>&b;</w:t></w:r></w:p>", entities), "docx") == "bomb"
    assert refusal(transcripts.document("<w:p>" * 5000), "docx") == "bomb"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"<a>" + b" " * (65 * 1024 * 1024))
    assert refusal(out.getvalue(), "docx") == "bomb"


def test_a_refusal_repeats_nothing_of_the_file() -> None:
    secret = "Margaret Whitfield"
    for kind in FORMATS:
        with pytest.raises(TranscriptRefusedError) as caught:
            read_transcript(f'{{"{secret}": [{secret}\n\x00'.encode(), kind)
        assert secret not in str(caught.value)
        assert caught.value.__cause__ is None


@pytest.mark.parametrize("seed", range(SHORT_FUZZ))
def test_no_damaged_file_breaks_a_reader(seed: int) -> None:
    kind, content = malformed(seed)
    with contextlib.suppress(TranscriptRefusedError):
        assert all(row.text for chunk in chunks(content, kind) for row in chunk.rows)


def test_the_format_follows_from_the_name() -> None:
    names = {
        "a.MD": "markdown",
        "b.txt": "text",
        "c.tsv": "csv",
        "d.jsonl": "json",
        "e.vtt": "vtt",
        "f.docx": "docx",
        "g": "text",
    }
    assert {name: format_of(name) for name in names} == names


def test_the_published_schema_of_a_row_is_the_one_in_use() -> None:
    published = Path(__file__).parents[2] / "docs" / "schemas" / "qa-row.json"
    assert json.loads(published.read_text(encoding="utf-8")) == QaRow.model_json_schema()
