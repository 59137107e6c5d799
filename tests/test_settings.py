"""The environment as one value: what is missing or wrong is told in one sentence, and no secret in it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bot.errors import Misconfigured
from bot.settings import Settings

NEEDED = {
    "SLACK_BOT_TOKEN": "a-bot-token",
    "SLACK_SIGNING_SECRET": "a-signing-secret",
    "SCALINGO_API_TOKEN": "an-api-token",
}
ON_SCALINGO = {"APP": "audit", "REGION_NAME": "osc-secnum-fr1", "CONTAINER": "web-1", "PORT": "8080"}


def settings(**variables: str) -> Settings:
    return Settings.from_environment(NEEDED | variables)


def complaint(environment: dict[str, str]) -> str:
    with pytest.raises(Misconfigured) as caught:
        Settings.from_environment(environment)
    return str(caught.value)


def test_what_is_not_set_has_the_default_of_the_contract() -> None:
    got = settings()
    assert got.slack_api_url == "https://slack.com/api/"
    assert (got.scalingo_region, got.scalingo_api_url) == ("osc-fr1", None)
    assert got.scalingo_auth_url == "https://auth.scalingo.com"
    assert got.database_url.get_secret_value() == ""
    assert (got.public_url, got.webhook_root, got.on_scalingo) == (None, None, False)
    assert (got.content, got.poll_every_s, got.scalingo_rate_limit) == ("full", 60, 60)
    assert (got.slack_app_token, got.metrics_token) == (None, None)
    # Nobody else's machine reaches a bot that somebody tries out.
    assert (got.host, got.port) == ("127.0.0.1", 3000)


def test_what_is_set_counts() -> None:
    got = settings(
        SLACK_API_URL="http://127.0.0.1:9/api",
        SCALINGO_REGION="osc-secnum-fr1",
        SCALINGO_API_URL="http://127.0.0.1:9/",
        SCALINGO_AUTH_URL="https://auth.example.com/",
        POLL_EVERY_S="0.5",
        SCALINGO_RATE_LIMIT="30",
        PORT="8080",
        METRICS_TOKEN="a-metrics-token",
    )
    assert got.slack_api_url == "http://127.0.0.1:9/api/"
    assert got.scalingo_region == "osc-secnum-fr1"
    assert (got.scalingo_api_url, got.scalingo_auth_url) == ("http://127.0.0.1:9", "https://auth.example.com")
    assert (got.poll_every_s, got.scalingo_rate_limit) == (0.5, 30)
    assert (got.host, got.port) == ("0.0.0.0", 8080)
    assert got.metrics_token is not None
    assert got.metrics_token.get_secret_value() == "a-metrics-token"


def test_the_value_can_not_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        settings().port = 1


# --- what is missing or wrong


def test_all_that_is_missing_is_named_in_one_sentence() -> None:
    assert complaint({}) == (
        "The environment is not complete: SCALINGO_API_TOKEN is missing; SLACK_BOT_TOKEN is missing; SLACK_SIGNING_SECRET is "
        "missing (or set SLACK_APP_TOKEN for Socket Mode)."
    )


@pytest.mark.parametrize("name", NEEDED)
def test_a_variable_that_is_missing_is_named_alone(name: str) -> None:
    told = complaint({other: value for other, value in NEEDED.items() if other != name})
    assert f"{name} is missing" in told
    assert not any(other in told for other in NEEDED.keys() - {name})


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("SLACK_API_URL", "slack.com/api", "must be an address like https://example.com"),
        ("SCALINGO_API_URL", "ftp://api.example.com", "must be an address like https://example.com"),
        ("SCALINGO_AUTH_URL", "https://ada:word@auth.example.com", "must be an address like https://example.com"),
        ("SCALINGO_REGION", "../osc-fr1", "must be the name of a region, like osc-fr1"),
        ("SCALINGO_REGION", "evil.example.com#", "must be the name of a region, like osc-fr1"),
        ("PUBLIC_URL", "http://audit.example.com", "must begin with https://"),
        ("PUBLIC_URL", "https://audit.example.com?a=b", "must be an address like https://example.com"),
        ("PUBLIC_URL", "http://localhost.example.com", "must begin with https://"),
        ("CONTENT", "everything", "must be full, commands or metadata"),
        ("CONTENT_OSC_SECNUM_FR1", "none", "must be full, commands or metadata"),
        ("POLL_EVERY_S", "often", "must be a valid number"),
        ("POLL_EVERY_S", "0", "must be greater than 0"),
        ("SCALINGO_RATE_LIMIT", "0", "must be greater than or equal to 1"),
        ("SCALINGO_RATE_LIMIT", "1.5", "must be a valid integer"),
        ("PORT", "65536", "must be less than or equal to 65535"),
        ("PORT", "http", "must be a valid integer"),
    ],
)
def test_a_wrong_value_is_told_by_its_name_and_what_it_must_be(name: str, value: str, why: str) -> None:
    told = complaint(NEEDED | {name: value})
    assert f"{name} {why}" in told
    assert told.endswith(".")
    assert "\n" not in told
    assert value not in told.replace(why, "")


def test_what_is_missing_is_told_beside_what_is_wrong() -> None:
    told = complaint({"SLACK_BOT_TOKEN": "a-bot-token", "PORT": "-1", "CONTENT": "all"})
    for name in ("CONTENT", "PORT", "SCALINGO_API_TOKEN", "SLACK_SIGNING_SECRET"):
        assert told.count(f"{name} ") == 1


@pytest.mark.parametrize("empty", ["", "  ", "\n"])
def test_an_empty_variable_is_one_that_is_not_set(empty: str) -> None:
    names = ["SLACK_APP_TOKEN", "SCALINGO_API_URL", "PUBLIC_URL", "CONTENT", "CONTENT_OSC_FR1", "PORT", "METRICS_TOKEN"]
    assert Settings.from_environment(NEEDED | dict.fromkeys(names, empty)) == settings()
    assert "SLACK_BOT_TOKEN is missing" in complaint(NEEDED | {"SLACK_BOT_TOKEN": empty})


def test_blanks_around_a_value_are_none_of_it() -> None:
    assert settings(SCALINGO_API_TOKEN=" padded\n").scalingo_api_token.get_secret_value() == "padded"


def test_socket_mode_needs_no_signing_secret() -> None:
    without = {name: value for name, value in NEEDED.items() if name != "SLACK_SIGNING_SECRET"}
    assert Settings.from_environment(without | {"SLACK_APP_TOKEN": "an-app-token"}).slack_app_token is not None


# --- what follows from several variables


@pytest.mark.parametrize("url", ["http://127.0.0.1:3000", "http://localhost:3000", "http://[::1]:3000"])
def test_plain_http_is_for_loopback(url: str) -> None:
    assert settings(PUBLIC_URL=url).webhook_root == f"{url}/scalingo/"


def test_on_scalingo_the_address_follows_from_the_app() -> None:
    got = settings(**ON_SCALINGO)
    assert got.public_url == "https://audit.osc-secnum-fr1.scalingo.io"
    assert (got.on_scalingo, got.host, got.port, got.container) == (True, "0.0.0.0", 8080, "web-1")


def test_an_address_of_ones_own_goes_before_scalingos() -> None:
    assert settings(**ON_SCALINGO, PUBLIC_URL="https://audit.example.com/").public_url == "https://audit.example.com"


def test_half_of_what_scalingo_sets_makes_no_address() -> None:
    assert settings(APP="audit").public_url is None
    assert settings(REGION_NAME="osc-fr1").public_url is None


def test_a_region_may_have_a_content_policy_of_its_own() -> None:
    got = settings(CONTENT="commands", CONTENT_OSC_SECNUM_FR1="metadata")
    assert got.content_for("osc-secnum-fr1") == "metadata"
    assert got.content_for("osc-fr1") == "commands"
    assert settings(CONTENT_OSC_FR1="metadata").content_for("osc-secnum-fr1") == "full"


def test_the_database_of_ones_own_goes_before_the_add_on() -> None:
    ours, add_on = "sqlite:///bot.sqlite", "postgres://ada:word@db.example.com/bot?sslmode=prefer"
    assert settings(DATABASE_URL=ours, SCALINGO_POSTGRESQL_URL=add_on).database_url.get_secret_value() == ours
    got = settings(SCALINGO_POSTGRESQL_URL=add_on)
    assert got.database_url.get_secret_value() == add_on
    assert got.uses_postgresql
    assert not settings(DATABASE_URL=ours).uses_postgresql


# --- secrets

SECRETS = {
    "SLACK_BOT_TOKEN": "hidden-bot",
    "SLACK_SIGNING_SECRET": "hidden-signing",
    "SLACK_APP_TOKEN": "hidden-app",
    "SCALINGO_API_TOKEN": "hidden-api",
    "METRICS_TOKEN": "hidden-metrics",
    "DATABASE_URL": "postgres://ada:hidden-word@db.example.com/bot",
}


def test_no_secret_is_in_the_repr() -> None:
    got = Settings.from_environment(SECRETS)
    assert "hidden" not in f"{got!r} {got} {got.model_dump()} {got.model_dump_json()}"


@pytest.mark.parametrize("wrong", ["PORT", "CONTENT", "PUBLIC_URL", "SCALINGO_REGION", "POLL_EVERY_S", "SLACK_API_URL"])
def test_no_secret_is_in_a_complaint_even_where_it_was_set_under_another_name(wrong: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        Settings.from_environment(SECRETS | {wrong: "hidden in the wrong place"})
    assert wrong in str(caught.value)
    assert "hidden" not in str(caught.value)
    # Nor in what a traceback would show.
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_the_log_is_told_of_every_secret() -> None:
    told = Settings.from_environment(SECRETS).secrets()
    assert {*SECRETS.values(), "hidden-word"} == set(told)


def test_a_password_is_known_in_an_address_that_is_none() -> None:
    assert "wo[rd@" in settings(DATABASE_URL="postgres://ada:wo[rd@@db.example.com/bot").secrets()


def test_the_keys_are_the_same_in_every_container_and_no_two_purposes_share_one() -> None:
    first, second = settings(), settings(**ON_SCALINGO)
    assert first.key_for("webhook") == second.key_for("webhook")
    assert first.key_for("webhook") != first.key_for("button")
    assert first.key_for("webhook") != settings(SLACK_SIGNING_SECRET="another").key_for("webhook")
