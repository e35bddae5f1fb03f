"""The tests of konnectd; they mirror its folders.

Before the first of them is loaded, this process is kept from reaching anybody but this very machine.
"""

from tests.support.seclusion import seclude

seclude()
