"""Watching the daemon: metrics, health, the audit log, profiles. What is counted is told by answers, never by flows."""
