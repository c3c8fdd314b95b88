"""What a language knows of danger: words, verbs, phrases, idioms and cues, read from its JSON file.

A second language is a second file; nothing in the code knows English.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from itertools import chain
from typing import Any, Final, Literal, get_args

from forge_language.danger.patterns import Pattern, Phrasebook

Category = Literal[
    "help",
    "chest-pain",
    "breathing",
    "overdose",
    "wish-to-die",
    "self-harm",
    "violence",
    "abuse",
    "stroke-collapse",
    "bleeding",
]
Priority = Literal["none", "note", "staff", "urgent"]
Reason = Literal["negated", "past", "over", "quoted", "reported", "third-person", "conditional", "question", "unreal"]
"""Why a mention by a phrase is less than an alarm: it is denied, lies in the past, is over, stands in quotation marks,
is what somebody else said, is about somebody else, is only supposed, is asked in general, or happens in a story or a
dream."""
Cue = Literal["past", "present", "over", "unreal", "here", "habit", "quick"]


@dataclass(frozen=True, slots=True)
class Danger:
    """What a phrase means where nothing around it takes it back.

    Attributes:
        category: Which danger.
        priority: How soon somebody must come.
        confidence: 0 to 1: how sure the phrase is where it stands alone.
        despite: Reasons that do not apply: a threat that is reported is still a threat.
        acute: Whether it counts for whoever is in the room, and not for the speaker alone.
        act: Whether it is over in the moment it is done, so that the simple past tells of now ("I took them all").
    """

    category: Category
    priority: Priority
    confidence: float
    despite: frozenset[str]
    acute: bool
    act: bool


@dataclass(frozen=True)
class Catalogue:
    """One language.

    Attributes:
        contractions: Words that stand for several, or for their usual spelling.
        endings: Endings that are words of their own, the longest first.
        fillers: Words that mean nothing here.
        address: Forms of address.
        leads_to_address: Words after which a form of address is an object ("call the nurse").
        clause_openers: Words that begin a clause.
        clause_joiners: Words that begin a clause where a subject follows.
        subjects: Words that can begin a clause as its subject.
        nominatives: Pronouns that are subjects and nothing else.
        first: Words for the speaker.
        selves: Words for the speaker that own nothing ("my" does).
        third: Words for others.
        possessives: What makes the word before it an owner.
        second: Words for whom the speaker speaks to.
        negators: Words that deny.
        negator_exceptions: Words after a negator that undo it ("not only", "cannot stop").
        through: Words that a denial reaches through ("not thinking of").
        lifting: Verbs through which a denial reaches into the next clause ("I don't think I").
        doubting: Words before "if" with which nothing is supposed ("I don't know if").
        conditions: Words that suppose.
        consequence: Words through which a supposition reaches.
        reporting: Verbs of speech and thought.
        urging: Words before a negator that turn it into a wish ("why don't I").
        questions: Words that begin a question.
        general_questions: Those that ask about people at large ("do people").
        perfect: Auxiliaries with which a past form tells of now.
        past_auxiliaries: Auxiliaries that put a following verb into the past.
        verb_forms: Every form of every verb.
        past_forms: Forms that are the simple past and nothing that tells of now.
        idioms: Figures of speech and look-alikes.
        dangers: What is looked for.
        cues: What else in a sentence matters.
    """

    contractions: Mapping[str, tuple[str, ...]]
    endings: tuple[tuple[str, tuple[str, ...]], ...]
    fillers: frozenset[str]
    address: frozenset[str]
    leads_to_address: frozenset[str]
    clause_openers: frozenset[str]
    clause_joiners: frozenset[str]
    subjects: frozenset[str]
    nominatives: frozenset[str]
    first: frozenset[str]
    selves: frozenset[str]
    third: frozenset[str]
    possessives: frozenset[str]
    second: frozenset[str]
    negators: frozenset[str]
    negator_exceptions: frozenset[str]
    through: frozenset[str]
    lifting: frozenset[str]
    doubting: frozenset[str]
    conditions: frozenset[str]
    consequence: frozenset[str]
    reporting: frozenset[str]
    urging: frozenset[str]
    questions: frozenset[str]
    general_questions: frozenset[str]
    perfect: frozenset[str]
    past_auxiliaries: frozenset[str]
    verb_forms: frozenset[str]
    past_forms: frozenset[str]
    idioms: Phrasebook[None]
    dangers: Phrasebook[Danger]
    cues: Mapping[str, Phrasebook[None]]


_WORD_SETS: Final = (
    "fillers",
    "address",
    "leads_to_address",
    "clause_openers",
    "clause_joiners",
    "subjects",
    "nominatives",
    "first",
    "selves",
    "third",
    "possessives",
    "second",
    "negators",
    "negator_exceptions",
    "through",
    "lifting",
    "doubting",
    "conditions",
    "consequence",
    "reporting",
    "urging",
    "questions",
    "general_questions",
    "perfect",
    "past_auxiliaries",
)


@lru_cache(maxsize=8)
def catalogue(language: str) -> Catalogue:
    """Return a shipped language's catalogue, read and compiled at its first use.

    Raises:
        ValueError: There is no such language, or its file is faulty.
    """
    file = resources.files("forge_language.danger").joinpath(f"{language}.json")
    if not language.isalpha() or not file.is_file():
        raise ValueError("there is no catalogue of this language")
    return read(json.loads(file.read_text(encoding="utf-8")))


def read(data: Mapping[str, Any]) -> Catalogue:
    """Return the catalogue that a language's file describes.

    Raises:
        ValueError: A phrase cannot be read, or a category, priority or cue is unknown.
        KeyError: A part is missing.
    """
    verbs: dict[str, tuple[str, ...]] = {}
    past: set[str] = set()
    telling_of_now: set[str] = set()
    for forms in data["verbs"]:
        base, third, simple_past, participle, progressive = forms.split()
        verbs[base] = tuple(dict.fromkeys((base, third, simple_past, participle, progressive)))
        past.add(simple_past)
        telling_of_now |= {base, third, progressive}
    classes = {name: tuple(members) for name, members in data["classes"].items()}

    def book(sources: list[str]) -> Phrasebook[None]:
        return Phrasebook((Pattern(source, classes, verbs), None) for source in sources)

    dangers = [
        (Pattern(source, classes, verbs), _danger(group)) for group in data["dangers"] for source in group["phrases"]
    ]
    return Catalogue(
        contractions={word: tuple(opened.split()) for word, opened in data["contractions"].items()},
        endings=tuple((ending, tuple(opened.split())) for ending, opened in data["endings"]),
        **{name: frozenset(data["words"][name]) for name in _WORD_SETS},
        verb_forms=frozenset(chain.from_iterable(verbs.values())),
        past_forms=frozenset(past - telling_of_now),
        idioms=book([source for sources in data["idioms"].values() for source in sources]),
        dangers=Phrasebook(dangers),
        cues={name: book(data["cues"][name]) for name in get_args(Cue)},
    )


def _danger(group: Mapping[str, Any]) -> Danger:
    category, priority = group["category"], group["priority"]
    despite = frozenset(group.get("despite", ()))
    if category not in get_args(Category) or priority not in get_args(Priority) or not despite <= {*get_args(Reason)}:
        raise ValueError("a group of the catalogue has an unknown category, priority or reason")
    return Danger(
        category=category,
        priority=priority,
        confidence=group["confidence"],
        despite=despite,
        acute=group.get("acute", False),
        act=group.get("act", False),
    )
