"""Every failure that we can explain, with the sentence that a person reads.

The class decides what happens next:

    BotError                    said to whoever asked; not tried again
    ├── Misconfigured           a variable is missing or wrong; the process does not start
    │   └── TokenRefused        Scalingo does not know the API token (any more): a 401 that a new bearer does not cure
    ├── BadInput                what a person typed can't be understood; the sentence shows the nearest right form
    ├── AuditLogBroken          the file is no audit log: which record, which byte
    │   ├── AuditLogCut         it ends before its array is closed: fetched again, never taken for a short session
    │   └── AuditLogTooLarge    nobody reads that in a thread
    ├── Refused                 the person may not have what was asked for
    │   ├── NotYours            no such app, or none whose sessions this person may read: the same words for both
    │   ├── SharedChannel       people of another company read along: no content of a session there
    │   ├── PaymentRequired     402: Scalingo wants the account's billing settled first
    │   └── Forbidden           403: the bot's own account at Scalingo may not do this
    ├── Rejected                Scalingo will not take this request however often it is sent: a 400, a redirect
    │   ├── Conflict            409: the state of the resource is in the way
    │   └── Invalid             422: which field, and why
    ├── Gone                    what was asked for does not exist (any more)
    │   └── ThreadGone          somebody deleted the thread's parent: it is not posted again
    ├── CannotPost              Slack will not take our message in this channel as things are; kept until it will
    ├── BlocksRefused           Slack will not show our blocks; the same in plain words may pass
    └── Retryable               worth another try, after `retry_after_s` where the other side named a time
        ├── RateLimited
        ├── Unreachable         no answer, a lost one, or a 5xx
        ├── NotReady            the audit log is not there yet
        └── StoreDown           the database does not answer; whatever it holds is still owed
"""

from __future__ import annotations


class BotError(Exception):
    """Its text is one sentence for a person; it holds no secret and nothing of a session."""


class Misconfigured(BotError):
    pass


class TokenRefused(Misconfigured):
    pass


class BadInput(BotError):
    pass


class AuditLogBroken(BotError):
    pass


class AuditLogCut(AuditLogBroken):
    pass


class AuditLogTooLarge(AuditLogBroken):
    pass


class Refused(BotError):
    pass


class NotYours(Refused):
    pass


class SharedChannel(Refused):
    def __init__(self) -> None:
        super().__init__(
            "This channel is shared with another company, so no session may come here: ask in a channel of your own."
        )


class PaymentRequired(Refused):
    pass


class Forbidden(Refused):
    pass


class Rejected(BotError):
    pass


class Conflict(Rejected):
    pass


class Invalid(Rejected):
    pass


class Gone(BotError):
    pass


class ThreadGone(Gone):
    pass


class CannotPost(BotError):
    """`reason` is Slack's error code, `not_in_channel` for instance."""

    def __init__(self, sentence: str, reason: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class BlocksRefused(BotError):
    pass


class Retryable(BotError):
    def __init__(self, sentence: str, retry_after_s: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_after_s = retry_after_s


class RateLimited(Retryable):
    pass


class Unreachable(Retryable):
    """`maybe_done`: a write whose answer got lost may have been done all the same; look before it is repeated."""

    def __init__(self, sentence: str, retry_after_s: float | None = None, *, maybe_done: bool = False) -> None:
        super().__init__(sentence, retry_after_s)
        self.maybe_done = maybe_done


class NotReady(Retryable):
    pass


class StoreDown(Retryable):
    pass


class DiskFull(Retryable):
    pass
