"""Resource indicators: for which servers a token is meant, so that none of them can use it at another.

Spec: RFC 8707; RFC 9068 2.2 and 3 (``aud``).
"""

from konnectd.protocol.client import Client, is_plain_uri
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.vocabulary import ErrorCode


def parse_resources(parameters: Parameters, client: Client) -> tuple[str, ...]:
    """Return the resources a request names, each of which the client is registered for.

    Raises:
        OAuthError: ``invalid_target``: one is no absolute URI without fragment, or is not the client's.

    Spec: RFC 8707 2.
    """
    resources = tuple(dict.fromkeys(filter(None, parameters.text("resource").split(" "))))
    for resource in resources:
        if not is_plain_uri(resource):
            raise OAuthError(ErrorCode.INVALID_TARGET, "resource must be an absolute URI without a fragment")
    check_registered(resources, client)
    return resources


def narrow_resources(granted: tuple[str, ...], parameters: Parameters, client: Client) -> tuple[str, ...]:
    """Return the resources of a token request: what was granted, or the part of it the client asks for.

    Where nothing was said at the authorization endpoint the client may name any of its own here. What was granted is
    looked up again each time: a resource that was taken from the client is none that a refresh still gives.

    Raises:
        OAuthError: ``invalid_target``: it asks for more, or for what it may not have any more.

    Spec: RFC 8707 2.2.
    """
    asked = parse_resources(parameters, client)
    if granted and not set(asked) <= set(granted):
        raise OAuthError(ErrorCode.INVALID_TARGET, "resource must be part of what was granted")
    chosen = asked or granted
    check_registered(chosen, client)
    return chosen


def check_registered(resources: tuple[str, ...], client: Client) -> None:
    """Check that a client may have tokens for some resources.

    Raises:
        OAuthError: ``invalid_target``.
    """
    if not set(resources) <= set(client.resources):
        raise OAuthError(ErrorCode.INVALID_TARGET, "the client is not registered for this resource")


def audience(resources: tuple[str, ...], client_id: str) -> str | list[str]:
    """Return the ``aud`` of an access token: text where there is one, as Kopano's token library reads it.

    Spec: RFC 9068 3; RFC 7519 4.1.3.
    """
    if not resources:
        return client_id
    return resources[0] if len(resources) == 1 else list(resources)
