"""A backend whose library is not installed."""

import konnectd_library_that_is_not_there  # type: ignore[import-not-found] # noqa: F401 - the point of it
