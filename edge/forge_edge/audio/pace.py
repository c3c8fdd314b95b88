"""How fast somebody speaks: the silence that ends their utterance is learnt from the pauses that they make. Pure."""

from dataclasses import dataclass, replace

DEFAULT_SECONDS = 0.7
"""People pause for up to about half a second within a turn (Heldner & Edlund 2010, Journal of Phonetics 38(4))."""

LONGEST_SECONDS = 2.0
"""People with Parkinson's disease, aphasia or depression pause for one to two seconds within a sentence (Alpert et al.
2001, Journal of Affective Disorders 66(1); Goberman & Elmer 2005); more would keep everybody else waiting."""

MARGIN = 1.5
"""The silence that ends an utterance is this many times the longest pause of the last ones."""

FORGETTING = 0.8
"""What one utterance without a pause leaves of what was learnt beyond the default."""

PROBE_SHARE = 0.4
"""Part of the silence after which the ears try whether what was said is already a whole answer: 0.28 s by default."""

MORE_SHARE = 0.7
"""The same for an answer that more words could follow ("no", "no, that is wrong"): 0.49 s by default."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What is known of a speaker's pauses; a new one knows nothing.

    Attributes:
        pause_seconds: The longest pause of the last utterances, forgotten slowly.
    """

    pause_seconds: float = 0.0

    @property
    def end_silence_seconds(self) -> float:
        """The silence that ends an utterance, `DEFAULT_SECONDS` to `LONGEST_SECONDS`."""
        return min(max(MARGIN * self.pause_seconds, DEFAULT_SECONDS), LONGEST_SECONDS)

    @property
    def probe_silence_seconds(self) -> float:
        """The silence after which a whole answer is taken at once."""
        return PROBE_SHARE * self.end_silence_seconds

    @property
    def more_silence_seconds(self) -> float:
        """The silence after which an answer is taken that more words could follow."""
        return MORE_SHARE * self.end_silence_seconds

    def after(self, pause_seconds: float) -> "Pace":
        """Return what is known after an utterance.

        Args:
            pause_seconds: Its longest pause; also the one after which somebody went on whom the room took for done.
        """
        return replace(self, pause_seconds=max(pause_seconds, FORGETTING * self.pause_seconds))
