"""Measures of the daemon against bounds taken in the same run: ``python -m bench`` or ``make bench``.

Only ratios mean anything: the machine's speed drifts, so a figure and what it is compared with are measured in turns,
and the medians are compared. Everything is per CPU second of the server's process, on loopback, bounded in count.
"""
