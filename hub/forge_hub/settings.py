"""The hub's settings: environment variables ``FORGE_HUB_…``, read once at the start."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
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
    host: Annotated[
        str, Field(description="Address that the pages listen on. Put HTTPS in front before it leaves loopback.")
    ] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535, description="Port of the pages; 0 takes a free one.")] = 8080
    public_url: Annotated[
        str | None, Field(description="Address under which browsers reach the pages, if not host and port.")
    ] = None
    records_url: Annotated[
        SecretStr | None,
        Field(description="SQLAlchemy URL of the records. Default: SQLite in the state folder."),
    ] = None
    graph_uri: Annotated[
        str | None,
        Field(description="ladybug:///path or bolt://user@host:7687. Default: Ladybug in the state folder."),
    ] = None
    graph_password: Annotated[SecretStr | None, Field(description="Password of the Neo4j user.")] = None
    forms_dir: Annotated[Path | None, Field(description="Folder of the site's own questionnaires (FHIR JSON).")] = None
    broker: Annotated[
        Literal["auto", "mosquitto", "amqtt", "external"],
        Field(description="The broker to start as a child: Mosquitto where it is installed, else amqtt; or external."),
    ] = "auto"
    broker_host: Annotated[str, Field(description="Address of the broker.")] = "127.0.0.1"
    broker_port: Annotated[int, Field(ge=1, le=65535, description="Port of the broker.")] = 1883
    broker_username: Annotated[str, Field(description="The hub's user at an external broker.")] = "hub"
    broker_password: Annotated[SecretStr | None, Field(description="The hub's password at an external broker.")] = None
    keep_utterances_days: Annotated[
        int | None, Field(ge=1, le=36_500, description="Utterances older than this are forgotten. Default: never.")
    ] = None
    keep_forms_days: Annotated[
        int | None, Field(ge=1, le=36_500, description="Forms and their answers older than this are forgotten.")
    ] = None

    @field_validator("site")
    @classmethod
    def _check_site(cls, value: str) -> str:
        if not topics.is_name(value):
            raise ValueError("lower-case letters, digits and hyphens, at most 63")
        return value

    @field_validator("broker_password", "graph_password")
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
