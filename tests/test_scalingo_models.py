"""Whatever Scalingo sends becomes one of our values, or is skipped and counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.scalingo.models import App, Collaborator, Notifier, run_events, valid

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "cases" / "run_events.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["why"] for case in CASES])
def test_an_entry_of_the_events_list(case: dict[str, Any]) -> None:
    events, skipped = run_events([case["entry"]])
    if case.get("other"):
        assert (events, skipped) == ([], 0)
    elif case["is"] is None:
        assert (events, skipped) == ([], 1)
    else:
        told = json.loads(events[0].model_dump_json())
        assert {name: told[name] for name in case["is"]} == case["is"]


def test_a_malformed_entry_costs_only_itself() -> None:
    good = {"id": "e1", "created_at": "2026-11-23T17:27:27Z", "type": "run"}
    events, skipped = run_events([None, good, {"type": "run"}, {**good, "id": "e2"}])
    assert [event.id for event in events] == ["e1", "e2"]
    assert skipped == 2


def test_a_list_of_events_that_is_no_list_counts_as_skipped() -> None:
    assert run_events({"events": []}) == ([], 1)


def test_what_is_missing_counts_against_a_collaborator() -> None:
    [collaborator] = valid(Collaborator, [{"email": "bob@example.com", "is_limited": "false"}])
    assert collaborator.is_limited
    assert collaborator.status != "accepted"


def test_a_notifier_of_another_platform_has_no_address() -> None:
    notifiers = valid(
        Notifier,
        [
            {"id": "no-1", "type_data": {"user_ids": []}, "created_at": "not a date", "selected_event_ids": ["a", 3]},
            {"id": "no-2", "type_data": None, "selected_event_ids": None, "active": "true"},
            {"id": "../no-3"},
            "no-4",
        ],
    )
    assert [(each.id, each.webhook_url, each.active) for each in notifiers] == [
        ("no-1", "", False),
        ("no-2", "", False),
    ]
    assert notifiers[0].created_at is None
    assert notifiers[0].selected_event_ids == ("a",)


def test_the_address_of_a_webhook_is_not_shown() -> None:
    [notifier] = valid(Notifier, [{"id": "no-1", "type_data": {"webhook_url": "https://bot.example.com/hidden"}}])
    assert notifier.webhook_url == "https://bot.example.com/hidden"
    assert "hidden" not in repr(notifier)


def test_lists_that_are_none_hold_nothing() -> None:
    assert valid(App, {"apps": []}) == []
    assert valid(App, [{"id": "a b", "name": "shop"}, {"id": "5343"}]) == []
