"""Scalingo's audit logs in Slack."""
