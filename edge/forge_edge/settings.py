"""The node's settings: environment variables ``FORGE_EDGE_…``, read once at the start, by core and children alike.

Where a variable is not set, the profile of the machine (`forge_edge.device`) may have a default of its own.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from forge_edge.device.probe import probed
from forge_edge.device.profiles import NAMES, Profile, profile_of
from forge_edge.errors import NodeConfigError
from forge_edge.speech import whisper_package
from forge_edge.wake.decision import DEFAULT_THRESHOLD
from forge_edge.wake.micro import BUILT_IN_WORDS
from forge_shared.enrolment import Credentials
from forge_shared.plan import WakeThreshold, WordsPerMinute
from forge_shared.releases import Hardware

PREFIX = "FORGE_EDGE_"
"""What the names of the settings' environment variables begin with."""

_LEAST_MEMORY_BYTES = 3_500_000_000
"""Loading Whisper takes up to 650 MB and keeping it 350 (ADR 0027): a machine sold with 4 GB has room for that beside
the rest of the node, one with 2 GB may lose its ears."""


class NodeSettings(BaseSettings):
    """How a room node is run."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True)

    state_dir: Annotated[
        Path, Field(description="Folder of the outbox, the dialogue's state and the children's socket; mode 0700.")
    ] = Path("~/.local/state/forge-edge")
    credentials: Annotated[
        Path | None,
        Field(
            description="File written by `forge-edge enrol`, replaced at a renewal. Without it the room works alone."
        ),
    ] = None
    key_file: Annotated[
        Path | None,
        Field(description="Key that seals what the node keeps; default: keys/device.key in the state folder."),
    ] = None
    hardware: Annotated[
        Literal["auto", Hardware],
        Field(description="Profile of the machine, which changes some defaults below; auto: as it is probed."),
    ] = "auto"
    form: Annotated[str, Field(description="The questionnaire that 'my form' means.")] = "phq-9"
    forms_dir: Annotated[Path | None, Field(description="Folder of the site's own questionnaires (FHIR JSON).")] = None
    room_plan: Annotated[
        Path | None,
        Field(
            description="What staff have set for the room (JSON): reminders, quiet hours, menu. The hub's comes first."
        ),
    ] = None
    known_names: Annotated[
        Path | None, Field(description="File with one name a line (staff, patients) that is always redacted.")
    ] = None
    redaction: Annotated[
        Literal["kind", "surrogate"],
        Field(
            description="What stands for a name, a place or an organisation in words that leave the room: its kind, as "
            "in [NAME], or an invented word, the same for the same one within a session."
        ),
    ] = "kind"
    audio: Annotated[
        Literal["microphone", "file", "simulated"], Field(description="Where sound comes from and goes to.")
    ] = "microphone"
    audio_input: Annotated[str | None, Field(description="Name of the microphone; default: the system's.")] = None
    audio_output: Annotated[str | None, Field(description="Name of the loudspeaker; default: the system's.")] = None
    audio_file: Annotated[Path | None, Field(description="Sound file to listen to, with audio=file.")] = None
    room_script: Annotated[Path | None, Field(description="Simulated patient (JSON), with audio=simulated.")] = None
    room_speed: Annotated[
        float, Field(ge=0, le=1000, description="Speed of the simulated room: 1 is real time, 0 as fast as it goes.")
    ] = 1.0
    wake_words: Annotated[
        tuple[str, ...], Field(min_length=1, description=f"Built-in wake words: {', '.join(BUILT_IN_WORDS)}.")
    ] = ("hey_jarvis", "okay_nabu")
    wake_models: Annotated[
        tuple[Path, ...], Field(description="The site's own wake words: openWakeWord models (.onnx).")
    ] = ()
    wake_threshold: Annotated[
        WakeThreshold,
        Field(
            description="Score of a built-in wake word from which a room wakes: higher, rarer; the hub's comes first."
        ),
    ] = DEFAULT_THRESHOLD
    hearing: Annotated[
        Literal["auto", "light", "whisper"],
        Field(description="light: pocketsphinx, twice; whisper: a third hearing; auto: that, if installed and 3.5 GB."),
    ] = "auto"
    whisper_model: Annotated[
        Path | None, Field(description="Folder of a CTranslate2 Whisper model; default: the installed package's.")
    ] = None
    piper_voice: Annotated[Path | None, Field(description="A piper voice (.onnx); default: espeak-ng.")] = None
    voice: Annotated[str, Field(description="espeak-ng voice of the room.")] = "en-gb"
    words_per_minute: Annotated[
        WordsPerMinute, Field(description="How fast the room speaks; what the hub sets for the room comes first.")
    ] = 150
    outbox_limit_megabytes: Annotated[
        int, Field(ge=1, le=100_000, description="Above this size the oldest records are thinned, never alarms.")
    ] = 500

    canary_minutes: Annotated[
        float,
        Field(ge=0.01, le=120, description="How often the room proves that an alarm would come through. As the hub's."),
    ] = 10.0

    home_assistant: Annotated[
        bool,
        Field(description="Whether the room shows itself to the site's Home Assistant, by way of the hub's broker."),
    ] = True

    camera: Annotated[
        SecretStr | None,
        Field(
            description="What the room sees with: `/dev/video0`, `rtsp://…`, a GStreamer pipeline, a video file, or "
            "`simulated`. Without it there are no eyes."
        ),
    ] = None
    camera_script: Annotated[
        Path | None, Field(description="Log of keypoints (.npz) that a simulated camera plays, with camera=simulated.")
    ] = None
    camera_speed: Annotated[
        float, Field(ge=0, le=1000, description="Speed of a video file or a simulated camera; as the simulated room's.")
    ] = 1.0
    camera_rate: Annotated[float, Field(ge=1, le=30, description="Most looks a second.")] = 10.0

    screen_port: Annotated[
        int | None,
        Field(ge=1024, le=65535, description="Port of 127.0.0.1 for the room's screen. Without it there is none."),
    ] = None
    screen_night_begins_hour: Annotated[
        int, Field(ge=0, le=23, description="Local hour from which the screen is dark; as the next: never.")
    ] = 21
    screen_night_ends_hour: Annotated[int, Field(ge=0, le=23, description="Local hour until which it is dark.")] = 7

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the machine's profile behind everything that somebody has set."""
        del dotenv_settings, file_secret_settings  # neither is used
        return init_settings, env_settings, _ProfileDefaults(settings_cls)

    @field_validator("wake_words")
    @classmethod
    def _check_words(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [word for word in value if word not in BUILT_IN_WORDS]:
            raise ValueError(f"{len(unknown)} of the wake words are not built in: {', '.join(BUILT_IN_WORDS)}")
        return value

    @model_validator(mode="after")
    def _check_audio(self) -> Self:
        if self.audio == "file" and self.audio_file is None:
            raise ValueError("audio=file needs FORGE_EDGE_AUDIO_FILE")
        if self.audio == "simulated" and self.room_script is None:
            raise ValueError("audio=simulated needs FORGE_EDGE_ROOM_SCRIPT")
        return self

    @model_validator(mode="after")
    def _check_camera(self) -> Self:
        if self.camera is not None and self.camera.get_secret_value() == "simulated" and self.camera_script is None:
            raise ValueError("camera=simulated needs FORGE_EDGE_CAMERA_SCRIPT")
        return self

    @property
    def folder(self) -> Path:
        """The state folder with ``~`` expanded."""
        return self.state_dir.expanduser()

    @property
    def profile(self) -> Profile | None:
        """The profile of the machine; None: none fits, and nobody has set one."""
        return probed() if self.hardware == "auto" else profile_of(self.hardware)

    @property
    def machine_kind(self) -> Hardware | None:
        """The name of that profile, as the twin reports it and releases are made for it."""
        return profile.name if (profile := self.profile) is not None else None

    @property
    def takes_dictation(self) -> bool:
        """Whether the ears should have Whisper, which takes down free speech well enough for open questions."""
        if self.hearing == "auto" and self.whisper_model is None:
            return whisper_package.is_installed() and _memory_bytes() >= _LEAST_MEMORY_BYTES
        return self.hearing != "light"


class _ProfileDefaults(PydanticBaseSettingsSource):
    """The defaults that follow from the machine."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the profile's default of one field, as the base class asks for it; None: it has none."""
        del field
        return self().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the profile's defaults by field."""
        named = self.current_state.get("hardware", "auto")
        profile = profile_of(named) if named in NAMES else probed()
        return dict(profile.settings) if profile is not None else {}


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def load_credentials(path: Path) -> Credentials:
    """Read a credentials file.

    Raises:
        NodeConfigError: It is missing, readable by others, or not what `forge-edge enrol` writes.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise NodeConfigError(f"others can read {path.name}: chmod 600 it")
        return Credentials.model_validate_json(path.read_bytes())
    except OSError:
        raise NodeConfigError(
            f"cannot read the credentials {path.name}: run `forge-edge enrol` with a claim of the hub"
        ) from None
    except ValidationError:
        raise NodeConfigError(f"{path.name} is no credentials file of `forge-edge enrol`") from None
