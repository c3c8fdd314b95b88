"""Which clinical instruments may be shipped, which a site may bring itself, and which are refused."""

import re
from dataclasses import dataclass
from typing import Literal

from forge_shared.errors import FormInvalidError
from forge_shared.forms.intake import Warned

Terms = Literal["shipped", "opt-in", "refused"]


@dataclass(frozen=True, slots=True)
class Licence:
    """What an instrument's owner allows.

    Attributes:
        instrument: The instrument's usual name.
        names: Words by which a title or address is recognised, in lower case, letters and digits only.
        codes: LOINC codes of the whole instrument.
        terms: ``shipped`` with this software; ``opt-in``: a site brings it under an agreement of its own; ``refused``:
            is not imported at all.
        licence: What the owner says, in our words.
        source: Where that can be read.
    """

    instrument: str
    names: tuple[str, ...]
    codes: tuple[str, ...]
    terms: Terms
    licence: str
    source: str


REGISTRY: tuple[Licence, ...] = (
    Licence(
        "PHQ-9",
        ("phq9", "patienthealthquestionnaire9"),
        ("44249-1",),
        "shipped",
        "free; Pfizer asks for no permission to reproduce, translate, display or distribute",
        "https://www.phqscreeners.com",
    ),
    Licence(
        "PHQ-2",
        ("phq2", "patienthealthquestionnaire2"),
        ("55757-9",),
        "shipped",
        "free; Pfizer asks for no permission to reproduce, translate, display or distribute",
        "https://www.phqscreeners.com",
    ),
    Licence(
        "GAD-7",
        ("gad7", "generalizedanxietydisorder7"),
        ("69737-5",),
        "shipped",
        "free; Pfizer asks for no permission to reproduce, translate, display or distribute",
        "https://www.phqscreeners.com",
    ),
    Licence(
        "ASQ",
        ("askscreeningquestions", "asksuicidescreeningquestions"),
        (),
        "shipped",
        "free resource of the US National Institute of Mental Health",
        "https://www.nimh.nih.gov/research/research-conducted-at-nimh/asq-toolkit-materials",
    ),
    Licence(
        "Columbia Suicide Severity Rating Scale",
        ("cssrs", "columbiasuicideseverity", "columbiaprotocol"),
        (),
        "refused",
        "may not be redistributed, and its electronic use is licensed exclusively",
        "https://cssrs.columbia.edu",
    ),
    Licence(
        "K10",
        ("k10", "kessler10", "kesslerpsychologicaldistress"),
        (),
        "opt-in",
        "copyright Ronald C. Kessler; a site sees to its own permission",
        "https://www.hcp.med.harvard.edu/ncs/k6_scales.php",
    ),
    Licence(
        "WHO-5",
        ("who5", "whofivewellbeing"),
        (),
        "opt-in",
        "copyright World Health Organization, under a non-commercial share-alike licence",
        "https://www.who.int/publications/m/item/WHO-UCN-MSD-MHE-2024.01",
    ),
)
"""Whatever is not listed here is unknown, which no warning can mend: a site answers for what it imports."""


def of(title: str, url: str, codes: tuple[str, ...]) -> Licence | None:
    """Return the licence of the instrument that a form seems to be, by its title, address or LOINC codes."""
    runs = {run for text in (title, url.rsplit("/", 1)[-1]) for run in _runs(text)}
    for licence in REGISTRY:
        if set(codes) & set(licence.codes) or any(_is_named(run, known) for run in runs for known in licence.names):
            return licence
    return None


def checked(name: str, title: str, url: str, codes: tuple[str, ...]) -> tuple[Warned, ...]:
    """Return the warnings that an instrument's licence calls for.

    Raises:
        FormInvalidError: The instrument is one that is refused.
    """
    licence = of(title, url, codes)
    if licence is None or licence.terms == "shipped":
        return ()
    if licence.terms == "refused":
        raise FormInvalidError(f"{name} is the {licence.instrument}, which {licence.licence} ({licence.source})")
    return (Warned("licence.opt-in", None, f"{licence.instrument}: {licence.licence} ({licence.source})"),)


def _runs(text: str) -> set[str]:
    """Return every run of up to six words of ``text``, joined, so that "PHQ-9", "PHQ 9" and "PHQ9" are the same."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    return {
        "".join(words[start:end])
        for start in range(len(words))
        for end in range(start + 1, min(start + 7, len(words) + 1))
    }


def _is_named(run: str, known: str) -> bool:
    """Tell whether a run of words is the name ``known``, or begins with it where it ends in no number."""
    return run == known or (not known[-1].isdigit() and run.startswith(known))
