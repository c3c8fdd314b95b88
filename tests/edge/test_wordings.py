import json
from importlib import resources
from pathlib import Path

import pytest

from forge_edge.errors import EngineMissingError
from forge_edge.speech import grammar
from forge_edge.speech.grammar import Meaning
from forge_edge.speech.wordings import Wordings, read, wordings
from forge_shared.errors import FormInvalidError
from forge_shared.forms.elements import SPOKEN_AS, AnswerOption, Coding, Extension
from forge_shared.forms.questionnaire import Item, Questionnaire, installed

FORMS = installed()
GERMAN = {
    "language": "de",
    "answers": {"an einzelnen tagen": ["ab und zu"], "ja": ["genau", "jawohl"], "nein": ["nie", "ach nein"]},
    "numbers": {"7": ["sieben"], "8": ["acht"]},
    "number_frames": ["{}", "etwa {}"],
    "confirmations": {"yes": ["ja", "stimmt"], "no": ["nein", "falsch"]},
    "decoys": ["alexa"],
    "hallucinations": ["untertitel im auftrag"],
    "safety": {"help": ["hilfe"]},
}


def form(*options: tuple[str, ...]) -> tuple[Questionnaire, Item]:
    answer_options = tuple(
        AnswerOption(
            value_coding=Coding(system="urn:test", code=f"c{index}", display=display),
            extension=tuple(Extension(url=SPOKEN_AS, value_string=words) for words in further),
        )
        for index, (display, *further) in enumerate(options)
    )
    item = Item(link_id="q1", type="choice", text="?", answer_option=answer_options)
    made = Questionnaire(
        resource_type="Questionnaire",
        id="own",
        url="https://example.org/own",
        version="1",
        title="t",
        status="active",
        item=(item,),
    )
    return made, item


@pytest.mark.parametrize(
    ("form_id", "question", "phrase", "code"),
    [
        *(("phq-9", 0, "a few days", "LA6569-3"), ("phq-9", 8, "pretty much every day", "LA6571-9")),
        *(("gad-7", 0, "most days", "LA6570-1"), ("phq-2", 1, "never", "LA6568-5")),
        *(("phq-9", 9, "really hard", "LA6574-3"), ("asq", 0, "nope", "no"), ("asq", 4, "yup", "yes")),
        *(("asq", 1, "yeah", "yes"), ("asq", 2, "nah", "no"), ("asq", 3, "i'd rather not say", "refused")),
    ],
)
def test_an_answer_may_be_worded_as_people_do(form_id: str, question: int, phrase: str, code: str) -> None:
    item = FORMS[form_id].questions[question]
    meaning = grammar.answers(FORMS[form_id], item).meaning(phrase)
    assert meaning is not None
    assert meaning.kind == "answer"
    displays = {option.code: option.display for option in item.answer_option}
    assert meaning.code == code or displays[meaning.code] == code


def test_no_phrase_of_any_shipped_question_has_two_meanings_or_none() -> None:
    for shipped in FORMS.values():
        for item in (item for item in shipped.questions if item.answer_option):
            asked = grammar.answers(shipped, item)
            assert len(asked.grammar.phrases) == len(set(asked.grammar.phrases)) == len(asked.grammar.senses)
            for option in item.answer_option:
                rivals = [other for other in item.answer_option if other.code != option.code]
                for phrase in wordings().further(option.display.lower()):
                    assert not any(phrase in wordings().further(rival.display.lower()) for rival in rivals)


def test_a_vague_or_bare_word_is_no_answer_to_how_often() -> None:
    asked = grammar.answers(FORMS["phq-9"], FORMS["phq-9"].questions[0])
    for words in ("two", "sometimes", "often", "half the days", "no", "yes", "days"):
        assert asked.meaning(words) is None


def test_a_denial_differs_from_an_affirmation_by_more_than_one_soft_sound() -> None:
    asked = grammar.answers(FORMS["asq"], FORMS["asq"].questions[0])
    for words in ("i have", "i haven't", "i did", "i didn't", "i do", "i don't"):
        assert asked.meaning(words) is None


@pytest.mark.parametrize(("phrase", "code"), [("seven", "7"), ("about a seven", "7"), ("ten out of ten", "10")])
def test_a_pain_score_is_answered_by_its_number(phrase: str, code: str) -> None:
    item = FORMS["pain"].questions[0]
    meaning = grammar.answers(FORMS["pain"], item).meaning(phrase)
    assert meaning is not None
    assert {option.code: option.display for option in item.answer_option}[meaning.code] == code


def test_what_two_options_claim_means_neither() -> None:
    asked = grammar.answers(*form(("Fairly well", "so so"), ("Badly", "so so")))
    assert asked.meaning("so so") is None
    assert asked.meaning("badly") == Meaning("answer", "c1")
    with pytest.raises(FormInvalidError, match="own"):
        grammar.answers(*form(("so so",), ("So so",)))


def test_the_authors_wording_beats_the_catalogue_and_a_command_does_too() -> None:
    asked = grammar.answers(*form(("No", "yup"), ("Yes",)))
    assert asked.meaning("yup") == Meaning("answer", "c0")
    assert asked.meaning("yeah") == Meaning("answer", "c1")
    words = wordings().model_copy(update={"answers": {"no": ("stop", "nope")}})
    given = grammar.answers(*form(("No",), ("Yes",)), words)
    assert given.meaning("stop") == Meaning("command", "stop")
    assert given.meaning("nope") == Meaning("answer", "c0")


def test_a_second_language_is_a_second_file(tmp_path: Path) -> None:
    path = tmp_path / "de.json"
    path.write_text(json.dumps(GERMAN), encoding="utf-8")
    german = read(path)
    asked = grammar.answers(*form(("Ja",), ("Nein",), ("An einzelnen Tagen",)), german)
    assert asked.meaning("jawohl") == Meaning("answer", "c0")
    assert asked.meaning("ab und zu") == Meaning("answer", "c2")
    assert grammar.confirmation(german).meaning("stimmt") == Meaning("confirmation", "yes")
    assert grammar.answers(*form(("7",), ("8",)), german).meaning("etwa acht") == Meaning("answer", "c1")


@pytest.mark.parametrize(
    "change",
    [
        {"confirmations": {"yes": ["ja"], "no": ["ja"]}},
        {"confirmations": {"yes": ["ja"]}},
        {"answers": {"ja": ["genau", "genau"]}},
        {"answers": {"ja": ["Genau!"]}},
        {"number_frames": ["etwa"]},
        {"more": []},
    ],
)
def test_a_broken_catalogue_is_refused(change: dict[str, object], tmp_path: Path) -> None:
    path = tmp_path / "de.json"
    path.write_text(json.dumps(GERMAN | change), encoding="utf-8")
    with pytest.raises(EngineMissingError, match="catalogue"):
        read(path)


def test_a_language_without_a_catalogue_is_refused() -> None:
    with pytest.raises(EngineMissingError):
        wordings("xx")


def test_every_shipped_catalogue_is_complete() -> None:
    folder = resources.files("forge_edge.speech") / "catalogues"
    for file in folder.iterdir():
        catalogue = wordings(file.name.removesuffix(".json"))
        assert isinstance(catalogue, Wordings)
        assert f"{catalogue.language}.json" == file.name
        assert all(catalogue.answers.values())
        assert set(catalogue.numbers) == {str(number) for number in range(11)}
        assert catalogue.safety
