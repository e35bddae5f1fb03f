"""Which claims a client finds where, and how they are encrypted for it: further keys of a registered client.

Spec: OIDC Registration 2; OIDC Core 10.2.
"""

from attrs import evolve

from konnectd.config.yamlfile import Table
from konnectd.jose.encryption import ALGORITHMS, CONTENT_ALGORITHMS, find_key, needs_secret
from konnectd.protocol.client import Client


def with_claims(client: Client, table: Table) -> Client:
    """Return a client with what its entry says about claims and encryption; what is wrong becomes a fault."""
    id_token_alg, id_token_enc = _encryption(client, table, "id_token")
    userinfo_alg, userinfo_enc = _encryption(client, table, "userinfo")
    return evolve(
        client,
        scope_claims_in_id_token=table.switch("scope_claims_in_id_token"),
        id_token_encrypted_response_alg=id_token_alg,
        id_token_encrypted_response_enc=id_token_enc,
        userinfo_encrypted_response_alg=userinfo_alg,
        userinfo_encrypted_response_enc=userinfo_enc,
    )


def _encryption(client: Client, table: Table, what: str) -> tuple[str, str]:
    """Read how one kind of answer is encrypted: how its key is wrapped, and its content encrypted."""
    alg_key, enc_key = f"{what}_encrypted_response_alg", f"{what}_encrypted_response_enc"
    alg, enc = table.text(alg_key), table.text(enc_key)
    if enc and not alg:
        table.fault(enc_key, f"does not go without {alg_key}")
    if enc and enc not in CONTENT_ALGORITHMS:
        table.fault(enc_key, f"must be one of {', '.join(CONTENT_ALGORITHMS)}")
    if not alg:
        return "", ""
    problem = _problem(client, table, alg)
    if problem:
        table.fault(alg_key, problem)
    return alg, enc or CONTENT_ALGORITHMS[0]


def _problem(client: Client, table: Table, alg: str) -> str:
    """Return why a client can not have its answers encrypted in a way; empty if it can."""
    if alg not in ALGORITHMS:
        return f"must be one of {', '.join(ALGORITHMS)}"
    if needs_secret(alg):
        return "" if client.secret else f"{alg} needs a secret"
    keys = client.jwks.get("keys") if client.jwks is not None else None
    if isinstance(keys, list):
        return "" if find_key(keys, alg) is not None else f"no key in jwks fits {alg}"
    return "" if table.has("jwks_uri") else f"{alg} needs a key, in jwks or at a jwks_uri"
