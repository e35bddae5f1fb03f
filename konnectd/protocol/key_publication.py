"""For how long keys are published before they sign. What else there is to rotation is `konnectd.protocol.key_rotation`.

By itself, because every start has to know these, and only few daemons rotate keys.
"""

from konnectd.protocol.discovery import DOCUMENT_MAX_AGE

#: What a key has to be published before it signs, in seconds. A proxy may keep the key set for its time, and a client
#: what the proxy has kept for a whole time more.
LEAST_AHEAD = 2 * DOCUMENT_MAX_AGE
#: The same where nobody says otherwise: many clients keep key sets for hours, whatever they are told.
AHEAD = 24 * 3600
#: The longest time between two looks, in seconds; far less than `konnectd.protocol.key_rotation.UNTOLD`.
LONGEST_PACE = 3600


def pace(ahead: int) -> int:
    """Return how often somebody looks what is due who rotates keys without being called, in seconds.

    Args:
        ahead: how long a key is published before it signs, in seconds.
    """
    return min(LONGEST_PACE, ahead // 10)
