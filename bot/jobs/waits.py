"""How long to wait before the next try, by what went wrong."""

from __future__ import annotations

import random

from bot.errors import BotError, CannotPost, NotReady, Retryable

MINUTE_S = 60.0
HOUR_S = 3600.0
# What a delivery is kept for; the contract's and, with it, how far back a lost store is healed.
KEPT_S = 72 * HOUR_S

_NOT_READY_S = (5, 10, 20, 30, MINUTE_S, 2 * MINUTE_S, 5 * MINUTE_S, 10 * MINUTE_S, 20 * MINUTE_S, 30 * MINUTE_S)
_HELD_S = (MINUTE_S, 2 * MINUTE_S, 5 * MINUTE_S, 15 * MINUTE_S, 30 * MINUTE_S, HOUR_S)
_UNREACHABLE_S = (1, 2, 5, 10, 20, 40, MINUTE_S, 2 * MINUTE_S, 5 * MINUTE_S, 10 * MINUTE_S)
_UNEXPECTED_S = (2, 10, MINUTE_S, 10 * MINUTE_S)

# What no class of ours explains is a fault of ours: a few more tries, then it is said.
UNEXPECTED_TRIES = len(_UNEXPECTED_S)
# A log that can't be read now may be being written; after these it is broken.
BROKEN_TRIES = 4


def before_try(attempts: int, error: BaseException) -> float:
    """Seconds to wait after the `attempts`-th failure in a row (from 1), with jitter so that many do not come at once."""
    match error:
        case NotReady():
            waits: tuple[float, ...] = _NOT_READY_S
        case CannotPost():
            waits = _HELD_S
        case Retryable(retry_after_s=float() | int() as named):
            return float(named) + random.uniform(0, 1)  # noqa: S311 - jitter
        case BotError():
            waits = _UNREACHABLE_S
        case _:
            waits = _UNEXPECTED_S
    return waits[min(attempts, len(waits)) - 1] * random.uniform(0.8, 1.2)  # noqa: S311 - jitter
