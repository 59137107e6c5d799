"""What stands around the code: the Slack app, the deployment, the pins, and a README that says what there is."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ADA, Start, audit_log
from jsonschema import Draft7Validator
from packaging.requirements import Requirement
from referencing import Registry
from referencing.jsonschema import DRAFT7

from bot.__main__ import parser
from bot.errors import CannotPost
from bot.settings import Settings
from bot.slack.refusals import refusal
from bot.standin.scalingo import ScalingoStandin
from bot.standin.slack import SlackStandin

ROOT = Path(__file__).parents[1]
SCHEMAS = ROOT.parent / "shared" / "schemas"
MANIFEST = (ROOT / "manifest.yml").read_text("utf-8")
SLACK_APP: dict[str, Any] = yaml.safe_load(MANIFEST)
DEPLOYMENT: dict[str, Any] = json.loads((ROOT / "scalingo.json").read_text("utf-8"))
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
README = (ROOT / "README.md").read_text("utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")

# What Slack documents for each method that we call; where there is one a kind of conversation, those in which we work.
_CONVERSATIONS = ("channels", "groups", "im")
SCOPES = {
    "auth.test": set[str](),
    "chat.delete": {"chat:write"},
    "chat.getPermalink": set[str](),
    "chat.postMessage": {"chat:write"},
    "chat.update": {"chat:write"},
    "conversations.history": {f"{kind}:history" for kind in _CONVERSATIONS},
    "conversations.info": {f"{kind}:read" for kind in _CONVERSATIONS},
    "conversations.replies": {f"{kind}:history" for kind in _CONVERSATIONS},
    "files.completeUploadExternal": {"files:write"},
    "files.delete": {"files:write"},
    "files.getUploadURLExternal": {"files:write"},
    "files.info": {"files:read"},
    "users.info": {"users:read", "users:read.email"},
}
_METHOD = re.compile(r"\"((?:auth|chat|conversations|files|users|views|reactions)\.[a-zA-Z]+)\"")

# Facts of the container that nobody sets by hand, and fields that are no variable.
NO_VARIABLES = {"container", "content_by_region", "host", "on_scalingo"}
VARIABLES = {name.upper() for name in Settings.model_fields.keys() - NO_VARIABLES}


def schema(name: str) -> Any:
    if not SCHEMAS.is_dir():
        pytest.skip("the schemas of Slack and Scalingo are not beside this checkout")
    return json.loads((SCHEMAS / name).read_text("utf-8"))


# --- the Slack app


def test_slack_takes_the_manifest() -> None:
    everything = schema("slack-manifest.schema.json")
    named = {
        found.rpartition("/")[2]: found for found in re.findall(r"https://[^\"]+\.0\.0\.json", json.dumps(everything))
    }
    parts = [(url, DRAFT7.create_resource(schema(name))) for name, url in named.items()]
    assert parts
    Draft7Validator(everything, registry=Registry().with_resources(parts)).validate(SLACK_APP)


def test_the_app_asks_for_the_scopes_that_its_calls_need_and_no_other() -> None:
    called = set(_METHOD.findall((ROOT / "bot" / "slack" / "api.py").read_text("utf-8")))
    assert called == SCOPES.keys()
    needed = set[str]().union(*SCOPES.values()) | {"commands"}
    assert SLACK_APP["oauth_config"]["scopes"].keys() == {"bot"}
    assert sorted(SLACK_APP["oauth_config"]["scopes"]["bot"]) == sorted(needed)


def test_each_scope_has_its_reason() -> None:
    lines = MANIFEST.splitlines()
    for scope in SLACK_APP["oauth_config"]["scopes"]["bot"]:
        (number,) = [number for number, line in enumerate(lines) if re.match(rf"\s+- {re.escape(scope)}\s*(#|$)", line)]
        assert "#" in lines[number] or lines[number - 1].lstrip().startswith("#"), scope


def test_slack_is_told_one_address_and_events_that_somebody_listens_to() -> None:
    settings, (command,) = SLACK_APP["settings"], SLACK_APP["features"]["slash_commands"]
    assert {
        command["url"],
        settings["interactivity"]["request_url"],
        settings["event_subscriptions"]["request_url"],
    } == {"https://YOUR-APP.osc-fr1.scalingo.io/slack/events"}
    listeners = (ROOT / "bot" / "slack" / "listeners.py").read_text("utf-8")
    assert settings["event_subscriptions"]["bot_events"] == re.findall(r"app\.event\(\"(\w+)\"\)", listeners)
    assert [command["command"]] == re.findall(r"app\.command\(\"(/\w+)\"\)", listeners)
    assert [settings[f"{name}_enabled"] for name in ("org_deploy", "socket_mode", "token_rotation")] == [False] * 3


def test_where_the_scopes_do_not_reach_nobody_is_told_to_ask_for_more() -> None:
    assert isinstance(refusal("conversations.info", "missing_scope", "mpim:read"), CannotPost)
    assert "channels:read" in str(refusal("conversations.info", "missing_scope", "channels:read"))


@pytest.mark.parametrize("kind", ["public", "private", "direct"])
async def test_with_these_scopes_a_thread_comes_whole_even_where_answers_get_lost(
    kind: str, scalingo: ScalingoStandin, tmp_path: Path
) -> None:
    async with SlackStandin(scopes=SLACK_APP["oauth_config"]["scopes"]["bot"]) as slack:
        slack.channel("ops", private=kind == "private", im=kind == "direct")
        slack.person(ADA)
        scalingo.ran("bash", app="shop", by=ADA, log=audit_log("out", typed=("ls",)))
        lost = [slack.fail(method, "lost") for method in ("chat.postMessage", "files.completeUploadExternal")]
        start = Start(slack, scalingo, tmp_path)
        await start()
        await slack.types("/auditlog shop last")
        assert len(await slack.thread()) == 3
        await start.stop()
        assert len(await slack.threads()) == 1
        assert [fault.struck for fault in lost] == [1, 1]


# --- the deployment


def test_scalingo_takes_the_manifest() -> None:
    Draft7Validator(schema("scalingo.schema.json")).validate(DEPLOYMENT)


def test_a_deployment_asks_for_what_there_is_no_default_for() -> None:
    variables = {name: facts for name, facts in DEPLOYMENT["env"].items() if not name.startswith("CONTENT_")}
    assert variables.keys() <= VARIABLES
    for name in ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SCALINGO_API_TOKEN"):
        assert variables[name]["required"]
        assert not variables[name]["value"]
    assert all(facts["description"] for facts in DEPLOYMENT["env"].values())


def test_the_processes_are_commands_of_ours() -> None:
    processes = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text("utf-8").splitlines())
    assert processes.keys() == DEPLOYMENT["formation"].keys() == {"web", "worker"}
    assert {command.removeprefix("python -m bot ") for command in processes.values()} <= commands().keys()


def test_python_is_named_where_scalingo_looks() -> None:
    assert (ROOT / ".python-version").read_text("utf-8").strip() == "3.13"


# --- the pins


def pins(name: str) -> Iterator[tuple[Requirement, list[str]]]:
    """Each pin with its hashes."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / name).read_text("utf-8").replace("\\\n", " "), flags=re.MULTILINE)
    for line in text.splitlines():
        requirement, *hashes = line.split(" --hash=")
        yield Requirement(requirement.strip()), [found.strip() for found in hashes]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_what_is_installed_is_pinned_and_hashed_and_names_no_place(name: str) -> None:
    for requirement, hashes in pins(name):
        assert re.fullmatch(r"==[\w.]+", str(requirement.specifier)), requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", found) for found in hashes), requirement
        assert requirement.url is None
    text = (ROOT / name).read_text("utf-8")
    assert "://" not in text
    assert "index-url" not in text


def wanted(group: str) -> list[str]:
    return list(PYPROJECT["project"]["dependencies"] if group == "" else PYPROJECT["dependency-groups"][group])


@pytest.mark.parametrize(
    ("name", "group"), [("requirements.txt", ""), ("requirements-dev.txt", ""), ("requirements-dev.txt", "dev")]
)
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_the_pins_are_what_the_project_asks_for_on_every_python(name: str, group: str, python: str) -> None:
    environment = {"python_version": python, "python_full_version": f"{python}.0"}
    pinned = {
        plain(requirement.name): str(requirement.specifier).removeprefix("==")
        for requirement, _ in pins(name)
        if requirement.marker is None or requirement.marker.evaluate(environment)
    }
    for requirement in map(Requirement, wanted(group)):
        assert pinned[plain(requirement.name)] in requirement.specifier


def test_the_tests_run_with_what_is_deployed() -> None:
    deployed, tested = (
        {(plain(requirement.name), str(requirement.specifier)) for requirement, _ in pins(name)}
        for name in ("requirements.txt", "requirements-dev.txt")
    )
    assert deployed <= tested


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


# --- what is said of it


def commands() -> dict[str, argparse.ArgumentParser]:
    (subparsers,) = [action for action in parser()._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(subparsers.choices)


def test_the_readme_names_every_variable() -> None:
    named = set(re.findall(r"`([A-Z][A-Z_]+)`", README))
    assert VARIABLES | {"SCALINGO_POSTGRESQL_URL"} <= named
    assert "`CONTENT_<REGION>`" in README


def test_the_readme_names_every_command_and_its_options() -> None:
    for name, command in commands().items():
        assert f"python -m bot {name}" in README
        for action in command._actions:
            for option in action.option_strings:
                assert option in {"-h", "--help"} or option in README, f"{name} {option}"


def shown() -> Iterator[tuple[str, str]]:
    """Each command of ours in the README's console blocks that needs no account, with the output that is shown."""
    for block in re.findall(r"^```console\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = step.partition("\n")
            if "python -m bot" in command:
                yield command, output


@pytest.mark.parametrize(("command", "output"), list(shown()))
def test_the_readme_shows_what_comes_out(command: str, output: str) -> None:
    command = command.replace("python -m bot", f"{shlex.quote(sys.executable)} -m bot")
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == output


def test_the_readme_leads_to_files_that_are_there() -> None:
    links = {link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", README) if "://" not in link} - {""}
    assert {"docs/thread.svg", "manifest.yml", "SECURITY.md", "LICENSE"} <= links
    assert [link for link in sorted(links) if not (ROOT / link).exists()] == []


def test_the_readme_leads_to_headings_that_are_there() -> None:
    headings = {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", README, flags=re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)\s]+)\)", README)) <= headings


def test_the_newest_version_has_its_entry() -> None:
    newest = re.findall(r"^## \[(\d[^\]]*)\] - \d{4}-\d\d-\d\d$", CHANGELOG, flags=re.MULTILINE)[0]
    assert newest == PYPROJECT["project"]["version"]


def test_each_dependency_says_why_it_is_there() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    for dependency in PYPROJECT["project"]["dependencies"]:
        assert re.search(rf"^ +\"{re.escape(dependency)}\", # \S", text, flags=re.MULTILINE), dependency


def test_no_registry_is_named_in_what_is_committed() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a checkout")
    # In pieces, so that this file does not name them either.
    hosts = re.compile("|".join((r"pypi\." + "org", "python" + r"hosted\." + "org", r"registry\.npmjs\." + "org")))
    naming = []
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.is_file() and hosts.search(path.read_text("utf-8", "replace")):
            naming.append(name)
    assert naming == []
