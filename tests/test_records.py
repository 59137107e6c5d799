"""JSON bytes into records: every layout, every cut, every fault."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import AuditLogBroken, AuditLogCut
from bot.reading.records import batches, unzipped

ONE = {"time": "2026-03-01T09:00:00Z", "content": 'a},{"time" <&> \u2028 \\', "type": "output"}
TWO = {"time": "2026-03-01T09:00:01Z", "content": "ls\n", "type": "input"}


def contents(pieces: Iterable[bytes]) -> list[tuple[str, str]]:
    return [
        (kind, content)
        for batch in batches(unzipped(pieces))
        for kind, content in zip(batch.types, batch.contents, strict=True)
    ]


EXPECTED = [("output", ONE["content"]), ("input", "ls\n")]
LAYOUTS = {
    "compact": json.dumps([ONE, TWO], separators=(",", ":")),
    "pretty": json.dumps([ONE, TWO], indent=4),
    "lines": "[\n" + json.dumps(ONE) + ",\n" + json.dumps(TWO) + "\n]\n",
    "ascii": json.dumps([ONE, TWO]),
    "utf-8": json.dumps([ONE, TWO], ensure_ascii=False),
    "as Go writes": json.dumps([ONE, TWO]).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"),
    "type first": json.dumps([dict(reversed(ONE.items())), dict(reversed(TWO.items()))]),
    "more fields": json.dumps([ONE | {"pid": 7}, TWO | {"nested": {"a": [1]}}]),
    "byte order mark": "\ufeff" + json.dumps([ONE, TWO]),
}


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_a_layout_is_only_a_layout(text: str) -> None:
    data = text.encode()
    assert contents([data]) == EXPECTED
    assert contents(data[at : at + 1] for at in range(len(data))) == EXPECTED
    assert contents([gzip.compress(data)]) == EXPECTED


@given(st.lists(st.tuples(st.sampled_from(["output", "input"]), st.text(max_size=40)), max_size=30), st.integers(1, 99))
@settings(max_examples=100, deadline=None)
def test_any_records_in_any_pieces(records: list[tuple[str, str]], size: int) -> None:
    data = json.dumps([{"time": "t", "content": content, "type": kind} for kind, content in records]).encode()
    assert contents(data[at : at + size] for at in range(0, len(data), size)) == records


@pytest.mark.parametrize("blanks", [70, 5000])
def test_many_blanks_are_only_a_layout(blanks: int) -> None:
    records = [ONE, TWO] * (1 + 2_000_000 // (blanks * 2))
    data = " " * blanks + "[" + ("," + " " * blanks).join(map(json.dumps, records)) + "]"
    assert contents([data.encode()]) == EXPECTED * (len(records) // 2)


def test_many_records_come_in_several_batches() -> None:
    data = json.dumps([ONE, TWO] * 5000).encode()
    found = list(batches([data]))
    assert len(found) > 1
    assert sum(batch.finished for batch in found) == 10_000


@pytest.mark.parametrize("first", [{}, {"id": 7}])
def test_what_else_a_record_has_may_list_objects(first: dict[str, int]) -> None:
    record = first | ONE | {"tags": [{"a": 1}, {"type": 2}, {"b": 3}]}
    data = json.dumps([record] * 5000, separators=(",", ":")).encode()
    assert sum(batch.finished for batch in batches([data])) == 5000


def test_a_long_record_comes_in_pieces_and_counts_once() -> None:
    content = 'é"\\\n😀' * 400_000
    for ensure_ascii in (True, False):
        data = json.dumps([ONE, TWO | {"content": content}, ONE], ensure_ascii=ensure_ascii).encode()
        found = list(batches(data[at : at + 65536] for at in range(0, len(data), 65536)))
        assert max(len(text) for batch in found for text in batch.contents) < 1_000_000
        assert "".join(text for batch in found for text in batch.contents) == ONE["content"] + content + ONE["content"]
        assert sum(batch.finished for batch in found) == 3


def test_a_lone_surrogate_becomes_a_replacement_character() -> None:
    assert contents([b'[{"time":"t","content":"a\\ud800b","type":"output"}]']) == [("output", "a\ufffdb")]


@pytest.mark.parametrize("text", ["[]", " [ ] \n", "[\n]"])
def test_an_empty_array_is_an_empty_log(text: str) -> None:
    assert contents([text.encode()]) == []


WHOLE = LAYOUTS["compact"].encode()


@pytest.mark.parametrize("end", range(len(WHOLE)))
def test_a_log_that_stops_early_is_cut_wherever_it_stops(end: int) -> None:
    with pytest.raises(AuditLogCut):
        contents([WHOLE[:end]])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"error": "not found"}', "byte 0"),
        ('[{"time":"t","content":"","type":"output"},{"time":oops}]', "record 2, at byte 51"),
        ('[{"time":"t","content":"","type":"output"} {"time":"t"}]', "broken"),
        ('[{"time":"t","content":7,"type":"output"}]', "Record 1"),
        ('[{"time":"t","type":"output"}]', "Record 1"),
        ("[1, 2]", "Record 1"),
        ('[{"time":"t","content":"","type":"output"}] trailing]', "broken"),
        ("<html>]", "byte 0"),
    ],
)
def test_a_broken_log_says_where(text: str, sentence: str) -> None:
    with pytest.raises(AuditLogBroken, match=sentence) as caught:
        contents([text.encode()])
    assert not isinstance(caught.value, AuditLogCut)


def test_broken_compression_says_so() -> None:
    with pytest.raises(AuditLogBroken, match="compression"):
        contents([b"\x1f\x8b\x08\x00garbage that is no deflate stream"])


def test_cut_compression_is_a_cut_log() -> None:
    with pytest.raises(AuditLogCut):
        contents([gzip.compress(WHOLE)[:-30]])
