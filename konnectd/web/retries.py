"""Why a sign-in page is shown again: carried in its address, sealed, so that reloading it is harmless."""

from attrs import field, frozen

from konnectd.interfaces import Clock, Sealer
from konnectd.web.views import SignInFault

_PURPOSE = "retry"
#: How long the page says what went wrong, in seconds.
_TTL = 600
#: Longest name that is put back into the form, in characters.
_LONGEST_USERNAME = 256


@frozen(kw_only=True)
class Retry:
    """What went wrong, the name that was typed, and whether the box for staying signed in was ticked."""

    fault: SignInFault
    username: str = field(default="", repr=False)
    stay: bool = False


@frozen(kw_only=True)
class Retries:
    """Seals and opens `Retry`."""

    sealer: Sealer
    clock: Clock

    def seal(self, retry: Retry) -> str:
        """Return the value of the parameter."""
        claims = {"fault": str(retry.fault), "un": retry.username[:_LONGEST_USERNAME], "stay": retry.stay}
        return self.sealer.seal(_PURPOSE, claims, self.clock.now() + _TTL)

    def open(self, text: str | None) -> Retry | None:
        """Return what a parameter says; None when it is not there, not ours, or old."""
        claims = self.sealer.open(_PURPOSE, text, self.clock.now()) if text is not None else None
        match claims:
            case {"fault": str(fault), "un": str(username), **more} if fault in set(SignInFault):
                return Retry(fault=SignInFault(fault), username=username, stay=more.get("stay") is True)
        return None
