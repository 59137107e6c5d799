"""The store: the same on SQLite and PostgreSQL, for one process or many, and with the database going away."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from postgres import server

from bot.errors import Misconfigured, StoreDown
from bot.migrations import HEAD
from bot.scalingo.limiter import SlidingLimiter
from bot.session import Session, SessionKey
from bot.store import KEPT_S, TRAIL_KEPT_S, Ask, Delivery, Store
from bot.store.database import database_url
from bot.store.leases import EARLY_S, LEASE_S
from bot.store.limiter import StoreLimiter
from bot.store.schema import metadata

NOW = 1_790_000_000.25
KEY = SessionKey("osc-fr1", "5f2c", "e1")
SESSION = Session(
    key=KEY,
    app_name="shop",
    started_at=datetime(2026, 11, 23, 17, 27, 27, 819655, tzinfo=timezone(timedelta(hours=1))),
    user_name="ada",
    user_email="ada@example.com",
    command="rails console",
    audit_log_id="log-1",
    audit_log_size=122_445_385,
)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/bot.sqlite" if request.param == "sqlite" else server().database()


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    store = await Store.open(url)
    yield store
    await store.close()


@pytest.fixture
async def other(store: Store, url: str) -> AsyncIterator[Store]:
    """What another process has open beside the first."""
    other = await Store.open(url)
    yield other
    await other.close()


async def asked(store: Store, key: str = "trigger-1", now: float = NOW) -> Ask:
    ask = await store.add_ask(
        key, "read", {"app": "shop"}, user="U1", channel="C1", response_url="https://hooks.slack.com/x", now=now
    )
    assert ask is not None
    return ask


async def owed(store: Store, key: SessionKey = KEY, channel: str = "C1", now: float = NOW) -> Delivery:
    delivery = await store.add_delivery(
        key, channel, cause="subscription", asked_by="U1", ask_id=None, now=now, expires_at=now + 100
    )
    assert delivery is not None
    return delivery


async def subscribed(store: Store, app_id: str = "5f2c", channel: str = "C1", name: str = "shop") -> bool:
    return await store.subscribe("osc-fr1", app_id, app_name=name, channel=channel, user="U1", now=NOW)


# --- asks


async def test_an_ask_is_kept_once(store: Store, other: Store) -> None:
    ask = await asked(store)
    again = await other.add_ask("trigger-1", "read", {}, user="U2", channel="C2", response_url="", now=NOW)
    assert again is None
    assert await other.ask(ask.id) == ask
    assert (ask.kind, ask.payload, ask.attempts, ask.error) == ("read", {"app": "shop"}, 0, "")


async def test_the_address_to_answer_at_is_forgotten_with_the_answer(store: Store) -> None:
    ask = await asked(store)
    await store.finish_ask(ask.id, "posted", NOW + 1)
    finished = await store.ask(ask.id)
    assert finished is not None
    assert finished.response_url == ""
    assert await store.owed(NOW + 1000, 10) == []
    assert await store.ask(ask.id + 1) is None


async def test_a_postponed_ask_is_owed_later(store: Store) -> None:
    ask = await asked(store)
    assert await store.claim("ask", ask.id, "me", NOW) is not None
    await store.postpone_ask(ask.id, NOW + 60, "Unreachable")
    assert await store.owed(NOW + 59, 10) == []
    assert await store.owed(NOW + 60, 10) == [("ask", ask.id)]
    again = await store.claim("ask", ask.id, "me", NOW + 60)
    assert again is not None
    assert (again.error, again.attempts) == ("Unreachable", 1)


async def test_text_that_no_database_takes_is_taken(store: Store) -> None:
    payload = {"text": "a\0b \ud800 é"}
    ask = await store.add_ask("k\0\ud800", "read", payload, user="U1", channel="C1", response_url="", now=NOW)
    assert ask is not None
    assert (ask.key, ask.payload) == ("k??", payload)
    await store.add_session(replace(SESSION, command="x" * 10_000 + "\0", user_name="\udfff"), NOW)
    known = await store.session(KEY)
    assert known is not None
    assert known.session.command == "x" * 10_000 + "?"


# --- leases


async def test_of_many_who_claim_one_gets_it(store: Store, other: Store) -> None:
    delivery = await owed(store)
    claims = [
        each.claim("delivery", delivery.id, f"owner-{number}", NOW) for number, each in enumerate([store, other] * 10)
    ]
    taken = [row for row in await asyncio.gather(*claims) if row is not None]
    assert [row.id for row in taken] == [delivery.id]
    assert await other.owed(NOW, 10) == []


async def test_a_dead_owner_loses_it_and_a_living_one_keeps_it(store: Store, other: Store) -> None:
    delivery = await owed(store)
    assert await store.claim("delivery", delivery.id, "me", NOW)
    assert await store.renew("delivery", [delivery.id], "me", NOW + 20) == {delivery.id}
    assert await other.claim("delivery", delivery.id, "you", NOW + LEASE_S + 1) is None
    taken = await other.claim("delivery", delivery.id, "you", NOW + 20)
    assert taken is not None
    assert taken.attempts == 1
    assert await store.renew("delivery", [delivery.id], "me", NOW + 60) == set()


async def test_whether_somebody_else_has_it(store: Store) -> None:
    ask = await asked(store)
    assert not await store.is_taken("ask", ask.id, "me")
    await store.claim("ask", ask.id, "me", NOW)
    assert not await store.is_taken("ask", ask.id, "me")
    assert await store.is_taken("ask", ask.id, "another")


async def test_what_is_let_go_is_owed_at_once_and_did_not_count(store: Store, other: Store) -> None:
    ask = await asked(store)
    assert await store.claim("ask", ask.id, "me", NOW)
    await other.let_go("ask", ask.id, "you")
    assert await other.claim("ask", ask.id, "you", NOW) is None
    await store.let_go("ask", ask.id, "me")
    assert await other.owed(NOW, 10) == [("ask", ask.id)]
    again = await other.claim("ask", ask.id, "you", NOW)
    assert again is not None
    assert again.attempts == 0


async def test_what_ended_is_neither_claimed_nor_renewed(store: Store) -> None:
    delivery = await owed(store)
    assert await store.claim("delivery", delivery.id, "me", NOW)
    await store.finish_delivery(delivery.id, "done", "", NOW)
    assert await store.renew("delivery", [delivery.id], "me", NOW + 60) == set()
    await store.let_go("delivery", delivery.id, "me")
    assert await store.claim("delivery", delivery.id, "me", NOW + 60) is None


async def test_a_job_may_come_a_little_early_but_not_long_before_its_time(store: Store) -> None:
    delivery = await owed(store)
    await store.postpone_delivery(delivery.id, NOW + 60, "NotReady")
    assert await store.claim("delivery", delivery.id, "me", NOW + 60 - EARLY_S * 2) is None
    assert await store.claim("delivery", delivery.id, "me", NOW + 60 - EARLY_S) is not None


async def test_what_is_owed_comes_the_longest_due_first(store: Store) -> None:
    ask = await asked(store, now=NOW + 1)
    first, last = await owed(store, channel="C1", now=NOW), await owed(store, channel="C2", now=NOW + 2)
    expected = [("delivery", first.id), ("ask", ask.id), ("delivery", last.id)]
    assert await store.owed(NOW + 5, 10) == expected
    assert await store.owed(NOW + 5, 2) == expected[:2]


async def test_how_much_is_owed_and_since_when(store: Store) -> None:
    nothing = await store.owed_stats(NOW)
    assert (nothing.count, nothing.oldest_age_s, nothing.held) == (0, 0.0, 0)
    held = await owed(store, channel="C1", now=NOW - 900)
    await store.postpone_delivery(held.id, NOW + 60, "CannotPost", "held")
    await owed(store, channel="C2", now=NOW - 30)
    await asked(store, now=NOW - 10)
    stats = await store.owed_stats(NOW)
    assert (stats.count, stats.oldest_age_s, stats.held) == (2, 30.0, 1)


# --- apps and subscriptions


async def test_a_renamed_app_keeps_its_subscriptions(store: Store) -> None:
    assert await subscribed(store)
    await store.upsert_app("osc-fr1", "5f2c", "boutique")
    (subscription,) = await store.subscriptions()
    assert (subscription.app_name, subscription.app_id, subscription.since) == ("boutique", "5f2c", NOW)
    app = await store.app("osc-fr1", "5f2c")
    assert app is not None
    assert app.name == "boutique"
    assert await store.app("osc-fr1", "other") is None


async def test_subscribing_twice_is_said(store: Store) -> None:
    assert await subscribed(store)
    assert not await subscribed(store)
    assert await store.unsubscribe("osc-fr1", "5f2c", "C1", NOW)
    assert not await store.unsubscribe("osc-fr1", "5f2c", "C1", NOW)
    assert await store.subscriptions() == []
    assert await store.subscribe("osc-fr1", "5f2c", app_name="shop", channel="C1", user="U2", now=NOW + 9)
    (again,) = await store.subscriptions()
    assert (again.user, again.since) == ("U2", NOW + 9)


async def test_of_two_processes_one_stops_a_subscription(store: Store, other: Store) -> None:
    await subscribed(store)
    stopped = await asyncio.gather(
        *(each.stop_subscription("osc-fr1", "5f2c", "C1", "right lost", NOW) for each in (store, other, store, other))
    )
    assert sorted(stopped) == [False, False, False, True]


async def test_subscriptions_are_listed_by_channel_and_by_app(store: Store) -> None:
    await subscribed(store, "a1", "C1", "zoo")
    await subscribed(store, "a2", "C1", "api")
    await subscribed(store, "a2", "C2", "api")
    assert [(each.app_name, each.channel) for each in await store.subscriptions(channel="C1")] == [
        ("api", "C1"),
        ("zoo", "C1"),
    ]
    assert [each.channel for each in await store.subscriptions(app=("osc-fr1", "a2"))] == ["C1", "C2"]
    assert await store.subscriptions(channel="C2", app=("osc-fr1", "a1")) == []


async def test_only_followed_apps_are_due_and_one_process_reads_each(store: Store, other: Store) -> None:
    await store.upsert_app("osc-fr1", "alone", "nobody")
    await subscribed(store, "a1")
    await subscribed(store, "a2", name="api")
    assert [app.app_id for app in await store.due_apps(NOW)] == ["a1", "a2"]
    claims = await asyncio.gather(
        *(each.claim_poll("osc-fr1", "a1", NOW, NOW + 60) for each in (store, other, store, other))
    )
    assert sorted(claims) == [False, False, False, True]
    assert [app.app_id for app in await store.due_apps(NOW)] == ["a2"]
    await store.poll_soon("osc-fr1", "a1", NOW + 1)
    assert [app.app_id for app in await store.due_apps(NOW + 1)] == ["a2", "a1"]
    await store.unsubscribe("osc-fr1", "a2", "C1", NOW)
    assert [app.app_id for app in await store.followed_apps()] == ["a1"]


async def test_a_polls_outcome_is_kept(store: Store) -> None:
    await subscribed(store)
    await store.poll_done("osc-fr1", "5f2c", NOW, cursor_at=NOW - 5)
    await store.poll_done("osc-fr1", "5f2c", NOW + 1, error="Unreachable")
    await store.poll_done("osc-fr1", "5f2c", NOW + 2, error="Gone")
    app = await store.app("osc-fr1", "5f2c")
    assert app is not None
    assert (app.polled_at, app.cursor_at, app.failing_since, app.error) == (NOW, NOW - 5, NOW + 1, "Gone")
    await store.poll_done("osc-fr1", "5f2c", NOW + 3)
    await store.poll_done("osc-fr1", "5f2c", NOW + 4, cursor_at=NOW - 50)
    app = await store.app("osc-fr1", "5f2c")
    assert app is not None
    assert (app.polled_at, app.cursor_at, app.failing_since, app.error) == (NOW + 4, NOW - 5, None, "")


async def test_an_apps_notifier_is_remembered(store: Store) -> None:
    await subscribed(store)
    await store.set_notifier("osc-fr1", "5f2c", "no-123")
    app = await store.app("osc-fr1", "5f2c")
    assert app is not None
    assert app.notifier_id == "no-123"


# --- sessions


async def test_a_session_is_heard_of_once_and_comes_back_as_it_was(store: Store, other: Store) -> None:
    heard = await asyncio.gather(*(each.add_session(SESSION, NOW) for each in (store, other, store, other)))
    assert sorted(heard) == [False, False, False, True]
    known = await other.session(KEY)
    assert known is not None
    assert known.session == SESSION
    assert known.session.started_at.isoformat() == "2026-11-23T17:27:27.819655+01:00"
    assert (known.state, known.seen_at, known.read_size, known.rechecks) == ("seen", NOW, None, 0)
    assert await store.session(replace(KEY, event_id="other")) is None


async def test_a_session_is_found_by_its_log(store: Store) -> None:
    await store.add_session(SESSION, NOW)
    found = await store.session_by_log("osc-fr1", "5f2c", "log-1")
    assert found is not None
    assert found.session.key == KEY
    assert await store.session_by_log("osc-fr1", "other", "log-1") is None


async def test_what_is_learnt_of_a_session_is_kept(store: Store) -> None:
    await store.add_session(replace(SESSION, audit_log_id=None, audit_log_size=None), NOW)
    await store.update_session(KEY, audit_log_id="log-2", audit_log_size=9)
    await store.update_session(
        KEY, state="read", read_size=7, commands=3, duration_s=1.5, recheck_at=NOW + 9, rechecks=1
    )
    known = await store.session(KEY)
    assert known is not None
    assert known.session == replace(SESSION, audit_log_id="log-2", audit_log_size=9)
    assert (known.state, known.read_size, known.commands, known.duration_s) == ("read", 7, 3, 1.5)
    assert await store.sessions_to_recheck(NOW + 8) == []
    assert await store.sessions_to_recheck(NOW + 9) == [known]
    await store.update_session(KEY, recheck_at=None)
    assert await store.sessions_to_recheck(NOW + 9) == []


async def test_sessions_are_counted_by_state(store: Store) -> None:
    for number, state in enumerate(("read", "read", "no_log"), start=1):
        session = replace(SESSION, key=replace(KEY, event_id=f"e{number}"))
        await store.add_session(session, NOW)
        await store.update_session(session.key, state=state)  # type: ignore[arg-type]
    started = SESSION.started_at.timestamp()
    assert await store.count_sessions("osc-fr1", "5f2c", started) == {"read": 2, "no_log": 1}
    assert await store.count_sessions("osc-fr1", "5f2c", started + 1) == {}
    states = await store.session_states("osc-fr1", "5f2c", ["e1", "e3", "unheard"])
    assert states == {"e1": "read", "e3": "no_log"}
    assert await store.session_states("osc-fr1", "5f2c", []) == {}


# --- deliveries


async def test_a_session_comes_to_a_channel_once(store: Store, other: Store) -> None:
    added = await asyncio.gather(
        *(
            each.add_delivery(
                KEY, "C1", cause="subscription", asked_by="U1", ask_id=None, now=NOW, expires_at=NOW + 100
            )
            for each in (store, other, store, other)
        )
    )
    (delivery,) = [each for each in added if each is not None]
    assert await other.delivery(delivery.id) == delivery
    assert delivery.key == KEY
    assert delivery.thread_key == "osc-fr1/5f2c/e1#0"
    assert await owed(store, channel="C2")


async def test_a_person_may_have_it_posted_anew(store: Store) -> None:
    await owed(store)
    anew = await store.add_delivery(
        KEY, "C1", cause="ask", asked_by="U2", ask_id=7, now=NOW, expires_at=NOW + 100, generation=1
    )
    assert anew is not None
    assert await store.delivery_of(KEY, "C1") == anew
    assert (anew.cause, anew.ask_id, anew.generation) == ("ask", 7, 1)
    assert len(await store.deliveries_of(KEY)) == 2
    assert await store.delivery_of(KEY, "C2") is None


async def test_a_threads_state_is_kept_as_it_is_given(store: Store) -> None:
    delivery = await owed(store)
    assert (delivery.thread, delivery.parent_ts) == ({}, None)
    await store.save_thread(delivery.id, parent_ts="1790000000.000100", parent_tried=True, file_id=None)
    saved = await store.delivery(delivery.id)
    assert saved is not None
    assert saved.thread == {"parent_ts": "1790000000.000100", "parent_tried": True, "file_id": None}
    assert saved.parent_ts == "1790000000.000100"


async def test_what_a_channel_did_not_take_is_released_when_it_does(store: Store) -> None:
    held, elsewhere = await owed(store, channel="C1"), await owed(store, channel="C2")
    for each in (held, elsewhere):
        await store.postpone_delivery(each.id, NOW + 3600, "CannotPost", "held")
    assert await store.owed(NOW, 10) == []
    assert await store.release_held("C1", NOW) == [held.id]
    assert await store.release_held("C1", NOW) == []
    assert await store.owed(NOW, 10) == [("delivery", held.id)]
    # What stays held comes at its own next attempt.
    assert ("delivery", elsewhere.id) in await store.owed(NOW + 3600, 10)
    assert await store.claim("delivery", elsewhere.id, "me", NOW + 3600) is not None


async def test_news_of_a_session_hurry_what_waits_for_it(store: Store) -> None:
    waiting, held, done = [await owed(store, channel=f"C{number}") for number in range(3)]
    await store.postpone_delivery(waiting.id, NOW + 1800, "NotReady")
    await store.postpone_delivery(held.id, NOW + 1800, "CannotPost", "held")
    await store.finish_delivery(done.id, "done", "", NOW)
    assert await store.hurry_deliveries(KEY, NOW) == [waiting.id]
    assert await store.owed(NOW, 10) == [("delivery", waiting.id)]


async def test_what_ended_is_not_put_off(store: Store) -> None:
    delivery = await owed(store)
    await store.finish_delivery(delivery.id, "done", "", NOW)
    await store.postpone_delivery(delivery.id, NOW, "StoreDown")
    found = await store.delivery(delivery.id)
    assert found is not None
    assert (found.state, found.finished_at) == ("done", NOW)


async def test_one_that_ended_can_be_owed_again_with_its_thread(store: Store) -> None:
    delivery = await owed(store)
    assert not await store.reopen_delivery(delivery.id, NOW, NOW + 100)
    await store.save_thread(delivery.id, parent_ts="1.2")
    await store.finish_delivery(delivery.id, "done", "", NOW)
    assert await store.count_deliveries() == {"done": 1}
    assert await store.reopen_delivery(delivery.id, NOW + 1, NOW + 200)
    again = await store.claim("delivery", delivery.id, "me", NOW + 1)
    assert again is not None
    assert (again.state, again.parent_ts, again.cause, again.expires_at) == ("owed", "1.2", "subscription", NOW + 200)
    await store.finish_delivery(delivery.id, "failed", "Its audit log can't be read.", NOW + 2)
    failed = await store.delivery(delivery.id)
    assert failed is not None
    assert (failed.state, failed.error, failed.finished_at) == ("failed", "Its audit log can't be read.", NOW + 2)
    assert await store.reopen_delivery(delivery.id, NOW + 3, NOW + 300, asked_by="U9", ask_id=4)
    asked_again = await store.delivery(delivery.id)
    assert asked_again is not None
    assert (asked_again.asked_by, asked_again.ask_id, asked_again.cause) == ("U9", 4, "ask")


async def test_what_slack_has_is_adopted_once(store: Store) -> None:
    adopted = await store.adopt_delivery(KEY, "C1", now=NOW, parent_ts="1.2", parent_tried=True)
    assert adopted is not None
    assert (adopted.state, adopted.parent_ts) == ("done", "1.2")
    assert await store.adopt_delivery(KEY, "C1", now=NOW) is None
    unfinished = await store.adopt_delivery(
        KEY, "C2", now=NOW, done=False, asked_by="U1", expires_at=NOW + 100, parent_ts="1.3"
    )
    assert unfinished is not None
    assert await store.owed(NOW, 10) == [("delivery", unfinished.id)]


# --- trail and marks


async def test_the_trail_tells_who_asked_for_what(store: Store) -> None:
    for number, outcome in enumerate(("refused", "posted")):
        await store.record(
            who=f"U{number}",
            channel="C1",
            region="osc-fr1",
            app="shop",
            session=str(KEY),
            action="read",
            outcome=outcome,
            now=NOW + number,
        )
    assert [(step.who, step.outcome) for step in await store.trail(10)] == [("U1", "posted"), ("U0", "refused")]
    assert [step.outcome for step in await store.trail(1)] == ["posted"]
    assert [step.at for step in await store.trail(9, who="U0", session=str(KEY))] == [NOW]
    assert await store.trail(9, session="other") == []


async def test_marks_are_kept_and_some_are_set_once(store: Store, other: Store) -> None:
    assert await store.mark("healed") is None
    await store.set_mark("healed", "3", NOW)
    await other.set_mark("healed", "4", NOW)
    assert await store.mark("healed") == "4"
    once = await asyncio.gather(*(each.set_mark_once("week 47", NOW) for each in (store, other, store, other)))
    assert sorted(once) == [False, False, False, True]


async def test_marks_with_a_value_are_found_by_how_their_keys_begin(store: Store) -> None:
    for key, value in (("notice/C1/a", "{}"), ("notice/C2/a", ""), ("notice_/C3", "x"), ("turn/notice/", "x")):
        assert await store.set_mark_once(key, NOW, value)
    assert not await store.set_mark_once("notice/C1/a", NOW, "other")
    assert await store.marks_like("notice/") == {"notice/C1/a": "{}"}
    assert await store.marks_like("notice_") == {"notice_/C3": "x"}


async def test_a_turn_is_one_processs_and_comes_again(store: Store, other: Store) -> None:
    for now, taken in ((NOW, 1), (NOW + 59, 0), (NOW + 60, 1), (NOW + 61, 0)):
        turns = await asyncio.gather(*(each.take_turn("poll", now, 60) for each in (store, other, store, other)))
        assert sum(turns) == taken


async def test_what_is_old_and_done_is_forgotten(store: Store) -> None:
    ask = await asked(store)
    await store.finish_ask(ask.id, "posted", NOW)
    still_owed = await asked(store, "trigger-2")
    await store.add_session(SESSION, NOW)
    delivery = await owed(store)
    await subscribed(store)
    await store.unsubscribe("osc-fr1", "5f2c", "C1", NOW)
    await subscribed(store, channel="C2")
    await store.record(
        who="U1", channel="C1", region="osc-fr1", app="shop", session="", action="read", outcome="posted", now=NOW
    )
    late = NOW + KEPT_S + 1
    assert await store.forget(NOW + 1) == 0
    # The ask and the stopped subscription; the session stays as long as its delivery is owed.
    assert await store.forget(late) == 2
    await store.finish_delivery(delivery.id, "done", "", NOW)
    assert await store.forget(late) == 2
    assert await store.session(KEY) is None
    assert await store.owed(late, 10) == [("ask", still_owed.id)]
    assert len(await store.subscriptions()) == 1
    assert len(await store.trail(9)) == 1
    await store.forget(NOW + TRAIL_KEPT_S + 1)
    assert await store.trail(9) == []


# --- the rate limit


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


async def test_each_slot_is_used_once_in_a_window_whoever_takes_it(store: Store, other: Store) -> None:
    async def take(each: Store, now: float) -> float:
        while True:
            wait_s = await each.take_slot(now, limit=6, kept=0, window_s=60)
            if wait_s != 0.02:
                return wait_s

    waits = await asyncio.gather(*(take(each, NOW) for each in [store, other] * 5))
    assert sorted(waits) == [0.0] * 6 + [60.0] * 4
    assert await take(store, NOW + 59) == pytest.approx(1.0)
    assert await take(store, NOW + 60) == 0.0


async def test_background_requests_leave_a_third_to_commands(store: Store) -> None:
    taken = [await store.take_slot(NOW, limit=6, kept=2, window_s=60) for _ in range(5)]
    assert taken == [0.0, 0.0, 0.0, 0.0, 60.0]
    assert await store.take_slot(NOW, limit=6, kept=0, window_s=60) == 0.0


async def test_a_pause_is_for_everybody_and_ends(store: Store, other: Store) -> None:
    await store.pause_slots(NOW + 10, NOW)
    await other.pause_slots(NOW + 5, NOW)
    assert await other.take_slot(NOW, limit=6, kept=0, window_s=60) == pytest.approx(10)
    assert await other.take_slot(NOW + 10, limit=6, kept=0, window_s=60) == 0.0


async def test_a_clock_that_was_put_back_stops_nobody_for_long(store: Store) -> None:
    await store.take_slot(NOW + 1e6, limit=1, kept=0, window_s=60)
    assert await store.take_slot(NOW, limit=1, kept=0, window_s=60) == 60


async def test_the_shared_limiter_lets_pass_what_fits(store: Store, other: Store) -> None:
    limiters = [StoreLimiter(each, 9, window_s=0.5) for each in (store, other)]
    passed: list[str] = []

    async def send(number: int) -> None:
        background = number % 3 == 0
        await limiters[number % 2].acquire(background=background)
        passed.append("background" if background else "command")

    async with asyncio.timeout(20):
        await asyncio.gather(*(send(number) for number in range(12)))
    assert sorted(passed) == ["background"] * 4 + ["command"] * 8


async def test_a_waiting_command_goes_before_background_requests(store: Store) -> None:
    clock = Clock()
    limiter = StoreLimiter(store, 3, window_s=0.3, clock=clock)
    await limiter.pause(0.05)
    order: list[str] = []

    async def send(background: bool) -> None:
        await limiter.acquire(background=background)
        order.append("background" if background else "command")

    command = asyncio.create_task(send(False))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(send(True))
    await asyncio.sleep(0.01)
    clock.now += 1
    async with asyncio.timeout(20):
        await asyncio.gather(command, waiting)
    assert order == ["command", "background"]


async def test_while_the_store_is_down_each_process_limits_itself() -> None:
    url = server().database()
    store = await Store.open(url)
    limiter = StoreLimiter(store, 2, window_s=0.2)
    server().stop()
    try:
        async with asyncio.timeout(20):
            for _ in range(3):
                await limiter.acquire(background=False)
            await limiter.pause(0.01)
            await limiter.acquire(background=True)
    finally:
        server().start()
        await store.close()
    assert isinstance(limiter._alone, SlidingLimiter)


# --- opening and failing


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("mysql://u:hush@h/db", "neither PostgreSQL nor SQLite"),
        ("postgresql://u:hush@h:port/db", "can't be read"),
        ("hush", "can't be read"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite://host/path", "names a host"),
        ("sqlite:///path?mode=ro", "names a host or options"),
        ("postgres://u:hush@h/db?pool=5", 'does not know (invalid connection option "pool")'),
    ],
)
def test_a_wrong_address_is_named_without_its_password(given: str, complaint: str) -> None:
    with pytest.raises(Misconfigured) as told:
        database_url(given)
    assert complaint in str(told.value)
    assert "hush" not in str(told.value)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", "sqlite+aiosqlite:///audit-log-bot.sqlite"),
        ("sqlite:////var/lib/bot.sqlite", "sqlite+aiosqlite:////var/lib/bot.sqlite"),
        ("sqlite+pysqlite:///x.sqlite", "sqlite+aiosqlite:///x.sqlite"),
    ],
)
def test_addresses_of_sqlite(given: str, expected: str) -> None:
    assert str(database_url(given)) == expected


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2", "postgresql+asyncpg"])
def test_addresses_of_postgresql(scheme: str) -> None:
    url = database_url(f"{scheme}://u:p%40ss@db.example:5432/bot?sslmode=prefer&connect_timeout=3")
    assert (url.drivername, url.host, url.port, url.database) == ("postgresql+psycopg", "db.example", 5432, "bot")
    assert (url.password, url.query["sslmode"], url.query["connect_timeout"]) == ("p@ss", "prefer", "3")


async def test_an_address_as_scalingo_writes_it_works() -> None:
    url = server().database().replace("postgresql://", "postgres://")
    store = await Store.open(f"{url}&sslmode=prefer")
    await store.ping()
    await store.close()


async def test_what_was_written_is_there_after_closing(url: str) -> None:
    first = await Store.open(url)
    ask = await asked(first)
    await first.close()
    second = await Store.open(url)
    assert await second.ask(ask.id) == ask
    await second.close()


async def test_the_tables_are_those_of_the_migrations(store: Store) -> None:
    def differences(connection: object) -> list[object]:
        context = MigrationContext.configure(connection)  # type: ignore[arg-type]
        return [each for each in compare_metadata(context, metadata) if "alembic_version" not in str(each)]

    async with store._reading() as connection:
        assert await connection.run_sync(differences) == []


def test_the_last_migration_is_the_one_that_is_asked_for() -> None:
    directory = Path(__file__).parent.parent / "bot" / "migrations"
    assert ScriptDirectory(str(directory)).get_current_head() == HEAD


async def test_a_newer_database_is_refused(url: str) -> None:
    store = await Store.open(url)
    async with store._writing() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'later'")
    await store.close()
    with pytest.raises(Misconfigured, match="newer version"):
        await Store.open(url)


OPEN_AND_ASK = """
import asyncio, sys
from bot.store import Store
async def main():
    store = await Store.open(sys.argv[1])
    added = await store.add_ask("k", "read", {}, user="U", channel="C", response_url="", now=1.0)
    print(added is not None, flush=True)
    if len(sys.argv) > 2:
        await store.claim("ask", added.id, "killed", float(sys.argv[2]))
        print("claimed", flush=True)
        await asyncio.Event().wait()
    await store.close()
asyncio.run(main())
"""


def test_four_processes_migrate_at_once(url: str) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN_AND_ASK, url], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    told = [process.communicate(timeout=60) for process in processes]
    assert sorted(out.strip() for out, _ in told) == ["False", "False", "False", "True"], told


async def test_a_killed_process_leaves_its_work_to_the_next(url: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OPEN_AND_ASK, url, str(NOW), stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert [(await process.stdout.readline()).strip() for _ in range(2)] == [b"True", b"claimed"]
    process.kill()
    await process.wait()
    store = await Store.open(url)
    # Alone with its file, a store knows that nobody holds a lease; on PostgreSQL it has to run out.
    at = NOW if store.alone else NOW + LEASE_S
    assert store.alone == url.startswith("sqlite")
    assert [kind for kind, _ in await store.owed(at, 10)] == ["ask"]
    await store.close()


async def test_a_file_that_others_have_open_keeps_its_leases(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/bot.sqlite"
    first = await Store.open(url)
    ask = await asked(first)
    assert await first.claim("ask", ask.id, "me", NOW)
    second = await Store.open(url)
    assert (first.alone, second.alone) == (True, False)
    assert await second.owed(NOW, 10) == []
    await first.close()
    await second.close()


def modes(directory: Path) -> set[int]:
    return {stat.S_IMODE(file.stat().st_mode) for file in directory.iterdir()}


async def test_the_sqlite_file_is_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = await Store.open(f"sqlite:///{tmp_path}/bot.sqlite")
        await asked(store)
        assert await asyncio.to_thread(modes, tmp_path) == {0o600}
        await store.close()
    finally:
        os.umask(before)


async def test_a_file_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="can't be opened: No such file or directory"):
        await Store.open(f"sqlite:///{tmp_path}/missing/bot.sqlite")


async def test_a_file_of_something_else_is_named(tmp_path: Path) -> None:
    (tmp_path / "bot.sqlite").write_text("this is no database, " * 100)
    with pytest.raises(Misconfigured, match="is no SQLite file"):
        await Store.open(f"sqlite:///{tmp_path}/bot.sqlite")


async def test_a_fault_of_ours_is_not_called_an_outage(store: Store) -> None:
    with pytest.raises(Exception, match="no_such_table") as told:
        async with store._reading() as connection:
            await connection.exec_driver_sql("SELECT * FROM no_such_table")
    assert not isinstance(told.value, Misconfigured)


async def test_an_empty_database_name_or_a_wrong_user_is_told_apart_from_an_outage() -> None:
    with pytest.raises(Misconfigured, match="refuses the user, the password or the name"):
        await Store.open(server().database().replace("/postgres?", "/none?"))


async def test_a_server_that_is_not_there_may_come() -> None:
    with pytest.raises(StoreDown, match=r"PostgreSQL at 127\.0\.0\.1"):
        await Store.open("postgres://u:hush@127.0.0.1:9/bot")


async def test_a_locked_file_is_an_outage_not_an_end(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite"
    store = await Store.open(f"sqlite:///{path}")
    async with store._reading() as connection:
        await connection.exec_driver_sql("PRAGMA busy_timeout=10")
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreDown):
        await store.set_mark("a", "b", NOW)
    holder.close()
    await store.set_mark("a", "b", NOW)
    await store.close()


async def test_the_database_goes_and_comes_back() -> None:
    store = await Store.open(server().database())
    ask = await asked(store)
    server().stop()
    try:
        every: list[Callable[[], Awaitable[object]]] = [
            store.ping,
            lambda: store.finish_ask(ask.id, "posted", NOW),
            lambda: store.owed(NOW, 10),
            store.connect_beside,
        ]
        for operation in every:
            with pytest.raises(StoreDown):
                await operation()
    finally:
        server().start()
    await store.finish_ask(ask.id, "posted", NOW)
    assert await store.owed(NOW, 10) == []
    await store.close()


async def test_cut_connections_cost_nothing() -> None:
    url = server().database()
    store = await Store.open(url)
    await store.ping()
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    await asked(store)
    await store.close()


async def test_a_connection_that_breaks_in_use_is_thrown_away() -> None:
    store = await Store.open(server().database())
    with pytest.raises(StoreDown):
        async with store.raw_connection() as connection:
            await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    await store.ping()
    await store.close()
