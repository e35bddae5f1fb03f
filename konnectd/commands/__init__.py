"""What an administrator types besides ``serve``: one file per command, each with ``run``, which returns an exit status.

Exit statuses are 0 when all is well, 1 when something is not, and 2 when the command was called wrongly.
"""
