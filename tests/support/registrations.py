"""What a provider offers to clients that register, and metadata to change one thing about."""

from konnectd.protocol.client_metadata import Offer
from konnectd.protocol.registration import Metadata
from konnectd.protocol.response_type import ALL

OFFER = Offer(
    response_types=ALL,
    grant_types=("authorization_code", "implicit", "refresh_token"),
    auth_methods=("client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"),
    signing=("ES256", "RS256"),
    request_signing=("RS256", "HS256", "none"),
    auth_signing=("RS256", "HS256"),
    encryption=("RSA-OAEP", "A128KW"),
    content_encryption=("A256GCM", "A128CBC-HS256"),
    subject_types=("public", "pairwise"),
)
CB = "https://app.example/cb"
KEYS = {"keys": [{"kty": "EC", "crv": "P-256", "x": "eA", "y": "eQ", "use": "enc"}]}


def parse(offer: Offer = OFFER, /, **members: object) -> Metadata:
    """Read metadata that has one redirect URI, unless it says otherwise."""
    return Metadata.parse({"redirect_uris": [CB], **members}, offer)
