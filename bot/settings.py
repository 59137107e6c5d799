"""The environment, read once into one frozen value; nothing else touches it."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.errors import Misconfigured

Content = Literal["full", "commands", "metadata"]

REGION = re.compile(r"[a-z0-9]+(-[a-z0-9]+){0,5}")
# The route of the webhooks that this app registers with Scalingo; what follows it is sealed.
WEBHOOK_PATH = "/scalingo/"
# In an address that need not be a right one: what is wrong with it is told later, by whoever opens it.
_PASSWORD = re.compile(r"://[^:/@]*:(.+)@|[?&](?:ssl)?password=([^&]+)")
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        msg = "must be an address like https://example.com"
        raise ValueError(msg)
    return value.rstrip("/")


def _slack_url(value: str) -> str:
    return _url(value) + "/"


def _public_url(value: str) -> str:
    value = _url(value)
    parts = urlsplit(value)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        msg = "must begin with https:// (plain http is only for a loopback address)"
        raise ValueError(msg)
    return value


def _region(value: str) -> str:
    if not REGION.fullmatch(value):
        msg = "must be the name of a region, like osc-fr1"
        raise ValueError(msg)
    return value


Url = Annotated[str, AfterValidator(_url)]


class Settings(BaseSettings):
    """What the contract's table of variables says; `from_environment` tells all faults in one sentence."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    slack_bot_token: SecretStr
    slack_signing_secret: SecretStr = SecretStr("")
    slack_app_token: SecretStr | None = None
    slack_api_url: Annotated[str, AfterValidator(_slack_url)] = "https://slack.com/api/"
    scalingo_api_token: SecretStr
    scalingo_region: Annotated[str, AfterValidator(_region)] = "osc-fr1"
    scalingo_api_url: Url | None = None
    scalingo_auth_url: Url = "https://auth.scalingo.com"
    database_url: SecretStr = SecretStr("")
    public_url: Annotated[str, AfterValidator(_public_url)] | None = None
    content: Content = "full"
    content_by_region: dict[str, Content] = Field(default_factory=dict)
    poll_every_s: float = Field(default=60, gt=0, le=86_400)
    scalingo_rate_limit: int = Field(default=60, ge=1, le=1_000_000)
    port: int = Field(default=3000, ge=0, le=65_535)
    host: str = "127.0.0.1"
    metrics_token: SecretStr | None = None
    container: str = ""
    on_scalingo: bool = False

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # The mapping that `from_environment` was given is the only source, so that a test can pass its own.
        return (init_settings,)

    @model_validator(mode="after")
    def _over_http_needs_a_signing_secret(self) -> Self:
        if self.slack_app_token is None and not self.slack_signing_secret.get_secret_value():
            msg = "SLACK_SIGNING_SECRET is missing (or set SLACK_APP_TOKEN for Socket Mode)"
            raise ValueError(msg)
        return self

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Raises Misconfigured with one sentence that names every variable that is missing or wrong."""
        set_ones = {name: value.strip() for name, value in environment.items() if value.strip()}
        values: dict[str, Any] = {name: set_ones[name.upper()] for name in cls.model_fields if name.upper() in set_ones}
        values.pop("on_scalingo", None)
        values["content_by_region"] = _content_by_region(set_ones)
        values.setdefault("database_url", set_ones.get("SCALINGO_POSTGRESQL_URL", ""))
        app, region = set_ones.get("APP"), set_ones.get("REGION_NAME")
        # Whoever sets PORT runs us for others to reach; whoever does not tries us out.
        values["host"] = "0.0.0.0" if "PORT" in set_ones else "127.0.0.1"  # noqa: S104
        values["on_scalingo"] = bool(app and region and set_ones.get("CONTAINER"))
        if app and region:
            values.setdefault("public_url", f"https://{app}.{region}.scalingo.io")
        try:
            return cls(**values)
        except ValidationError as error:
            raise Misconfigured(_sentence(error, set_ones)) from None

    @property
    def webhook_root(self) -> str | None:
        """Where the addresses of our notifiers begin; None where Scalingo has no way to reach us."""
        return f"{self.public_url}{WEBHOOK_PATH}" if self.public_url else None

    @property
    def uses_postgresql(self) -> bool:
        return self.database_url.get_secret_value().startswith("postgres")

    def secrets(self) -> list[str]:
        """What no log line may hold."""
        url = self.database_url.get_secret_value()
        values = (
            self.slack_bot_token,
            self.slack_signing_secret,
            self.slack_app_token,
            self.scalingo_api_token,
            self.metrics_token,
        )
        passwords = [password for groups in _PASSWORD.findall(url) for password in groups if password]
        # A driver may quote it as it is written, or as it is meant.
        passwords += [unquote(password) for password in passwords]
        return [value.get_secret_value() for value in values if value] + passwords + ([url] if passwords else [])

    def content_for(self, region: str) -> Content:
        return self.content_by_region.get(region, self.content)

    def key_for(self, purpose: str) -> bytes:
        """A key of our own for signing: the same in every container and after every deploy, with no store."""
        root = self.slack_signing_secret.get_secret_value() or self.slack_bot_token.get_secret_value()
        return hmac.digest(root.encode(), b"scalingo-audit-log-bot/" + purpose.encode(), hashlib.sha256)


def _content_by_region(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix("CONTENT_").lower().replace("_", "-"): value
        for name, value in environment.items()
        if name.startswith("CONTENT_")
    }


def _sentence(error: ValidationError, environment: Mapping[str, str]) -> str:
    faults: list[str] = []
    for fault in error.errors(include_url=False, include_input=False):
        match fault["loc"]:
            case ():
                faults.append(str(fault["ctx"]["error"]) if "ctx" in fault else fault["msg"])
            case ("content_by_region", region, *_):
                faults.append(f"CONTENT_{str(region).upper().replace('-', '_')} {_complaint(fault)}")
            case (field, *_):
                faults.append(f"{_variable(str(field), environment)} {_complaint(fault)}")
    # A model validator does not run where a field has failed; its fault is told all the same.
    if not any("SLACK_SIGNING_SECRET" in fault for fault in faults) and not (
        environment.get("SLACK_APP_TOKEN") or environment.get("SLACK_SIGNING_SECRET")
    ):
        faults.append("SLACK_SIGNING_SECRET is missing (or set SLACK_APP_TOKEN for Socket Mode)")
    return f"The environment is not complete: {'; '.join(sorted(faults))}."


def _variable(field: str, environment: Mapping[str, str]) -> str:
    if field == "database_url" and not environment.get("DATABASE_URL"):
        return "SCALINGO_POSTGRESQL_URL"
    return field.upper()


def _complaint(fault: Mapping[str, Any]) -> str:
    if fault["type"] == "missing":
        return "is missing"
    if fault["type"] == "value_error":
        return str(fault["ctx"]["error"])
    if fault["type"] == "literal_error":
        return "must be full, commands or metadata"
    message = str(fault["msg"])
    return "must be" + message.removeprefix("Input should be") if message.startswith("Input should be") else message
