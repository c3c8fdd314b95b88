"""What the tagger of the redactor is trained on: labelled texts of three sources, in three ways of writing.

Sources: sentences of our own (`sentences`, filled by `values`); presidio_synth (MIT), each sentence as it is and its
templates filled anew; GoEmotions (CC BY 4.0), comments whose masked names are filled in and whose other words with
capitals are left out of training, for nobody labelled them.
"""

import random
import re
from collections.abc import Iterable
from typing import Final

from models.redaction.corpus import CORPORA, ROOT, Lesson, Writing, corpus, corpus_rows, written_as
from models.redaction.sentences import LABELS, NAMED, PLAIN
from models.redaction.values import Values

from forge_language.tagging.lexicon import Lexicon, read_lexicon

LEXICON: Final = ROOT / "shared" / "forge_language" / "tagging" / "lexicon.npz"

_WORD: Final = re.compile(r"[^\W\d_]+(?:['\u2019]\w+)?")
_SELF: Final = re.compile(r"I(?:['\u2019]\w+)?$")
_SLOT: Final = re.compile(r"\{(\w+)\}")
_CORPUS_SLOT: Final = re.compile(r"\{\{(\w+)\}\}")
_CORPUS_SLOTS: Final = {
    "person": "name",
    "first_name": "first",
    "last_name": "last",
    "organization": "org",
    "company": "org",
    "street_name": "streetname",
    "building_number": "building",
    "secondary_address": "unit",
    "postcode": "zip",
    "zipcode": "zip",
    "phone_number": "phone",
    "credit_card_number": "card",
    "ssn": "number",
    "us_driver_license": "number",
    "date_of_birth": "date",
    "date_time": "date",
    "day_of_week": "weekday",
    "state_abbr": "state",
    "prefix": "title",
    "email": "mail",
    "ip_address": "ip",
}
_GENDERED: Final = re.compile(r"_(?:male|female|nonbinary)$")


def templates(left_out: frozenset[int]) -> list[str]:
    """Return the templates of presidio_synth without those left out, with slots as in `sentences`."""
    found = {row["template_id"]: row["masked"] for row in corpus_rows() if row["template_id"] not in left_out}
    return [
        _CORPUS_SLOT.sub(lambda slot: "{" + _corpus_slot(slot[1]) + "}", masked)
        for masked in found.values()
        if "{{" in masked
    ]


def _corpus_slot(name: str) -> str:
    plain = _GENDERED.sub("", name)
    return _CORPUS_SLOTS.get(plain, plain)


def filled(template: str, values: Values) -> Lesson:
    """Return a sentence with its slots filled."""
    text, spans, before = "", [], 0
    for slot in _SLOT.finditer(template):
        text += template[before : slot.start()]
        value = values.fill(slot[1])
        if slot[1] in LABELS:
            spans.append((len(text), len(text) + len(value), LABELS[slot[1]]))
        text += value
        before = slot.end()
    return Lesson(text + template[before:], tuple(spans))


def own(values: Values, times: int) -> list[Lesson]:
    """Return the sentences of our own, each filled this often."""
    named = [line.replace("\\n", "\n") for line in NAMED.strip().split("\n")]
    plain = [line.replace("\\n", "\n") for line in PLAIN.strip().split("\n")]
    return [filled(line, values) for line in (*named, *plain) for _ in range(times)]


def comments(values: Values, count: int, seed: int) -> list[Lesson]:
    """Return comments of GoEmotions' training part with names filled in.

    Raises:
        OSError: The corpus is not there.
    """
    lines = (CORPORA / "goemotions" / "train.tsv").read_text(encoding="utf-8").splitlines()
    texts = [line.split("\t")[0].replace("{", "(").replace("}", ")") for line in lines]
    random.Random(seed).shuffle(texts)
    masked = [text for text in texts if "[NAME]" in text]
    lexicon = read_lexicon(LEXICON.read_bytes())
    return [_comment(text, values, lexicon) for text in texts[:count] + masked[:count]]


def _comment(text: str, values: Values, lexicon: Lexicon) -> Lesson:
    lesson = filled(text.replace("[NAME]", "{first}").replace("[RELIGION]", "Christian"), values)
    named = [(start, end) for start, end, _ in lesson.spans]
    words = [
        word for word in _WORD.finditer(lesson.text) if not any(start <= word.start() < end for start, end in named)
    ]
    known = lexicon.look_up([_stem(word[0]) for word in words])
    unknown = []
    for word, (common, first, family, place) in zip(words, known, strict=True):
        before = lesson.text[: word.start()].rstrip()
        capital = word[0][:1].isupper() and not _SELF.match(word[0])
        # Only the names of known people were masked: rare words, listed ones and those with a capital may be others'.
        rare = common == 0 or (common < 3 and (first or family or place))
        if rare or (capital and before and before[-1] not in ".!?:\n\"'\u201c*"):
            unknown.append(word.span())
    return Lesson(lesson.text, lesson.spans, tuple(unknown))


def _stem(word: str) -> str:
    """Return a word as the lexicon lists it."""
    return word.casefold().replace("\u2019", "'").removesuffix("'s")


def masked(lesson: Lesson, chance: random.Random) -> Lesson:
    """Return a lesson in which some spans are redacted already, as a second reading meets them."""
    text, spans, before = "", [], 0
    for start, end, kind in lesson.spans:
        text += lesson.text[before:start]
        if chance.random() < 0.5:
            text += f"[{kind}]"
        else:
            spans.append((len(text), len(text) + end - start, kind))
            text += lesson.text[start:end]
        before = end
    return Lesson(text + lesson.text[before:], tuple(spans))


def all_lessons(left_out: frozenset[int], seed: int) -> Iterable[Lesson]:
    """Yield what a head is trained on when it must not know some of the corpus's templates."""
    chance = random.Random(seed)
    values = Values(seed)
    known = [lesson for lesson in corpus() if lesson.template not in left_out]
    for lesson in known:
        yield lesson
        yield written_as(lesson, chance.choice(["lower", "bare"]))
    patterns = templates(left_out)
    made = [filled(chance.choice(patterns), values) for _ in range(3000)]
    made += own(values, 20)
    for lesson in (*made, *comments(values, 6000, seed)):
        writing: Writing = chance.choice(["cased", "cased", "lower", "bare"])
        if lesson.spans and not lesson.unlabelled and chance.random() < 0.1:
            lesson = masked(lesson, chance)  # noqa: PLW2901 (the same sentence, read again)
        yield written_as(lesson, writing)
