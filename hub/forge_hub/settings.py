"""The hub's settings: environment variables ``FORGE_HUB_…``, read once at the start."""

from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from forge_shared import topics

PREFIX = "FORGE_HUB_"


class HubSettings(BaseSettings):
    """How a hub is run. Every field may be left out but those without a safe default."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True)

    state_dir: Annotated[
        Path, Field(description="Folder of databases, broker data and the control socket; made with mode 0700.")
    ] = Path("~/.local/state/forge-hub")
    site: Annotated[str, Field(description="Name of the site, in every topic: lower case, digits, hyphens.")] = "site"
    host: Annotated[str, Field(description="Address that the pages listen on; beyond loopback only with HTTPS.")] = (
        "127.0.0.1"
    )
    port: Annotated[int, Field(ge=0, le=65535, description="Port of the pages; 0 takes a free one.")] = 8080
    public_url: Annotated[
        str | None,
        Field(
            description="Address under which browsers reach the pages, if not host and port; other names are refused."
        ),
    ] = None
    records_url: Annotated[
        SecretStr | None,
        Field(description="SQLAlchemy URL of the records. Default: SQLite in the state folder."),
    ] = None
    identities_url: Annotated[
        SecretStr | None,
        Field(description="SQLAlchemy URL of who the people are, sealed. Default: a SQLite file of its own."),
    ] = None
    graph_uri: Annotated[
        str | None,
        Field(description="ladybug:///path or bolt://user@host:7687. Default: Ladybug in the state folder."),
    ] = None
    graph_password: Annotated[SecretStr | None, Field(description="Password of the Neo4j user.")] = None
    forms_dir: Annotated[Path | None, Field(description="Folder of the site's own questionnaires (FHIR JSON).")] = None
    room_plans: Annotated[
        Path | None,
        Field(
            description="Folder with what is set for each room, NODE.json: reminders, quiet hours, menu, watch, voice. "
            "Default: room-plans in the state folder."
        ),
    ] = None
    broker: Annotated[
        Literal["auto", "mosquitto", "amqtt", "external"],
        Field(description="The broker to start as a child: Mosquitto where it is installed, else amqtt; or external."),
    ] = "auto"
    broker_host: Annotated[str, Field(description="Address of the broker.")] = "127.0.0.1"
    broker_port: Annotated[int, Field(ge=1, le=65535, description="Port of the broker; MQTT over TLS.")] = 8883
    broker_username: Annotated[str, Field(description="The hub's user at an external broker.")] = "hub"
    broker_password: Annotated[SecretStr | None, Field(description="The hub's password at an external broker.")] = None
    release_upload_megabytes: Annotated[
        int, Field(ge=1, le=65_536, description="Largest model release that may be uploaded, packed and unpacked.")
    ] = 4096
    keep_utterances_days: Annotated[
        int | None, Field(ge=1, le=36_500, description="Utterances older than this are forgotten. Default: never.")
    ] = None
    keep_forms_days: Annotated[
        int | None, Field(ge=1, le=36_500, description="Forms and their answers older than this are forgotten.")
    ] = None
    keep_camera_days: Annotated[
        int,
        Field(
            ge=31,
            le=36_500,
            description="Alarms and sight of cameras, and what staff said of them, older are forgotten, unless "
            "an alarm is open. A quarter: in it a ward reviews its falls, and Trust looks back 31 days.",
        ),
    ] = 90

    broker_ca: Annotated[
        Path | None, Field(description="Who signed an external broker's certificate (PEM); switches TLS on.")
    ] = None
    broker_certificate: Annotated[
        Path | None, Field(description="The hub's client certificate at an external broker (PEM).")
    ] = None
    broker_key: Annotated[Path | None, Field(description="The key of that certificate (PEM).")] = None
    tls: Annotated[
        Literal["auto", "own", "proxy", "off"],
        Field(
            description="HTTPS of the pages: own certificate, a proxy on this machine, or off on loopback. "
            "auto: own beyond loopback, proxy where public_url is https, else off."
        ),
    ] = "auto"
    tls_names: Annotated[
        tuple[str, ...], Field(description="More names and addresses of the hub, for its own certificate (JSON list).")
    ] = ()
    node_certificate_days: Annotated[
        int, Field(ge=2, le=825, description="Life of a node's certificate in days; renewed after two thirds.")
    ] = 90
    host_names: Annotated[
        frozenset[str],
        Field(
            max_length=20,
            description='Further names under which browsers reach the pages, such as ["hub.ward.example"]; JSON.',
        ),
    ] = frozenset()
    staff_second_factor: Annotated[
        bool, Field(description="Whether staff need a one-time code too, as clinicians and admins always do.")
    ] = False
    time_zone: Annotated[str, Field(description="The site's time zone (IANA name), in which shifts are kept.")] = "UTC"
    canary_minutes: Annotated[
        float,
        Field(ge=1, le=120, description="How often a room proves its way; two missed raise an alert. As the rooms'."),
    ] = 10.0
    alerts_on_mqtt: Annotated[
        bool, Field(description="Publish every ring of an alert below the hub's own topic, for pagers and displays.")
    ] = False
    webhook_url: Annotated[str | None, Field(description="Address that gets every ring of an alert by POST.")] = None
    webhook_secret: Annotated[
        SecretStr | None, Field(min_length=16, description="Secret that the webhook's messages are signed with.")
    ] = None
    apprise_urls: Annotated[
        tuple[SecretStr, ...],
        Field(description="Apprise URLs that get every ring (JSON list): a site's own ntfy, mail, SMS services."),
    ] = ()

    home_assistant: Annotated[
        bool,
        Field(
            description="Whether the rooms' model releases are shown to the site's Home Assistant, and asked for there."
        ),
    ] = True

    metrics_token: Annotated[
        SecretStr | None,
        Field(
            min_length=16, description="Token with which a scraper of Prometheus reads /metrics. Default: nobody may."
        ),
    ] = None

    @field_validator("time_zone")
    @classmethod
    def _check_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("no such time zone; one is named like Europe/Berlin") from None
        return value

    @model_validator(mode="after")
    def _check_webhook(self) -> Self:
        if self.webhook_url is not None and self.webhook_secret is None:
            raise ValueError("FORGE_HUB_WEBHOOK_URL needs FORGE_HUB_WEBHOOK_SECRET")
        return self

    @field_validator("site")
    @classmethod
    def _check_site(cls, value: str) -> str:
        if not topics.is_name(value):
            raise ValueError("lower-case letters, digits and hyphens, at most 63")
        return value

    @field_validator("broker_password", "graph_password", "webhook_secret", "metrics_token")
    @classmethod
    def _refuse_placeholder(cls, value: SecretStr | None) -> SecretStr | None:
        placeholders = {"", "changeme", "change-me", "password", "secret", "admin", "neo4j"}
        if value is not None and value.get_secret_value().lower() in placeholders:
            raise ValueError("a placeholder is no secret")
        return value

    @property
    def folder(self) -> Path:
        """The state folder with ``~`` expanded."""
        return self.state_dir.expanduser()
