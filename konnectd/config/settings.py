"""From command line, environment and configuration file to `Settings`: everything that is right, or every fault.

Only what the options say is here. The files they name - keys, clients, scopes - are read by `konnectd.config.contents`.
"""

from collections.abc import Mapping, Sequence
from itertools import dropwhile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from attrs import field, frozen

from konnectd.config import arguments, backends, conffile, layers, proxies, staying, variables
from konnectd.config.backends import BackendOptions
from konnectd.config.branding_options import BrandingSettings
from konnectd.config.choices import Choice
from konnectd.config.completion import advice, fill_defaults
from konnectd.config.endpoints import EndpointSettings
from konnectd.config.given import Given, Names
from konnectd.config.key_rotation_options import RotationSettings, rotation_faults
from konnectd.config.options import ABSENT, CONFIG, FOREIGN_PREFIXES, OPTIONS
from konnectd.config.said import Said
from konnectd.config.survey import SurveySettings
from konnectd.config.values import LogLevel
from konnectd.config.watching_options import WatchingSettings
from konnectd.option import ConfigError, ConfigErrors, Option
from konnectd.paths import Paths
from konnectd.protocol.logons import Stay
from konnectd.protocol.response_type import Profile
from konnectd.reach import Network

#: Stands for an issuer that is missing, while other faults are looked for; by its nature it forbids least.
_NOWHERE = "http://localhost"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_KNOWN = Names(options=OPTIONS)
_KNOWN_ABSENT = Names(options=ABSENT)


@frozen(kw_only=True)
class Settings:
    """What the operator wants; every value has been checked.

    Attributes:
        listen: ``host:port``, ``unix:/path`` or endpoint descriptions of Twisted.
        validation_keys_path: a folder.
        encryption_secret: a file.
        sign_in_uri: a path, or the absolute address of somebody else's page.
        signed_out_uri: as ``sign_in_uri``.
        identifier_client_path: the folder of a front end in the place of our pages; None for ours.
        disable_identifier_client: nobody's pages are served here.
        insecure: certificates of servers we connect to are not checked.
        trusted_proxy: addresses of proxies that are believed; None for those at a unix socket.
        proxy_protocol: whether those say whose a connection is before anything else.
        fetch_allow: networks that clients may have addresses in although they are not public.
        allow_scope: when not empty, exactly these and ``openid`` are supported.
        require_pushed_authorization_requests: of every client.
        access_token_expiration: seconds.
        refresh_token_grace: seconds; 0 for none.
        stay_signed_in: one of three words.
        logon_idle, logon_lifetime: seconds.
        backend: its file name in the folder of backends.
        backend_args: further words for it.
        backend_options: its own options, by name with underscores.
        store: its file name in the folder of stores; store_options are its own, by name with underscores.
        branding: how pages look, and what they say.
        watching, survey: how the daemon is watched, and what it reports.
        endpoints, rotation: further addresses of endpoints, and whether and how it rotates keys.
        sources: where each option that was given stands, such as ``konnectd.conf:12``.
        effective: the value of every option, by name with underscores, whichever field it has become.
        warnings: what to log once logging works.
        said: where all of it came from, to read it again.
        paths: where the daemon answers.
    """

    iss: str
    listen: tuple[str, ...]
    uri_base_path: str
    sign_in_uri: str
    signed_out_uri: str
    identifier_client_path: Path | None
    disable_identifier_client: bool
    insecure: bool
    trusted_proxy: tuple[Network | None, ...]
    proxy_protocol: bool = False
    fetch_allow: tuple[Network, ...]
    signing_private_key: tuple[Path, ...]
    signing_kid: str
    signing_method: str
    validation_keys_path: Path | None
    encryption_secret: Path | None
    identifier_registration_conf: Path | None
    identifier_scopes_conf: Path | None
    allow_scope: tuple[str, ...]
    require_pushed_authorization_requests: bool
    response_types: Profile
    allow_client_guests: bool
    disable_local_logon: bool
    allow_dynamic_client_registration: bool
    dynamic_registration_token: str = field(repr=False)
    dynamic_client_secret_expiration: int
    pairwise_salt: Path | None
    access_token_expiration: int
    id_token_expiration: int
    refresh_token_expiration: int
    refresh_token_grace: int
    consent_expiration: int
    stay_signed_in: str
    logon_idle: int
    logon_lifetime: int
    log_level: LogLevel
    log_timestamp: bool
    request_log: bool
    backend: str
    backend_args: tuple[str, ...] = ()
    backend_options: Mapping[str, object] = field(factory=dict, repr=False)
    store: str = "memory"
    store_options: Mapping[str, object] = field(factory=dict, repr=False)
    branding: BrandingSettings = field(factory=BrandingSettings)
    watching: WatchingSettings = field(factory=WatchingSettings)
    survey: SurveySettings = field(factory=SurveySettings)
    endpoints: EndpointSettings = field(factory=EndpointSettings)
    rotation: RotationSettings = field(factory=RotationSettings)
    sources: Mapping[str, str] = field(factory=dict)
    effective: Mapping[str, object] = field(factory=dict, repr=False, eq=False)
    warnings: tuple[str, ...] = ()
    said: Said = field(factory=Said, repr=False, eq=False)
    paths: Paths = field(init=False)

    @paths.default
    def _paths(self) -> Paths:
        """Compute them once."""
        return Paths.below(self.uri_base_path)

    @property
    def origin(self) -> str:
        """Scheme, host and port of the issuer, as browsers write an origin. Spec: RFC 6454 6.2."""
        parts = urlsplit(self.iss)
        host = parts.hostname or ""
        host = f"[{host}]" if ":" in host else host
        port = "" if parts.port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{parts.port}"
        return f"{parts.scheme}://{host}{port}"

    @property
    def own_pages(self) -> bool:
        """Whether people see the pages of this daemon when they sign in and out."""
        return self.identifier_client_path is None and not self.disable_identifier_client

    @property
    def secure_cookies(self) -> bool:
        """Whether cookies may only travel over TLS, which all but an issuer on this very machine demand."""
        return self.iss.startswith("https://")

    @property
    def stay(self) -> Stay:
        """Whether and how long people may stay signed in."""
        return Stay(
            offered=self.stay_signed_in != staying.NO,
            preset=self.stay_signed_in == staying.PRESET,
            idle=self.logon_idle,
            lifetime=self.logon_lifetime,
        )

    def locate(self, fault: ConfigError) -> ConfigError:
        """Return a fault with the place where its option was given, if it lacks that and the place is known."""
        source = fault.source or self.sources.get(fault.option.replace("-", "_"), "")
        return ConfigError(fault.option, fault.problem, source)


def load(
    argv: Sequence[str],
    environ: Mapping[str, str],
    package: str = backends.PACKAGE,
    defaults: Sequence[Given] = (),
) -> Settings:
    """Read everything the operator said.

    Args:
        argv: the words after ``serve``.
        environ: the environment variables.
        package: where backends are found.
        defaults: what counts where nobody said anything, in the place of the table's own defaults.

    Raises:
        ConfigErrors: something is wrong; it holds all faults.
    """
    settings, faults = survey(argv, environ, package, defaults)
    if faults:
        raise ConfigErrors(faults)
    return settings


def survey(
    argv: Sequence[str],
    environ: Mapping[str, str],
    package: str = backends.PACKAGE,
    defaults: Sequence[Given] = (),
) -> tuple[Settings, tuple[ConfigError, ...]]:
    """Read everything the operator said, and make settings even where something is wrong.

    A value that is wrong has given way to its default, a missing issuer to one on this machine, and a backend that
    nobody knows to the empty name. Nobody may serve by such settings; they are for finding out what else is wrong.

    Args:
        argv: as for `load`, like the rest.

    Returns:
        settings, and all faults.
    """
    reading = _Reading(argv, environ, package, defaults)
    settings = reading.finish()
    return settings, tuple(reading.faults)


class _Reading:
    """The reading of one set of options, while faults are collected."""

    def __init__(
        self, argv: Sequence[str], environ: Mapping[str, str], package: str, defaults: Sequence[Given]
    ) -> None:
        """Take the command line apart and read the file it names."""
        self.faults: list[ConfigError] = []
        self._warnings: list[str] = []
        self._beside: tuple[Given, ...] = ()
        self._backends = Choice(kind="backend", option="identity_manager", package=package, faults=self.faults)
        self._stores = Choice(kind="store", option="store", package=backends.STORES, faults=self.faults)
        given = arguments.parse(argv, self._find_flag)
        self.faults += given.faults
        self._words = self._plain_words(given)
        place = layers.Layers(arguments=given, environ=environ).pick(CONFIG)
        self._said = Said(argv=argv, environ={**environ}, defaults=defaults, place=place)
        self._of_file = self._lines(place)
        # The first line of an option is the one that counts, so the file goes before defaults.
        self._layers = layers.Layers(arguments=given, environ=environ, lines=(*self._of_file, *self._beside, *defaults))

    def finish(self) -> Settings:
        """Return the settings, which are of use only when there are no faults."""
        backend = self._backend()
        store = self._store()
        own = self._backends.describe(backend) if backend else BackendOptions()
        of_store = self._stores.describe(store).options if store else ()
        self._check_flags({self._backends.kind: backend, self._stores.kind: store})
        self._check_lines(backend, store, (*own.options, *of_store))
        self._check_variables((*own.options, *of_store))
        core, of_backend, store_values = self._read(OPTIONS), self._read(own.options), self._read(of_store)
        values: dict[str, Any] = dict(core.values)
        del values["identity_manager"]
        args = self._words_of(backend or "", values.pop("identity_manager_args"), taken=bool(own.arguments))
        self._check_required(core)
        self.faults += (*proxies.faults(core.values, core.sources), *rotation_faults(core.values, core.sources))
        values["iss"] = values["iss"] or _NOWHERE
        fill_defaults(values)
        chosen = {"identity_manager": backend or "", "identity_manager_args": args}
        effective = {**values, **chosen, **of_backend.values, **store_values.values}
        branding, watching = BrandingSettings.take(values), WatchingSettings.take(values)
        reports, endpoints = SurveySettings.take(values), EndpointSettings.take(values, backend or "")
        self.faults += (*watching.faults(core.sources), *endpoints.faults(values["uri_base_path"], core.sources))
        self._warnings += (*advice(values), *reports.advice(values["iss"]))
        return Settings(
            rotation=RotationSettings.take(values),  # what it takes must be gone from the others
            **values,
            backend=backend or "",
            backend_args=args,
            backend_options=of_backend.values,
            store_options=store_values.values,
            branding=branding,
            watching=watching,
            survey=reports,
            endpoints=endpoints,
            sources={**core.sources, **of_backend.sources, **store_values.sources, **self._sources_of_words()},
            effective=effective,
            warnings=tuple(self._warnings),
            said=self._said,
        )

    def _words_of(self, backend: str, of_file: Sequence[str], *, taken: bool) -> tuple[str, ...]:
        """Return the words for a backend; those in the file belong to the backend the file names."""
        words = tuple(self._words[1:] if self._words else of_file)
        if words and backend and not taken:
            self.faults.append(ConfigError("identity_manager_args", f"{backend} takes no further words: {words[0]}"))
        return words

    def _find_flag(self, name: str) -> tuple[Option, bool] | None:
        """Return the option of a flag; those of a backend or a store are looked up by the name it begins with."""
        if name == CONFIG.name:
            return CONFIG, False
        known = _KNOWN.find_flag(name) or _KNOWN_ABSENT.find_flag(name)
        if known is not None:
            return known
        return self._backends.find_flag(name) or self._stores.find_flag(name)

    def _plain_words(self, given: arguments.Arguments) -> tuple[str, ...]:
        """Return the words that are no flags, without what was probably the value of a flag that does not exist."""
        if all(flag.option or flag.given.text for flag in given.flags):
            return given.words
        return tuple(dropwhile(lambda word: word not in self._backends.available, given.words))

    def _sources_of_words(self) -> dict[str, str]:
        """Say of what stands on the command line as a word where it stands."""
        names = ("identity_manager", "identity_manager_args")[: len(self._words)]
        return dict.fromkeys(names, arguments.SOURCE)

    def _lines(self, place: tuple[Given, ...]) -> tuple[Given, ...]:
        """Return what the configuration file says, and keep what counts where it says nothing."""
        if not place:
            return ()
        lines = conffile.read(Path(place[0].text), place[0])
        self._beside = conffile.left_out(place)
        self.faults += lines.faults
        return lines.values

    def _backend(self) -> str | None:
        """Return the backend that was chosen; None, with a fault, when there is none of that name."""
        chosen = self._layers.pick(next(option for option in OPTIONS if option.name == "identity-manager"))
        if self._words:
            chosen = (Given(name="identity_manager", text=self._words[0], source=arguments.SOURCE),)
        available = ", ".join(self._backends.available) or "none"
        if not chosen and self._layers.arguments.words and not self._words:
            return None  # the word may be there, behind a flag that does not exist
        if not chosen:
            problem = (
                f"is required, as the first word or in the file: which backend knows the users; there is {available}"
            )
            self.faults.append(ConfigError("identity_manager", problem))
            return None
        return self._backends.check(chosen[0])

    def _store(self) -> str | None:
        """Return the store that was chosen, or the default; None, with a fault, when there is none of that name."""
        option = next(option for option in OPTIONS if option.name == "store")
        chosen = self._layers.pick(option)
        return self._stores.check(chosen[0]) if chosen else str(option.default)

    def _read(self, options: tuple[Option, ...]) -> layers.Reading:
        """Read options and keep what is to be said about them."""
        reading = layers.read(options, self._layers)
        self.faults += reading.faults
        self._warnings += reading.warnings
        return reading

    def _check_flags(self, chosen: Mapping[str, str | None]) -> None:
        """Refuse flags that nobody knows, that are not there yet, or that belong to another backend or store."""
        for flag in self._layers.arguments.flags:
            if flag.option is None:
                self.faults.append(flag.given.fault("is not an option"))
            elif flag.option in ABSENT:
                self._refuse(flag.given)
            elif flag.option is not CONFIG and flag.option not in OPTIONS:
                for choice in (self._backends, self._stores):
                    mine = chosen[choice.kind]
                    if mine is not None and choice.is_foreign(flag.option.name, mine):
                        owner = choice.find_owner(flag.option.name)
                        self.faults.append(
                            flag.given.fault(f"is an option of {owner}, but the {choice.kind} is {mine}")
                        )

    def _check_lines(self, backend: str | None, store: str | None, own: tuple[Option, ...]) -> None:
        """Refuse lines that nobody knows, that are not there yet, or that are there twice."""
        first: dict[str, Given] = {}
        for line in self._of_file:
            found = _KNOWN.find_key(line.name) or Names(options=own).find_key(line.name)
            unavailable = _KNOWN_ABSENT.find_key(line.name)
            name = found[0].dest if found else line.name
            if first.setdefault(name, line) is not line:
                self.faults.append(line.fault(f"was given already at {first[name].source}"))
            if unavailable is not None:
                self._refuse(line)
            elif found is None and not self._is_foreign(line.name, backend, store):
                self.faults.append(line.fault("is not an option"))

    def _is_foreign(self, key: str, backend: str | None, store: str | None) -> bool:
        """Tell whether a key belongs to what was not chosen; one file may carry the settings of all."""
        others = any(key.startswith(prefix) and owner != backend for prefix, owner in FOREIGN_PREFIXES.items())
        if others or variables.are_nobodys(key):
            return True
        return self._backends.is_foreign(key, backend) or self._stores.is_foreign(key, store)

    def _check_variables(self, own: tuple[Option, ...]) -> None:
        """Refuse variables of what is not there yet, and warn of those that look like options and are none."""
        environ = self._layers.environ
        for option in ABSENT:
            for given in layers.Layers(arguments=arguments.NONE, environ=environ).pick(option):
                self._refuse(given)
        mine = Names(options=(CONFIG, *OPTIONS, *ABSENT, *own))
        self._warnings += variables.doubts(
            environ, self._of_file, mine, lambda name: self._backends.find_owner(name) or self._stores.find_owner(name)
        )

    def _refuse(self, given: Given) -> None:
        """Say that an option of others is not there, unless it asks for nothing."""
        if given.text.strip().lower() not in {"", "no", "false"}:
            self.faults.append(given.fault("is not supported"))

    def _check_required(self, core: layers.Reading) -> None:
        """Miss the issuer when nobody gave one."""
        if core.values["iss"] is None and "iss" not in core.sources:
            problem = "is required: --iss=https://id.example.com, or oidc_issuer_identifier in the file"
            self.faults.append(ConfigError("iss", problem))
