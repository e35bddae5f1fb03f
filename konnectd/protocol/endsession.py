"""Leaving: what a sign-out request asks for, and whether the person has to confirm it.

Spec: OIDC RP-Initiated Logout 2 and 3.
"""

from collections.abc import Sequence
from typing import Self

from attrs import field, frozen

from konnectd.protocol.asking import host_of
from konnectd.protocol.authorize import add_to_query
from konnectd.protocol.client import Client
from konnectd.protocol.end_user import Logon
from konnectd.protocol.errors import Doubt, UntrustedRequestError
from konnectd.protocol.hint import Hint
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.trail import Trail
from konnectd.protocol.vocabulary import ErrorCode


@frozen(kw_only=True)
class EndSessionRequest:
    """A sign-out request whose way back is proven.

    Attributes:
        client: who asks; None when it does not say.
        hint: the verified ``id_token_hint``; None without one.
        location: where the browser goes afterwards; empty for our own page.
        logout_hint: whom the client means: a session, a subject or a name for signing in; empty when it does not say.
    """

    client: Client | None = None
    hint: Hint | None = None
    location: str = field(default="", repr=False)
    ui_locales: str = ""
    logout_hint: str = field(default="", repr=False)

    @classmethod
    def verify(cls, client: Client | None, hint: Hint | None, parameters: Parameters) -> Self:
        """Check who asks and where they want the browser to go.

        Raises:
            UntrustedRequestError: the hint is another client's, or the URI is not registered.

        Spec: OIDC RP-Initiated Logout 2 (``client_id`` must match the hint) and 3 (the URI must be registered).
        """
        client_id = parameters.get("client_id")
        if hint is not None and client_id is not None and client_id != hint.client_id:
            raise UntrustedRequestError(ErrorCode.INVALID_REQUEST, "id_token_hint was issued to another client")
        uri = parameters.get("post_logout_redirect_uri")
        location = ""
        if uri is not None:
            if client is None:
                raise UntrustedRequestError(
                    ErrorCode.INVALID_REQUEST,
                    "post_logout_redirect_uri needs the id_token_hint or client_id of a registered client",
                    Doubt.CLIENT,
                )
            if not client.allows_post_logout_redirect_uri(uri):
                raise UntrustedRequestError(
                    ErrorCode.INVALID_REQUEST,
                    "post_logout_redirect_uri is not registered for this client",
                    Doubt.REDIRECT_URI,
                ).about(Trail(client=client.client_id, host=host_of(uri)))
            location = _with_state(uri, parameters.text("state"))
        return cls(
            client=client,
            hint=hint,
            location=location,
            ui_locales=parameters.text("ui_locales")[:256],
            logout_hint=parameters.text("logout_hint")[:256],
        )

    def must_confirm(self, logon: Logon) -> bool:
        """Tell whether the person has to say that they want this.

        Without a hint anybody could have sent the browser here, from a picture in a mail even; with the hint of
        another session or another person it is not this session that is meant. A ``logout_hint`` proves nothing, so
        it never makes the question unnecessary; it can only make it necessary.

        Spec: OIDC RP-Initiated Logout 2.
        """
        if self.logout_hint and not self._means(logon):
            return True
        hint = self.hint
        if hint is None:
            return True
        names = self.client.knows(logon) if self.client is not None else {logon.sub, logon.subject}
        if hint.sub not in names:
            return True
        return bool(hint.session_id) and hint.session_id not in self._sids(logon)

    def pick(self, current: Logon | None, beside: Sequence[Logon]) -> Logon | None:
        """Return which of the logons of a browser is to end: the one that is named, else the current one.

        Args:
            current: None when nobody is signed in, or only others are, beside.
            beside: who is signed in as well.
        """
        everyone = [logon for logon in (current, *beside) if logon is not None]
        proven = (logon for logon in everyone if not self.must_confirm(logon))
        named = (logon for logon in everyone if self.logout_hint and self._means(logon))
        return next(proven, next(named, current))

    def _means(self, logon: Logon) -> bool:
        """Tell whether ``logout_hint`` names a person or their session."""
        known = self.client.knows(logon) if self.client is not None else {logon.sub}
        return self.logout_hint in {*known, *self._sids(logon), logon.username}

    def _sids(self, logon: Logon) -> frozenset[str]:
        """Return what a client may know a session by; in older ID Tokens that is the session's own id."""
        client = self.client
        if client is None and self.hint is not None:
            client = Client(client_id=self.hint.client_id)
        own = {client.sid_of(logon.session_id)} if client is not None else set()
        return frozenset({*own, logon.session_id})


def _with_state(uri: str, state: str) -> str:
    """Add ``state`` once, if there is one. Spec: OIDC RP-Initiated Logout 3."""
    return add_to_query(uri, [("state", state)], frozenset({"state"})) if state else uri
