"""What went wrong in other providers, check by check: a test for each thing that stands against a known fault.

Each test is named by the row of ``docs/develop/known-faults.md`` that it belongs to, and ``tools/taken_out.toml`` waits
to see it fail. What holds for a whole row is in ``tests/web/test_known_faults.py``.
"""
