"""What the options have to be for backends that know people by what their browsers carry, and the option for guests."""

from urllib.parse import urlsplit

from konnectd.config.settings import Settings
from konnectd.config.values import is_loopback
from konnectd.interfaces import Backend
from konnectd.option import ConfigError, ConfigErrors
from konnectd.sources import BrowserBackend


def check_fit(settings: Settings, backend: Backend) -> None:
    """Check the options of others against a backend.

    Raises:
        ConfigErrors: everything that does not go with it.
    """
    if not isinstance(backend, BrowserBackend):
        return
    faults: list[ConfigError] = []
    page = settings.sign_in_uri.removeprefix(settings.origin)
    if backend.signs_in_elsewhere and page.startswith(settings.paths.pages):
        faults.append(
            ConfigError("sign_in_uri", f"is needed: where people sign in, which is not here with {backend.name}")
        )
    if not backend.signs_in_elsewhere and not (is_loopback(urlsplit(settings.iss)) or settings.insecure):
        problem = (
            f"{backend.name} lets everybody in, so it is for an issuer on this machine; insecure allows it elsewhere"
        )
        faults.append(ConfigError("identity_manager", problem))
    if not settings.own_pages:
        name = "disable_identifier_client" if settings.disable_identifier_client else "identifier_client_path"
        faults.append(ConfigError(name, f"goes with backends that check passwords, which {backend.name} does not"))
    if faults:
        raise ConfigErrors(faults)
