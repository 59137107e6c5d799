"""Slack's error codes (api.slack.com/methods, the table of each method), each as a failure of ours with its sentence."""

from __future__ import annotations

from bot.errors import BlocksRefused, BotError, CannotPost, Gone, Misconfigured, RateLimited, ThreadGone, Unreachable

_READ_ONLY = "This channel takes no messages from apps: ask an admin of the workspace to let this one post."
_CANNOT_POST = {
    "not_in_channel": "I am not in this channel: invite me with `/invite` and I will go on.",
    "channel_not_found": "I am not in this conversation: invite me with `/invite`, or ask in a channel that I am in.",
    "is_archived": "This channel is archived: unarchive it and I will go on.",
    "access_denied": _READ_ONLY,
    "ekm_access_denied": _READ_ONLY,
    "external_channel_migrating": "This channel is being moved between workspaces: I will try again.",
    "messages_tab_disabled": "The app takes no direct messages: ask in a channel that it is in.",
    "method_not_supported_for_channel_type": "I can't post in this kind of conversation: ask in a channel that I am in.",
    "restricted_action": _READ_ONLY,
    "restricted_action_non_threadable_channel": "This channel allows no threads: ask in another one.",
    "restricted_action_read_only_channel": _READ_ONLY,
    "restricted_action_thread_locked": "The thread is locked: ask again in the channel.",
    "restricted_action_thread_only_channel": "This channel takes only replies: ask in another one.",
    "team_access_not_granted": _READ_ONLY,
}
_BLOCKS = {
    "block_mismatch",
    "invalid_blocks",
    "invalid_blocks_format",
    "metadata_too_large",
    "msg_blocks_too_long",
    "msg_too_long",
}
_THREAD_GONE = {
    "cannot_reply_to_message",
    "cant_update_message",
    "edit_window_closed",
    "invalid_thread_ts",
    "message_not_found",
    "thread_not_found",
}
_TOKEN = {
    "account_inactive",
    "invalid_auth",
    "not_allowed_token_type",
    "not_authed",
    "org_login_required",
    "token_expired",
    "token_revoked",
}
# fatal_error: "It's possible some aspect of the operation succeeded before the error was raised."
_SLACK_IS_UNWELL = {"fatal_error", "internal_error", "request_timeout", "service_unavailable"}
_RATE_LIMITED = {"message_limit_exceeded", "rate_limited", "ratelimited"}


def refusal(method: str, code: str, needed: str = "") -> BotError:
    """What the error `code` in an answer to `method` means for us; `needed` is the scope that was missing."""
    if code in _CANNOT_POST:
        return CannotPost(_CANNOT_POST[code], code)
    if code in _BLOCKS:
        return BlocksRefused(f"Slack did not accept the form of a message ({code}).")
    if code in _THREAD_GONE:
        return ThreadGone(
            "The thread in Slack is gone: its first message was deleted, so nothing more is posted to it."
        )
    if code in _TOKEN:
        return Misconfigured(
            f"Slack does not accept SLACK_BOT_TOKEN ({code}): install the app again and set the new one."
        )
    if code == "missing_scope" and needed.startswith("mpim:"):
        # Not asked for: nobody can invite an app to a group's direct messages.
        return CannotPost(_CANNOT_POST["method_not_supported_for_channel_type"], code)
    if code == "missing_scope":
        return Misconfigured(
            f"The Slack app lacks the scope {needed or 'that ' + method + ' needs'}: add it under OAuth & Permissions"
            " and install the app again."
        )
    if code in _RATE_LIMITED:
        return RateLimited("Slack asks for a pause.", retry_after_s=1.0)
    if code in _SLACK_IS_UNWELL:
        return Unreachable(f"Slack could not do {method} ({code}).", maybe_done=True)
    if code.endswith("_not_found"):
        return Gone(f"Slack does not find what {method} is about ({code}).")
    return BotError(f"Slack refused {method} ({code}).")
