"""Configurations with a mark in every place where a secret may stand, and all that can be wrong with them."""

import json
from collections.abc import Iterator
from pathlib import Path

from tests.config.test_keys import private_pem
from tests.support.keys import p256_key, quick_hash
from tests.support.marked_house import (
    ENCRYPTION_SECRET,
    HOUSE_SECRET,
    INITIAL_TOKEN,
    PAIRWISE_SALT,
    PASSWORD,
    clients_file,
)
from tests.support.marks import mark, plain_mark

BIND_PASSWORD, STORE_PASSWORD = mark("password of the service"), mark("password of redis")
#: One of letters and digits alone, which YAML takes for a name where something else stands before it.
BARE_SECRET = plain_mark("secret of house")
#: Where a password is written that has no business there.
MISPLACED_SECRET = mark("secret in the wrong place")

Files = dict[str, str | bytes]
Lines = dict[str, str]


def good_files() -> Files:
    """Return what files there have to be."""
    return {
        "signing.pem": private_pem(p256_key()),
        "secret.key": ENCRYPTION_SECRET,
        "pairwise.salt": PAIRWISE_SALT,
        "clients.yaml": clients_file(),
        "users.yaml": json.dumps({"users": [{"username": "alice", "password": quick_hash(PASSWORD)}]}),
        "token": f"{INITIAL_TOKEN}\n",
    }


def good_lines(folder: Path) -> Lines:
    """Return the lines of a configuration that is right."""
    return {
        "oidc_issuer_identifier": "https://id.example.com",
        "identity_manager": "file",
        "signing_private_key": f"{folder}/signing.pem",
        "signing_method": "ES256",
        "encryption_secret_key": f"{folder}/secret.key",
        "pairwise_salt": f"{folder}/pairwise.salt",
        "identifier_registration_conf": f"{folder}/clients.yaml",
        "file_users": f"{folder}/users.yaml",
        "allow_dynamic_client_registration": "yes",
        "dynamic_registration_token_file": f"{folder}/token",
        "store": "sqlite",
        "sqlite_path": f"{folder}/store.db",
    }


def write_all(folder: Path, files: Files, lines: Lines) -> Path:
    """Write everything, and return the file of the configuration."""
    for name, content in files.items():
        path = folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(0o600)
    conf = folder / "konnectd.conf"
    conf.write_text("".join(f"{name} = {value}\n" for name, value in lines.items()))
    conf.chmod(0o600)
    return conf


def faults(folder: Path) -> Iterator[tuple[str, Files, Lines]]:
    """Yield configurations that are wrong, each in its own way."""
    files, lines = good_files(), good_lines(folder)
    pem = str(files["signing.pem"], "ascii") if isinstance(files["signing.pem"], bytes) else files["signing.pem"]
    for name, content in (
        ("signing.pem", pem.replace("\n", "\n\n!", 3)),
        ("signing.pem", pem[: len(pem) // 2]),
        ("signing.pem", f"{PASSWORD}\n"),
        ("secret.key", ENCRYPTION_SECRET + b"\n"),
        ("secret.key", ENCRYPTION_SECRET.hex()),
        ("pairwise.salt", PAIRWISE_SALT[:10]),
        ("token", f"{INITIAL_TOKEN}\n{INITIAL_TOKEN}\n"),
        ("token", b"\xff" + INITIAL_TOKEN.encode()),
        ("users.yaml", f"users:\n  - username: alice\n    password: {PASSWORD}\n"),
        ("users.yaml", f"users:\n  - username: alice\n   password: {PASSWORD}\n"),
        ("users.yaml", f"users: [{{username: {PASSWORD}, password: [{PASSWORD}]}}]"),
        ("users.yaml", f"{PASSWORD}"),
        ("clients.yaml", f"clients:\n  - id: a\n    secret: {HOUSE_SECRET}\n   redirect_uris: x\n"),
        ("clients.yaml", f"clients:\n  - id: a\n    secret: '{HOUSE_SECRET}\n"),
        ("clients.yaml", f"clients: [{{id: a, secret: [{HOUSE_SECRET}], redirect_uris: []}}]"),
        *(("clients.yaml", f"clients:\n  - id: a\n    secret: {first}{BARE_SECRET}\n") for first in "*&!@%`\"'|>[{?-"),
        ("clients.yaml", f"clients:\n  - id: a\n    secret: &{BARE_SECRET} x\n  - &{BARE_SECRET} y\n"),
        ("clients.yaml", f"clients: [{{id: a, jwks: {{keys: [{{kty: oct, k: {HOUSE_SECRET}}}]}}}}]"),
        ("clients.yaml", f"clients: [{{id: a, secret: {HOUSE_SECRET}, token_endpoint_auth_method: none}}]"),
    ):
        yield f"{name}: {str(content)[:20]}", {**files, name: content}, lines
    more: tuple[Lines, ...] = (
        {"dynamic_registration_token": INITIAL_TOKEN, "access_token_expiration": "never"},
        {"allow_dynamic_client_registration": "no", "dynamic_registration_token": INITIAL_TOKEN},
        {"store": "redis", "redis_url": f"redis://:{MISPLACED_SECRET}@redis.example/0"},
        {"store": "redis", "redis_url": f"redis://me:{MISPLACED_SECRET}@redis.example:x/0"},
        {"store": "redis", "redis_url": f"redis://redis.example/0?password={MISPLACED_SECRET}"},
        {
            "store": "redis",
            "redis_url": "redis://redis.example/0",
            "redis_password": STORE_PASSWORD,
            "redis_timeout": "x",
        },
        {"identity_manager": "ldap", "ldap_uri": f"ldap://{MISPLACED_SECRET}@ldap.example"},
        {"identity_manager": "ldap", "ldap_uri": "ldap://ldap.example", "ldap_bindpw": BIND_PASSWORD},
        {"identity_manager": "ldap", "ldap_bindpw": BIND_PASSWORD, "ldap_bindpw_file": f"{folder}/token"},
        {"identity_manager": "kc", "kc_server_password": BIND_PASSWORD},
        {"identity_manager": "kc", "kc_server_uri": f"http://me:{MISPLACED_SECRET}@kopano.example"},
        {"identity_manager": "cookie", "identity_manager_args": f"https://me:{MISPLACED_SECRET}@app.example/whoami"},
        {"identity_manager": "cookie", "identity_manager_args": f"https://app.example/whoami?key={MISPLACED_SECRET}"},
        {
            "kc_server_pasword": BIND_PASSWORD,
            "ldap_bindpwd": BIND_PASSWORD,
            "dynamic_registration_tokens": INITIAL_TOKEN,
        },
        {"encryption_secret_key": MISPLACED_SECRET, "pairwise_salt": MISPLACED_SECRET},
    )
    for changes in more:
        yield str(changes)[:60], files, {**lines, **changes}
