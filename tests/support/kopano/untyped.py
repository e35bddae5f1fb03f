"""A name for what Twisted gives no type."""

from typing import Any, TypeAlias

Untyped: TypeAlias = Any
