"""What a post in Slack is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Message:
    """`text` is what notifications and screen readers use; Slack shows the `blocks` where there are any."""

    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)
