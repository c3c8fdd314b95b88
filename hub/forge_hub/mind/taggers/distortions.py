"""Which thinking patterns an utterance may show."""

from collections.abc import Collection, Sequence
from typing import Final

from forge_hub.mind.fine_tuned import FineTuned
from forge_hub.mind.inference import Framework, Inference
from forge_hub.mind.taggers.placeholders import without_placeholders
from forge_language.distortion_head import DistortionHead, Judged, Measure, Named, distortion_head
from forge_language.distortions import SOURCE, find_distortions


class DistortionTagger:
    """Cognitive distortions by a trained head and by cited patterns. Implements `forge_hub.mind.inference.Tagger`.

    The head decides whether there is one at all, since patterns explain and do not detect; each label says by which of
    the two it was found, or by both. A fine-tuned encoder decides in its place, where the hub has one; the head then
    finds the quotes. Where the head's encoder is not installed, the patterns speak alone.
    """

    framework: Final[Framework] = "distortion"

    def __init__(self, labels: Collection[str], fine_tuned: FineTuned | None = None) -> None:
        self._labels = frozenset(labels)
        self._fine_tuned = fine_tuned

    @property
    def signature(self) -> str:
        """Both methods with their versions."""
        head = distortion_head()
        return SOURCE if head is None else f"head-{self._version(head[0])}+{SOURCE}"

    def infer(self, texts: Sequence[str]) -> list[tuple[Inference, ...]]:
        """Return the distortions of each text: what the head says, best first, then what patterns alone say of it.

        Where a pattern fits within the head's quote of the same label, that is one inference by both methods.
        """
        plain = [without_placeholders(text) for text in texts]
        head = distortion_head()
        if head is None:
            return [self._by_patterns(text) for text in plain]
        version = self._version(head[0])
        return [
            self._by_both(named, version, self._by_patterns(text)) if named else ()
            for text, named in zip(plain, head[0].named(plain, head[1], self._judged(plain)), strict=True)
        ]

    def _judged(self, plain: Sequence[str]) -> Judged | None:
        better = self._fine_tuned
        if better is None or better.manifest.calibration is None:
            return None
        said = better.manifest.calibration
        return Judged(better.read(plain), Measure(said.thresholds[0], said.slope[0], said.shift[0]))

    def _version(self, head: DistortionHead) -> str:
        """Return who says which, and after it who found the quote."""
        better = self._fine_tuned
        return (
            head.version
            if better is None or better.manifest.calibration is None
            else f"{better.version}+{head.version}"
        )

    def _by_both(self, named: Sequence[Named], version: str, fitting: Sequence[Inference]) -> tuple[Inference, ...]:
        found, alone = [], list(fitting)
        for one in named:
            if one.label not in self._labels:
                continue
            same = [hit for hit in alone if hit.label == one.label and hit.start < one.end and one.start < hit.end]
            alone = [hit for hit in alone if hit not in same]
            method, by = ("head+patterns", f"{version}+{same[0].version}") if same else ("head", version)
            found.append(Inference(self.framework, one.label, one.start, one.end, one.confidence, method, by))
        return (*found, *alone)

    def _by_patterns(self, text: str) -> tuple[Inference, ...]:
        method, version = SOURCE.rsplit("-", 1)
        found = [
            Inference(self.framework, tag.label, tag.start, tag.end, tag.confidence, method, version)
            for tag in find_distortions(text)
            if tag.label in self._labels
        ]
        return tuple(sorted(found, key=lambda each: (-each.confidence, each.start, each.label)))
