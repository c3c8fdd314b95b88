"""What stands around a danger in its sentence and takes it back: denial, time, person, quotation, supposition.

Each reason is looked for where grammar puts it and not anywhere in the sentence: "I'm not ok I want to die" denies
nothing, and "my brother died last year and I want to die" is about now and about the speaker.
"""

from dataclasses import dataclass
from typing import Final

from forge_language.danger.catalogue import Catalogue, Danger, Reason
from forge_language.danger.patterns import Hit, Line
from forge_language.danger.utterance import Sentence, Word

_NEAR_WORDS: Final = 9
"""How many words to the left of a danger a denial or a supposition may stand."""
_AUXILIARY_WORDS: Final = 3
"""How many words to the left of a verb its auxiliary may stand ("have not all taken")."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A sentence with its cues, found once for all dangers in it.

    Attributes:
        words: Its words without fillers.
        past, present, over, unreal, here, habit: Where such cues begin, as indices of words.
        quick: Whether haste is in it.
        asked: Whether it is a question.
    """

    words: tuple[Word, ...]
    past: tuple[int, ...]
    present: tuple[int, ...]
    over: tuple[int, ...]
    unreal: tuple[int, ...]
    here: tuple[int, ...]
    habit: tuple[int, ...]
    quick: bool
    asked: bool


def scene(sentence: Sentence, line: Line, catalogue: Catalogue) -> Scene:
    """Return a sentence with its cues."""

    def starts(cue: str) -> tuple[int, ...]:
        return tuple(hit.first for hit, _ in catalogue.cues[cue].find(line))

    words = sentence.words
    return Scene(
        words=words,
        past=starts("past"),
        present=starts("present"),
        over=starts("over"),
        unreal=starts("unreal"),
        here=starts("here"),
        habit=starts("habit"),
        quick=any(True for _ in catalogue.cues["quick"].find(sentence.spoken)),
        asked=sentence.asked or (bool(words) and words[0].text in catalogue.questions),
    )


def reasons(around: Scene, hit: Hit, danger: Danger, catalogue: Catalogue) -> frozenset[Reason]:
    """Return why a mention is less than an alarm; empty where it is one."""
    found: set[Reason] = set()
    if _denied(around.words, hit, catalogue):
        found.add("negated")
    if around.words[hit.first].quoted:
        found.add("quoted")
    if _reported(around.words, hit, catalogue):
        found.add("reported")
    if _supposed(around.words, hit, catalogue):
        found.add("conditional")
    if any(start < hit.last and not _between(around, start, hit) for start in around.unreal):
        found.add("unreal")
    third = _of_another(around.words, hit, danger, catalogue)
    past = _past(around, hit, danger, catalogue, third=third)
    if past:
        found.add("past")
    if any(start >= hit.first for start in around.over):
        found.add("over")
    if third and not _here(around, danger, past=past):
        found.add("third-person")
    general = not third or around.words[0].text in catalogue.general_questions
    if around.asked and general and not _first_person(around.words, hit, catalogue):
        found.add("question")
    return frozenset(found - danger.despite)


def _between(around: Scene, start: int, hit: Hit) -> bool:
    """Whether the speaker begins a clause of their own between a cue and the danger."""
    return any(word.clause > around.words[start].clause + 1 for word in around.words[start : hit.first + 1])


def _denied(words: tuple[Word, ...], hit: Hit, catalogue: Catalogue) -> bool:
    """Whether a negator reaches the danger, from inside its gaps or from its left."""
    # A subject in a gap begins a clause of its own, whose denials are its own: "I can't swallow, I can't breathe".
    one_clause = not any(words[index].text in catalogue.nominatives for index in hit.gaps)
    if one_clause and any(_denies(words, index, catalogue) for index in hit.gaps):
        return True
    lifted = False
    for index in range(hit.first - 1, max(-1, hit.first - 1 - _NEAR_WORDS), -1):
        text = words[index].text
        before = words[index - 1].text if index else ""
        if text in catalogue.negators:
            return _denies(words, index, catalogue)
        if text in catalogue.first or text in catalogue.third or text in catalogue.second:
            # A denial crosses a subject only under a verb of thinking: "I don't think I", "it's not that I".
            if lifted or before not in catalogue.lifting:
                return False
            lifted = True
        elif text not in catalogue.through and text not in catalogue.lifting:
            return False
    return False


def _denies(words: tuple[Word, ...], index: int, catalogue: Catalogue) -> bool:
    """Whether a word denies what follows: not in "not only", "cannot stop" and "why don't I"."""
    if words[index].text not in catalogue.negators:
        return False
    following = words[index + 1].text if index + 1 < len(words) else ""
    wish = any(word.text in catalogue.urging for word in words[max(0, index - 2) : index])
    return following not in catalogue.negator_exceptions and not wish


def _reported(words: tuple[Word, ...], hit: Hit, catalogue: Catalogue) -> bool:
    """Whether the danger is what somebody else said or thinks, or what the speaker says not to have said."""
    for index in range(hit.first - 1, -1, -1):
        if words[index].text not in catalogue.reporting:
            continue
        if words[hit.first].clause - words[index].clause > 1:
            return False
        speaker = index - 1
        denied = False
        while speaker >= 0 and words[speaker].clause == words[index].clause:
            text = words[speaker].text
            denied = denied or text in catalogue.negators
            if text in catalogue.first:
                return denied
            if text in catalogue.third or text in catalogue.subjects:
                return True
            speaker -= 1
        return denied
    return False


def _supposed(words: tuple[Word, ...], hit: Hit, catalogue: Catalogue) -> bool:
    """Whether "if" or the like governs the danger, with nothing but its own subject and auxiliaries in between."""
    subjects = 0
    for index in range(hit.first - 1, max(-1, hit.first - 1 - _NEAR_WORDS), -1):
        text = words[index].text
        if text in catalogue.conditions:
            return index == 0 or words[index - 1].text not in catalogue.doubting
        if text in catalogue.first or text in catalogue.third or text in catalogue.second:
            subjects += 1
            if subjects > 1:
                return False
        elif text not in catalogue.consequence and not (index and words[index - 1].text in catalogue.subjects):
            return False
    return False


def _of_another(words: tuple[Word, ...], hit: Hit, danger: Danger, catalogue: Catalogue) -> bool:
    """Whether the danger is somebody else's: the nearest subject decides; without one it is the speaker's."""
    inside = [words[index].text for index in range(hit.first, hit.last)]
    if inside[0] in catalogue.first or any(text in catalogue.selves for text in inside):
        return False
    # "Thinking about my mother's death": whose it is may stand in a gap. What the speaker did with it stays theirs.
    owned = not danger.act and any(
        words[index].text in catalogue.third
        and any(w.text in catalogue.possessives for w in words[index + 1 : index + 2])
        for index in hit.gaps
    )
    if inside[0] in catalogue.third or owned:
        return True
    clause = words[hit.first].clause
    before = [word.text for word in words[: hit.first] if word.clause == clause]
    for text in (*reversed(before), *inside):
        if text in catalogue.first or text in catalogue.second:
            return False
        if text in catalogue.third:
            return True
    return False


def _first_person(words: tuple[Word, ...], hit: Hit, catalogue: Catalogue) -> bool:
    """Whether the speaker is named in the clause of the danger."""
    clauses = {words[hit.first].clause, words[hit.last - 1].clause}
    return any(word.text in catalogue.first for word in words if word.clause in clauses)


def _past(around: Scene, hit: Hit, danger: Danger, catalogue: Catalogue, *, third: bool) -> bool:
    """Whether the danger lies in the past: a cue in its clause, or its verb's form."""
    if any(True for _ in around.present) and not third:
        return False
    clause = around.words[hit.first].clause
    last = around.words[hit.last - 1].clause
    for start in around.past:
        place = around.words[start].clause
        # A cue that follows may open its own clause: "... when I was nineteen".
        if clause <= place <= last + 1 if start >= hit.first else clause == place:
            return True
    if danger.act and (not third or "third-person" in danger.despite):
        return False
    return _past_verb(around.words, hit, catalogue) and not around.quick


def _past_verb(words: tuple[Word, ...], hit: Hit, catalogue: Catalogue) -> bool:
    for index in range(hit.first, hit.last):
        text = words[index].text
        if text not in catalogue.verb_forms:
            continue
        auxiliaries = [word.text for word in words[max(0, index - _AUXILIARY_WORDS) : index]]
        if any(auxiliary in catalogue.past_auxiliaries for auxiliary in auxiliaries):
            return True
        return text in catalogue.past_forms and not any(word in catalogue.perfect for word in auxiliaries)
    return False


def _here(around: Scene, danger: Danger, *, past: bool) -> bool:
    """Whether somebody else's danger is one that the room must act on: theirs is here and now."""
    if past:
        return False
    return bool(around.here) or around.quick or (danger.acute and not around.habit)
