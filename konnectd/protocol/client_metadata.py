"""What a client may say about itself when it registers: each member's form, and the value we make of it.

A member nobody knows is passed over; one that is known and wrong refuses the registration, so that no client believes
it has what it asked for. What members have to do with one another is `konnectd.protocol.registration`.

Spec: OIDC Registration 2; RFC 7591 2; OIDC RP-Initiated Logout 3.1; OIDC Front-Channel Logout 2; OIDC Back-Channel
Logout 2.2; RFC 9126 6.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from attrs import frozen

from konnectd.protocol.client import LONGEST_URI
from konnectd.protocol.client_grant import GRANT_TYPE as CLIENT_CREDENTIALS
from konnectd.protocol.device import GRANT_TYPE as DEVICE_CODE
from konnectd.protocol.public_key import KEY_TYPES, PRIVATE_MEMBERS, public_members
from konnectd.protocol.registered_uri import page_uri_problem
from konnectd.protocol.response_type import name as name_of
from konnectd.protocol.response_type import parse as parse_response_type
from konnectd.protocol.vocabulary import ApplicationType

#: Limits that no client has reason to meet.
LONGEST_TEXT = 200
MOST_ITEMS = 20
#: Ten years; a larger number is a slip.
LARGEST_AGE = 10 * 365 * 24 * 3600


@frozen(kw_only=True)
class Offer:
    """What a client may choose from.

    Attributes:
        response_types: as metadata has them.
        auth_methods: at the token endpoint.
        signing: algorithms we sign by.
        request_signing: algorithms by which request objects may be signed; none of them means there are no such.
        auth_signing: algorithms by which a client may sign who it is.
        encryption: algorithms by which keys of what we encrypt are wrapped.
        content_encryption: algorithms by which we encrypt.
        http: addresses without TLS are good enough, because so is ours.
    """

    response_types: tuple[str, ...]
    grant_types: tuple[str, ...]
    auth_methods: tuple[str, ...]
    signing: tuple[str, ...]
    request_signing: tuple[str, ...] = ()
    auth_signing: tuple[str, ...] = ()
    encryption: tuple[str, ...] = ()
    content_encryption: tuple[str, ...] = ()
    subject_types: tuple[str, ...] = ("public",)
    http: bool = False

    @classmethod
    def of(cls, metadata: Mapping[str, object], *, http: bool) -> "Offer":
        """Make it from the provider's metadata, so that the two never differ.

        Tokens without a person behind them are not for clients that nobody has looked at; nor is the sign-in of
        devices, where nothing but its name tells a person which client asks.
        """

        def words(name: str) -> tuple[str, ...]:
            found = metadata.get(f"{name}_supported")
            return tuple(str(word) for word in found) if isinstance(found, list | tuple) else ()

        return cls(
            response_types=words("response_types"),
            grant_types=tuple(word for word in words("grant_types") if word not in {CLIENT_CREDENTIALS, DEVICE_CODE}),
            auth_methods=words("token_endpoint_auth_methods"),
            signing=words("id_token_signing_alg_values"),
            request_signing=words("request_object_signing_alg_values"),
            auth_signing=words("token_endpoint_auth_signing_alg_values"),
            encryption=words("id_token_encryption_alg_values"),
            content_encryption=words("id_token_encryption_enc_values"),
            subject_types=words("subject_types"),
            http=http,
        )


#: Makes the right value of a member, or raises `ValueError` with the rest of a sentence that begins with its name.
Read: TypeAlias = Callable[[object, Offer], object]
Choices: TypeAlias = Callable[[Offer], tuple[str, ...]]


@frozen(kw_only=True)
class Member:
    """One member of client metadata.

    Attributes:
        read: reads its value.
        client: the attribute of `konnectd.protocol.client.Client` it becomes; its own name if empty.
    """

    name: str
    read: Read
    client: str = ""

    @property
    def attribute(self) -> str:
        """The attribute it becomes."""
        return self.client or self.name


def read_text(value: object, _offer: Offer) -> str:
    """Read what people are shown."""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or not value.isprintable():
        raise ValueError(f"must be at most {LONGEST_TEXT} printable characters")
    return value


def read_uri(value: object, _offer: Offer) -> str:
    """Read the address of something that must not be changed on its way."""
    return _uri(value, http=False)


def read_page(value: object, _offer: Offer) -> str:
    """Read the address of a page that people may look at."""
    return _uri(value, http=True)


def read_notified(value: object, offer: Offer) -> str:
    """Read an address that browsers open to tell a client something; what we ask ourselves is never without TLS."""
    return _uri(value, http=offer.http)


def _uri(value: object, *, http: bool) -> str:
    """Read an address."""
    problem = "must be a URL" if not isinstance(value, str) else page_uri_problem(value, http=http)
    if problem:
        raise ValueError(problem)
    return str(value)


def read_texts(value: object, _offer: Offer) -> list[str]:
    """Read a list of texts; of what is there twice, one is enough."""
    if not isinstance(value, list) or len(value) > MOST_ITEMS:
        raise ValueError(f"must be a list of at most {MOST_ITEMS}")
    for item in value:
        if not isinstance(item, str) or not item or len(item) > LONGEST_URI or not item.isprintable():
            raise ValueError("must be a list of texts")
    return list(dict.fromkeys(value))


def read_request_uris(value: object, offer: Offer) -> list[str]:
    """Read where request objects stand; a fragment may tell one version from the next. Spec: OIDC Core 6.2."""
    uris = read_texts(value, offer)
    for uri in uris:
        _uri(uri.partition("#")[0], http=False)
    return uris


def read_flag(value: object, _offer: Offer) -> bool:
    """Read yes or no."""
    if not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004 - what is wrong is what a client sent
    return value


def read_seconds(value: object, _offer: Offer) -> int:
    """Read a span of time."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_AGE:
        raise ValueError("must be a whole number of seconds")
    return value


def read_response_types(value: object, offer: Offer) -> list[str]:
    """Read response types, whatever the order of their words."""
    found = [parse_response_type(text) for text in read_texts(value, offer)]
    names = [name_of(one) if one is not None else "" for one in found]
    if not names or any(name not in offer.response_types for name in names):
        raise ValueError(f"must be some of {', '.join(offer.response_types)}")
    return list(dict.fromkeys(names))


def read_grant_types(value: object, offer: Offer) -> list[str]:
    """Read grant types; those that are not on are left out, and the answer says which are left. Spec: RFC 7591 2."""
    return [grant_type for grant_type in read_texts(value, offer) if grant_type in offer.grant_types]


def read_jwks(value: object, _offer: Offer) -> Mapping[str, object]:
    """Read public keys, as far as to see that they are public; what nobody looks at is left out. Spec: RFC 7517 5."""
    keys = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(keys, list) or not keys or len(keys) > MOST_ITEMS:
        raise ValueError(f"must have keys, a list of at most {MOST_ITEMS}")
    return {"keys": [_public_key(key) for key in keys]}


def _public_key(value: object) -> Mapping[str, object]:
    """Read one public key."""
    if not isinstance(value, dict) or value.get("kty") not in KEY_TYPES:
        raise ValueError(f"must have keys of kty {', '.join(sorted(KEY_TYPES))}")
    if PRIVATE_MEMBERS & value.keys():
        raise ValueError("must hold public keys only; the private ones that were sent are to be replaced")
    key = public_members(value)
    if key is None:
        raise ValueError("has a key with a member that is no text, or too long")
    return key


def one_of(choices: Choices) -> Read:
    """Make what reads one of some words."""

    def read(value: object, offer: Offer) -> str:
        words = choices(offer)
        if not isinstance(value, str) or value not in words:
            raise ValueError(f"must be one of {', '.join(words)}" if words else "is not supported")
        return value

    return read


_signing = one_of(lambda offer: offer.signing)
_encryption = one_of(lambda offer: offer.encryption)
_content_encryption = one_of(lambda offer: offer.content_encryption)

#: Every member there is, in the order of an answer.
MEMBERS: tuple[Member, ...] = (
    Member(name="redirect_uris", read=read_texts),
    Member(name="response_types", read=read_response_types),
    Member(name="grant_types", read=read_grant_types),
    Member(name="application_type", read=one_of(lambda _offer: tuple(ApplicationType))),
    Member(name="contacts", read=read_texts),
    Member(name="client_name", read=read_text, client="name"),
    Member(name="client_uri", read=read_page, client="uri"),
    Member(name="logo_uri", read=read_page),
    Member(name="policy_uri", read=read_page),
    Member(name="tos_uri", read=read_page),
    Member(name="jwks_uri", read=read_uri),
    Member(name="jwks", read=read_jwks),
    Member(name="sector_identifier_uri", read=read_uri),
    Member(name="subject_type", read=one_of(lambda offer: offer.subject_types)),
    Member(name="id_token_signed_response_alg", read=_signing),
    Member(name="id_token_encrypted_response_alg", read=_encryption),
    Member(name="id_token_encrypted_response_enc", read=_content_encryption),
    Member(name="userinfo_signed_response_alg", read=_signing),
    Member(name="userinfo_encrypted_response_alg", read=_encryption),
    Member(name="userinfo_encrypted_response_enc", read=_content_encryption),
    Member(name="request_object_signing_alg", read=one_of(lambda offer: offer.request_signing)),
    Member(name="token_endpoint_auth_method", read=one_of(lambda offer: offer.auth_methods), client="auth_method"),
    Member(name="token_endpoint_auth_signing_alg", read=one_of(lambda offer: offer.auth_signing)),
    Member(name="default_max_age", read=read_seconds),
    Member(name="require_auth_time", read=read_flag),
    Member(name="initiate_login_uri", read=read_uri),
    Member(name="request_uris", read=read_request_uris),
    Member(name="require_pushed_authorization_requests", read=read_flag),
    Member(name="post_logout_redirect_uris", read=read_texts),
    Member(name="frontchannel_logout_uri", read=read_notified),
    Member(name="frontchannel_logout_session_required", read=read_flag),
    Member(name="backchannel_logout_uri", read=read_uri),
    Member(name="backchannel_logout_session_required", read=read_flag),
)
BY_NAME: Mapping[str, Member] = {member.name: member for member in MEMBERS}
