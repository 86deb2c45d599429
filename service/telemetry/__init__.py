"""Logs, metrics, traces and event-loop lag."""
