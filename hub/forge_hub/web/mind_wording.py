"""Hypotheses in plain words: what kind they are, how weak the method is, and what a clinician has said. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from forge_language.taxonomy import DISTORTIONS, ERIKSON_STAGES, LABELS, NOTES, SCHEMAS

FRAMEWORK_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "distortion": ("Thinking pattern", "Thinking patterns"),
    "emotion": ("Emotion", "Emotions"),
    "affect": ("Mood", "Mood"),
    "stage": ("Stage of life", "Stages of life"),
    "attachment": ("Attachment", "Attachment"),
    "trait": ("Trait", "Traits"),
    "schema": ("Schema", "Schemas"),
    "defence": ("Defence", "Defences"),
    "transference": ("Transference", "Transference"),
    "note": ("Note", "Notes"),
}
"""A framework in words: of one inference, and of many."""

VERDICTS: Final[Mapping[str, str]] = {"right": "Approved", "wrong": "Rejected", "other": "Relabelled"}

_METHODS: Final[Mapping[tuple[str, str], str]] = {
    ("affect", "vader"): (
        "A word list (VADER). On sentences that people rated (EmoBank) it agrees with them at r = .48 for pleasant or "
        "unpleasant and .15 for calm or stirred; two groups of people agree with each other at .66 and .26."
    ),
    ("affect", "head"): (
        "A trained model. On sentences that people rated (EmoBank) it agrees with them at r = .71 for pleasant or "
        "unpleasant and .53 for calm or stirred; two groups of people agree with each other at .66 and .26. News, "
        "fiction and the web, never patients."
    ),
    ("emotion", "head"): (
        "A trained model. Of 28 emotions it finds about half of what people marked (GoEmotions, macro F1 .53, written "
        "comments of strangers); grief, relief and realization least. Speech in a ward was not measured."
    ),
    ("distortion", "head"): (
        "A trained model. Of 222 distorted utterances of a writer whom it did not know it finds 72 %, so silence says "
        "little; of 160 look-alikes it names 5 %; its first label is right at macro F1 .77. A reason to look."
    ),
    ("distortion", "patterns"): (
        "Cited patterns of words. They explain, they do not detect: on 160 sentences of our own, distorted or not, "
        "they agree with the writer at kappa .60. On the type people themselves agree in about a third of cases."
    ),
}
"""How good a method was where it was measured, by framework and method.

Sources: docs/benchmarks.md; of people, the authors of EmoBank (Buechel and Hahn 2017).
"""

_WEAK: Final[Mapping[str, str]] = {
    "distortion": (
        "Even trained models and people agree poorly on the type (weighted F1 about .2 to .4; people agree in about a "
        "third of cases). Take it as a place to look, not as a finding."
    ),
    "emotion": (
        "Of 28 emotions, models of this kind find what people marked about half of the time (GoEmotions, macro F1 .46 "
        "to .52, written comments of strangers). Speech in a ward was not measured."
    ),
    "affect": (
        "Two groups of people agree on such ratings at r = .66 (pleasant or unpleasant) and .26 (calm or stirred). "
        "The second axis is hardly more than a guess."
    ),
    "stage": "Themes in words, not validated. Age is never evidence.",
    "attachment": "Not validated: there are no openly licensed labels, and text alone is near chance.",
    "trait": "Not validated: traits from text alone are near chance, and a mood is no trait.",
    "schema": "Not validated on speech. A belief that was worded once is not a schema.",
    "defence": "Not validated. People agree at kappa .64, the best published models find few (macro F1 about .30).",
    "transference": "Not validated. A suggestion for supervision and nothing else.",
    "note": "A quotation that was found by its words. What was not found may have been said all the same.",
}


_MEANINGS: Final[Mapping[tuple[str, str], str]] = {
    **{("distortion", key): each.definition for key, each in DISTORTIONS.items()},
    **{("stage", each.id): each.question for each in ERIKSON_STAGES},
    **{("schema", key): each.belief for key, each in SCHEMAS.items()},
    **{("note", key): words for key, words in NOTES.items()},
}

_METHOD_WORDS: Final[Mapping[str, str]] = {
    "head": "a trained model",
    "patterns": "patterns of words",
    "head+patterns": "a trained model and patterns of words",
    "vader": "a list of words",
}
"""By `Inference.method`. The name and the version stand beside it where reasons are given."""


@dataclass(frozen=True, slots=True)
class Method:
    """A method that was used, with what is known of how good it is."""

    framework: str
    words: str
    name: str
    inferences: int
    weakness: str


def words_of(code: str) -> str:
    """Return a vocabulary id in words: ``all_or_nothing`` becomes "All or nothing"."""
    words = code.replace("-", " ").replace("_", " ")
    return words[:1].upper() + words[1:]


def framework_words(framework: str, *, many: bool = False) -> str:
    """Return a framework in words."""
    return FRAMEWORK_WORDS.get(framework, (words_of(framework),) * 2)[many]


def method_words(method: str) -> str:
    """Return what inferred something, in words; its name where it has none."""
    return _METHOD_WORDS.get(method, method)


def weakness(framework: str, method: str) -> str:
    """Return how good a method is where that was measured, else what is known of methods of its kind."""
    found = next((words for (of, name), words in _METHODS.items() if of == framework and method.startswith(name)), None)
    return found or _WEAK.get(framework, "Not validated.")


def meaning(framework: str, label: str) -> str:
    """Return what a label means, where its list says so; else nothing."""
    return _MEANINGS.get((framework, label), "")


def other_labels(framework: str, label: str) -> list[tuple[str, str]]:
    """Return the other labels of a framework's closed list, each with its words, by words."""
    return sorted(((each, words_of(each)) for each in LABELS.get(framework, ()) if each != label), key=lambda e: e[1])


def certainty(confidence: float) -> str:
    """Return a confidence in words."""
    return "insufficient evidence" if confidence <= 0 else f"confidence {confidence:.0%}"
