"""A real SAML identity provider: SimpleSAMLphp as Debian has it, under the web server that PHP brings along."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from attrs import frozen
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.real.daemon import free_port
from tests.support.saml_provider import SamlKey

_PHP = shutil.which("php", path="/usr/bin:/usr/local/bin")
_SOURCES = Path("/usr/share/simplesamlphp")
_DOM = Path("/usr/share/php8.2-xml/xml/dom.ini")


def _reason() -> str | None:
    """Return why it can not run here."""
    if _PHP is None or not (_SOURCES / "www" / "index.php").exists():
        return "simplesamlphp is not installed"
    return None if _DOM.exists() else "php-xml is not installed"


#: Why tests with it can not run here; None when they can.
SKIP: str | None = _reason()
PASSWORD = "wonderland"
#: How long it may take to answer, in seconds.
_PATIENCE = 20.0

_CONFIG = """<?php
$config = [
    'baseurlpath' => '{base}/',
    'certdir' => '{folder}/cert/',
    'loggingdir' => '{folder}/',
    'datadir' => '{folder}/',
    'tempdir' => '{folder}/temp',
    'metadatadir' => '{folder}/metadata/',
    'attributenamemapdir' => '/etc/simplesamlphp/attributemap/',
    'timezone' => 'UTC',
    'secretsalt' => 'salt-of-a-test',
    'auth.adminpassword' => 'nobody-knows-this-one',
    'technicalcontact_name' => 'Nobody',
    'technicalcontact_email' => 'nobody@example.org',
    'admin.checkforupdates' => false,
    'showerrors' => true,
    'errorreporting' => false,
    'logging.level' => SimpleSAML\\Logger::DEBUG,
    'logging.handler' => 'file',
    'logging.logfile' => 'log',
    'enable.saml20-idp' => true,
    'module.enable' => ['exampleauth' => true, 'core' => true, 'saml' => true],
    'session.cookie.secure' => false,
    'session.cookie.samesite' => null,
    'session.phpsession.savepath' => '{folder}/sessions',
    'session.authtoken.cookiename' => 'SimpleSAMLAuthToken',
    'language.available' => ['en'],
    'language.default' => 'en',
    'language.cookie.secure' => false,
    'production' => true,
    'authproc.idp' => [],
    'metadata.sources' => [['type' => 'flatfile']],
    'store.type' => 'phpsession',
];
"""
_SOURCES_OF_PEOPLE = """<?php
$config = [
    'people' => [
        'exampleauth:UserPass',
        'alice:wonderland' => ['uid' => ['alice'], 'mail' => ['alice@example.org'], 'groups' => ['a', 'b']],
        'bob:wonderland' => ['uid' => ['bob']],
        'stranger:wonderland' => ['uid' => ['stranger']],
    ],
];
"""
_HOSTED = """<?php
$metadata['{base}/saml2/idp/metadata.php'] = [
    'host' => '__DEFAULT__',
    'privatekey' => 'idp.key',
    'certificate' => 'idp.pem',
    'auth' => 'people',
    'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    'redirect.sign' => true,
    'sign.logout' => true,
    {further}
];
"""
_REMOTE = """<?php
$metadata['{entity_id}'] = [
    'AssertionConsumerService' => '{consumer}',
    'SingleLogoutService' => '{logout}',
    {further}
];
"""


@frozen(kw_only=True)
class ServiceProvider:
    """Whom it is told to sign people in for.

    Attributes:
        further: more of what PHP is told about it.
    """

    entity_id: str
    consumer: str
    logout: str
    further: str = ""


class SimpleSaml:
    """One identity provider, with a folder of its own."""

    def __init__(self, key: SamlKey, host: str = "127.0.0.1") -> None:
        """Make its folder and start it; nobody is signed in for yet.

        Args:
            key: it signs with it.
            host: by which browsers know it: as 127.0.0.1 it is another site than what is at localhost.
        """
        self.folder = Path(tempfile.mkdtemp(prefix="simplesaml-"))
        self.port = free_port()
        self.base = f"http://{host}:{self.port}"
        for name in ("cert", "metadata", "sessions", "temp"):
            (self.folder / name).mkdir()
        pem = key.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self.folder / "cert" / "idp.key").write_bytes(pem)
        (self.folder / "cert" / "idp.pem").write_bytes(key.certificate.public_bytes(Encoding.PEM))
        self._write("config.php", _CONFIG)
        self._write("authsources.php", _SOURCES_OF_PEOPLE)
        self.offer()
        self._process = self._start()

    @property
    def metadata_endpoint(self) -> str:
        """Where it says what it is."""
        return f"{self.base}/saml2/idp/metadata.php"

    @property
    def initiated_logout(self) -> str:
        """Where people end their session there."""
        return f"{self.base}/saml2/idp/SingleLogoutService.php?ReturnTo={self.base}/"

    def log(self) -> str:
        """What it has written so far."""
        files = ("log", "php.log")
        return "\n".join(
            (self.folder / name).read_text("utf-8", "replace") for name in files if (self.folder / name).exists()
        )

    def know(self, provider: ServiceProvider) -> None:
        """Tell it for whom to sign people in."""
        text = _REMOTE.replace("{entity_id}", provider.entity_id).replace("{consumer}", provider.consumer)
        text = text.replace("{logout}", provider.logout).replace("{further}", provider.further)
        (self.folder / "metadata" / "saml20-sp-remote.php").write_text(text)

    def offer(self, further: str = "") -> None:
        """Tell it how to sign people in.

        Args:
            further: more of what PHP is told about itself.
        """
        self._write("metadata/saml20-idp-hosted.php", _HOSTED.replace("{further}", further))

    def stop(self) -> None:
        """Stop it and remove its folder."""
        self._process.terminate()
        self._process.wait(_PATIENCE)
        shutil.rmtree(self.folder)

    def _write(self, name: str, text: str) -> None:
        """Write a file of its configuration."""
        (self.folder / name).write_text(text.replace("{base}", self.base).replace("{folder}", str(self.folder)))

    def _start(self) -> "subprocess.Popen[bytes]":
        """Start it and wait until it listens."""
        with (self.folder / "php.log").open("wb") as log:
            process = subprocess.Popen(
                [
                    str(_PHP),
                    *("-d", "opcache.enable=0", "-d", "session.save_path=" + str(self.folder / "sessions")),
                    *("-S", f"127.0.0.1:{self.port}", "-t", str(_SOURCES / "www")),
                ],
                env={**os.environ, "SIMPLESAMLPHP_CONFIG_DIR": str(self.folder)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        give_up = time.monotonic() + _PATIENCE
        while time.monotonic() < give_up and process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return process
            # Waits for another process, which has no other way to tell.
            time.sleep(0.02)
        raise AssertionError(f"PHP does not listen: {self.log()}")
