"""What follows from several options together: defaults that depend on others, and what to think about twice."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from konnectd.config import proxies, staying
from konnectd.config.options import (
    ACCESS_TOKEN_EXPIRATION,
    CONSENT_EXPIRATION,
    ID_TOKEN_EXPIRATION,
    REFRESH_TOKEN_EXPIRATION,
)
from konnectd.paths import Paths


def fill_defaults(values: dict[str, Any]) -> None:
    """Fill in what depends on other options, and lifetimes of 0, which ask for the default."""
    paths = Paths.below(values["uri_base_path"])
    values["sign_in_uri"] = values["sign_in_uri"] or paths.identifier
    values["signed_out_uri"] = values["signed_out_uri"] or paths.goodbye
    values["access_token_expiration"] = values["access_token_expiration"] or ACCESS_TOKEN_EXPIRATION
    values["id_token_expiration"] = values["id_token_expiration"] or ID_TOKEN_EXPIRATION
    values["refresh_token_expiration"] = values["refresh_token_expiration"] or REFRESH_TOKEN_EXPIRATION
    values["consent_expiration"] = values["consent_expiration"] or CONSENT_EXPIRATION
    values["logon_idle"] = values["logon_idle"] or staying.IDLE
    values["logon_lifetime"] = values["logon_lifetime"] or staying.LIFETIME


def advice(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield what an operator should think about twice although it is allowed."""
    sign_in = Paths.below(values["uri_base_path"]).identifier
    if values["disable_identifier_client"] and values["sign_in_uri"] == sign_in:
        yield f"disable_identifier_client: nothing answers at {sign_in} here; sign_in_uri can name another page"
    if values["insecure"]:
        yield "insecure: certificates of the servers this daemon connects to are not checked"
    yield from proxies.advice(values["trusted_proxy"])
    if values["allow_dynamic_client_registration"] and not values["dynamic_registration_token"]:
        yield "allow_dynamic_client_registration: everybody may register; dynamic_registration_token restricts that"
    if values["allow_dynamic_client_registration"] and values["store"] == "memory":
        yield "store: what clients change or delete of their registration is forgotten when this process ends"
    if values["stay_signed_in"] != staying.NO:
        yield from staying.advice(values)
    if urlsplit(values["iss"]).path.rstrip("/") != values["uri_base_path"]:
        yield (
            "the path of the issuer identifier is not uri_base_path; the proxy in front has to map "
            f"{values['iss'].rstrip('/')}/.well-known/openid-configuration to /.well-known/openid-configuration"
        )
