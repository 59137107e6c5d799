"""A line at its prompt, where keys and screen disagree: each rule by the fact that it goes by."""

from __future__ import annotations

import pytest

from bot.reading.keys import Typed
from bot.reading.reconciled import reconciled
from bot.reading.rows import Stood

PROMPT = "my-app:~$ "


def received(
    keys: str, shown: str, *, known: bool = True, pressed: str = "", recalled: bool = False, tangled: bool = False
) -> str:
    typed = Typed(keys, known, "", pressed or keys, recalled=recalled)
    return reconciled(typed, Stood(PROMPT, shown), "", tangled=tangled).text


def test_what_is_inserted_in_a_full_row_goes_on_in_the_next() -> None:
    keys = "echo one; echo two >&2; echo three-l"
    assert received(keys, "echo one; echo two >&2; echo t-l\nhree-l", known=False, recalled=True) == keys
    # The row above ends in something else.
    assert received(keys, "echo one; echo two >&2; echo t-x\nhree-l", known=False) != keys


def test_nobody_typed_the_blank_before_a_wide_character_at_the_edge() -> None:
    assert received("echo '— 東京'", "echo '—  東京'") == "echo '— 東京'"
    assert received("echo 'a b'", "echo 'a  b'") == "echo 'a  b'"


@pytest.mark.parametrize("known", [True, False])
def test_what_was_recalled_or_killed_on_the_way_stays_before_a_tangled_line(known: bool) -> None:
    shown = "git --versiontail -n 4 log/proecho # again"
    assert received("echo # again", shown, known=known, recalled=not known, tangled=True) == "echo # again"
    assert received("echo # again", shown, known=known, recalled=not known) == shown


def test_the_history_stands_in_place_of_its_sign() -> None:
    assert received("cat !gre:$ | head -3", "cat app/models/order.rb | head -3") == "cat app/models/order.rb | head -3"
    assert received("cat !gre:$ | head -3", "cat !gre:$ | head -3") == "cat !gre:$ | head -3"
