"""Every event of the log: an id that stays when its sentence is changed, and the sentence it is known by.

The log looks an event up by the template of its sentence, as decisions are looked up by what they say
(`konnectd.protocol.reasons`): whoever logs writes a sentence and nothing else. A test holds this table against every
place that logs. Whoever changes a sentence changes it here as well, and leaves the id; an id is never given twice.
"""

from collections.abc import Mapping
from string import Formatter

from attrs import frozen


@frozen
class Event:
    """One kind of event.

    Attributes:
        name: its id.
        levels: at which it is logged, in the words of the log.
        says: the template of its sentence.
        more: names of facts that are not in the sentence.
    """

    name: str
    levels: tuple[str, ...]
    says: str
    more: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of its facts."""
        named = (field for _, field, _, _ in Formatter().parse(self.says) if field)
        return (*dict.fromkeys(named), *self.more)

    @property
    def trail(self) -> bool:
        """Whether it has those of a decision."""
        return "trail" in self.fields


#: By the heading they stand under in the manual.
SECTIONS: Mapping[str, tuple[Event, ...]] = {
    "The daemon itself": (
        Event("start", ("info",), "konnectd {version} is {issuer}, with users from the {backend} backend"),
        Event("setting-doubtful", ("warn",), "{advice}"),
        Event("setting-wrong", ("fatal",), "{fault}"),
        Event(
            "tokens-shortened",
            ("warn",),
            (
                "access tokens live {lives} seconds, not {asked}: sessions of the {backend} backend may be over "
                "after that"
            ),
        ),
        Event("listening", ("info",), "listening at {address}"),
        Event(
            "proxy-header-refused",
            ("debug", "warn"),
            "closed a connection: the trusted proxy {peer} {problem}",
        ),
        Event("listening-failed", ("fatal",), "can not listen at {address}: {reason}"),
        Event("listening-left-over", ("warn",), "an address was not closed in order: {reason}"),
        Event("supervisor-deaf", ("warn",), "the service manager does not hear: {reason}"),
        Event("signal-stop", ("warn",), "{signal} received, stopping"),
        Event("signal-stop-again", ("warn",), "{signal} again, not waiting for requests any longer"),
        Event("signal-hangup", ("info",), "SIGHUP received; there is nothing to read anew"),
        Event("reload", ("info",), "{reason}: files are read anew"),
        Event(
            "reload-done",
            ("info",),
            "{reason}: what was read counts now, after {ms:.0f} ms; clients: {clients}; keys: {keys}",
        ),
        Event("reload-fault", ("error",), "not reloaded: {fault}"),
        Event(
            "reload-refused",
            ("error",),
            "{reason}: nothing has changed, as there is something wrong ({count}); what counted before still does",
        ),
        Event("reload-waiting", ("warn",), "{option} has changed, which counts after a restart"),
        Event("reload-failed", ("fatal",), "reloading failed: our fault"),
        Event(
            "key-rotation",
            ("info",),
            "signing keys are rotated: each signs for {days} days, and is published {hours} hours before",
        ),
        Event(
            "key-published",
            ("info",),
            "signing key {kid} is made and published; it may sign from {moment} on",
        ),
        Event("key-activated", ("info",), "signing key {kid} signs now, in the place of {before}"),
        Event("key-stripped", ("info",), "of the signing key {kid} only the public half is kept"),
        Event("key-retired", ("info",), "signing key {kid} is taken away: nothing that it signed is good any more"),
        Event("key-rotation-busy", ("debug",), "another one changes the signing keys now"),
        Event("key-rotation-impossible", ("error",), "signing keys can not be rotated: {problem}"),
        Event(
            "key-rotation-held",
            ("error",),
            "signing keys are not rotated until the configuration can be read again: {faults}",
        ),
        Event(
            "key-rotation-clock",
            ("warn",),
            "the clock was set forward by {lead} seconds; signing keys stay as they are for {patience} seconds",
        ),
        Event(
            "key-rotation-future",
            ("warn",),
            "signing key {kid} has a date that is yet to come, {moment}; it is not rotated before",
        ),
        Event("key-rotation-failed", ("fatal",), "rotating signing keys failed: our fault"),
        Event("background-full", ("error",), "there is too much to do in the background; something is left out"),
        Event("background-failed", ("fatal",), "work in the background failed"),
        Event("background-broken-off", ("info",), "work in the background was broken off, because the daemon stops"),
        Event("sign-out-not-told", ("warn",), "client {client} was not told of a sign-out: {problem}"),
        Event(
            "survey",
            ("warn",),
            "a usage survey goes to {url}, first in {delay} s: {names}; nothing about people or clients. To stop it, "
            "set survey = no or KOPANO_SURVEYCLIENT_AUTOSURVEY=no; docs/operate/survey.md shows all of it",
        ),
        Event("survey-sent", ("debug",), "the usage survey was sent"),
        Event("survey-not-sent", ("debug",), "the usage survey was not sent: {reason}"),
        Event("survey-broken", ("debug",), "the usage survey could not be sent at all: our fault"),
        Event("demo", ("info",), "{text}"),
    ),
    "Requests": (
        Event(
            "request-refused",
            (
                "debug",
                "info",
                "warn",
            ),
            "refused: {words} [{reference}] {trail}",
        ),
        Event("request-answered", ("debug",), "answered: [{reference}] {trail}"),
        Event("request-lost", ("info",), "refused: there is nothing at this address [{reference}] {trail}", ("path",)),
        Event("request-served", ("debug",), "{method} {path} {status} {ms:.1f} ms {peer}"),
        Event("our-fault", ("fatal",), "{route}: our fault, reference {reference}"),
        Event("our-fault-page", ("fatal",), "the page for our faults fails itself, reference {reference}"),
        Event("our-fault-counting", ("fatal",), "an answer could not be counted"),
        Event("connections-cut", ("warn",), "{count} connections are cut: their answers took too long"),
        Event("connections-refused", ("warn",), "{count} connections were turned away: too many are open"),
        Event("proxy-unclear", ("warn",), "refused a request of the trusted proxy {peer}: {problem}"),
        Event("authority-refused", ("info", "warn"), "authority {authority} signed nobody in: {error}"),
        Event("authority-sign-out", ("info",), "authority {authority} has not signed somebody out: {error}"),
        Event("authority-demand", ("warn",), "authority {authority} can not end a session here: {error}"),
        Event(
            "authority-not-ready",
            ("warn",),
            "authority {authority} is not ready, nobody can sign in there until it is: {error}",
        ),
        Event("authority-ready", ("info",), "authority {authority} is ready: {found}"),
        Event(
            "proxy-stranger",
            ("warn",),
            "a trusted proxy says that {user!r} is there, whom the backend does not know or lets in",
        ),
        Event(
            "proxy-useless",
            ("warn",),
            (
                "a trusted proxy says who is there, but the backend can not find people by name: they get the "
                "sign-in page"
            ),
        ),
        Event("sign-in-impossible", ("warn",), "nobody can sign in: {error}"),
        Event("sign-in-guessing", ("warn",), "too many wrong passwords for {user!r}, refused for some minutes"),
        Event("device-guessing", ("warn",), "too many codes of devices tried by {user!r}, refused for some minutes"),
        Event(
            "identifier-api-foreign",
            ("info",),
            "refused a call of the identifier API: it comes from no page of {origin}",
        ),
        Event("logo-missing", ("debug",), "no logo: {why}"),
    ),
    "Backends": (
        Event(
            "backend-down",
            ("error",),
            "the {backend} backend does not answer, nobody can sign in until it does: {error}",
        ),
        Event("backend-check-failed", ("fatal",), "checking the backend failed"),
        Event(
            "account-refused",
            (
                "debug",
                "info",
            ),
            "Sign-in of {user!r} refused: {reason}",
        ),
        Event("account-unknown", ("debug",), "Sign-in of a name that may be nobody's refused: {reason}"),
        Event("account-unsendable", ("debug",), "Sign-in refused, and the server not asked: {reason}"),
        Event("account-lost", ("info",), "{user!r} has lost the right to be signed in: {reason}"),
        Event("account-said", ("info",), "The server said about {user!r}: {text!r}"),
        Event("account-password-expired", ("info",), "The password of {user!r} has expired: {n} logons left"),
        Event("account-ambiguous", ("warn",), "Several entries have the name {user!r}; none of them can sign in"),
        Event(
            "account-ambiguous-subject", ("warn",), "Several entries have the subject {user!r}; none of them is used"
        ),
        Event("account-gone", ("debug",), "{user} is nobody any more: {error}"),
        Event("account-no-person", ("info",), "{user!r} is no account to sign in with"),
        Event("file-account-disabled", ("info",), "sign-in of {user!r} refused: the account is disabled"),
        Event(
            "file-account-ambiguous",
            ("warn",),
            "several people have the address {user!r}; none of them can sign in with it",
        ),
        Event("file-readable", ("warn",), "everybody on this machine can read the password hashes in {path}"),
        Event(
            "ldap-in-the-clear", ("warn",), "Passwords travel to {server} in the clear: use ldaps:// or ldap_starttls"
        ),
        Event(
            "cookie-in-the-clear",
            ("warn",),
            "people's cookies can be read on the way to {host}, which is asked without TLS",
        ),
        Event(
            "dummy",
            ("warn",),
            "everybody who comes is signed in as one and the same user: the dummy backend is for tests",
        ),
        Event("ldap-server-check", ("warn",), "One of several LDAP servers failed the check at start: {fault}"),
        Event("ldap-server-down", ("warn",), "LDAP server {server} can not be used: {fault}"),
        Event("ldap-server-up", ("warn",), "LDAP server {server} can be used again"),
        Event("ldap-server-empty", ("warn",), "LDAP server {server} shows nobody whom ldap_filter matches"),
        Event("ldap-fault", ("warn",), "LDAP: {fault}"),
        Event("ldap-connection-dead", ("warn",), "A connection to LDAP server {server} was dead: {fault}"),
        Event("ldap-pool-failed", ("fatal",), "A connection to LDAP could not be looked after"),
        Event(
            "ldap-groups-deep",
            ("warn",),
            ("Groups in groups were not followed to the end: more than {groups} groups or {levels} levels, near {dn}"),
        ),
        Event("ldap-groups-unlisted", ("warn",), "The server did not list all groups of {member}"),
        Event("ldap-groups-many", ("warn",), "{count} groups are too many, only {limit} were taken"),
        Event("kc-in-the-clear", ("warn",), "Passwords travel to Kopano server {server} in the clear: use https://"),
        Event("kc-insecure", ("warn",), "Kopano server {server} is believed whatever its certificate: insecure is set"),
        Event("kc-bypass", ("fatal",), "{problem}"),
        Event(
            "kc-looks-at-passwords", ("debug",), "Kopano server {server} refuses a password that nobody has, as it must"
        ),
        Event("kc-met", ("info",), "Kopano server {server} has version {version} and the id {guid}"),
        Event("kc-by-service", ("info",), "Kopano server {server} is asked in a session of {account}"),
        Event(
            "kc-by-person",
            ("info",),
            (
                "Kopano server {server} is asked in a session of each person's own; access tokens live {longest} "
                "seconds at most"
            ),
        ),
        Event("kc-somebody-else", ("error",), "Kopano server {server} answers about somebody else than was asked for"),
        Event("kc-sent-again", ("debug",), "Kopano server {server}: {method} is sent again"),
        Event(
            "kc-service-refused",
            ("warn",),
            "Kopano server {server} does not let the service in, nobody can sign in: {error}",
        ),
        Event("kc-service-back", ("info",), "Kopano server {server} lets the service in again"),
        Event(
            "kc-service-ended",
            ("info",),
            "Kopano server {server} has ended the session of the service; there will be another",
        ),
        Event("kc-service-not-ended", ("debug",), "The session of the service was not ended: {error}"),
        Event("kc-service-not-refreshed", ("debug",), "The session of the service was not refreshed: {error}"),
        Event("kc-session-begun", ("debug",), "{user!r} has a session at the Kopano server, by password"),
        Event("kc-session-vouched", ("debug",), "{subject} has a session at the Kopano server, by token"),
        Event("kc-session-over", ("debug",), "The session of {subject} at the Kopano server has ended"),
        Event("kc-session-ended", ("debug",), "A session was ended"),
        Event("kc-session-not-ended", ("debug",), "A session was not ended: {error}"),
        Event("kc-sessions-left", ("info",), "{count} sessions were left to the Kopano server to end"),
        Event("kc-token-refused", ("debug",), "Kopano server {server} took no token for {subject}"),
        Event(
            "kc-token-refused-first",
            ("warn",),
            (
                "Kopano server {server} took no token of this daemon for {subject}. Unless that account is not "
                "active, people have to sign in again when their session there has ended: it needs enable_sso = "
                "yes, support for kcoidc, kcoidc_issuer_identifier with the issuer of this daemon, and a way to "
                "that address"
            ),
        ),
    ),
    "Stores": (
        Event("store-down", ("error",), "the {store} store does not answer, nobody can sign in until it does: {error}"),
        Event("store-check-failed", ("fatal",), "checking the store failed"),
        Event("store-server-down", ("warn",), "the store {server} can not be used: {fault}"),
        Event("store-server-up", ("warn",), "the store {server} can be used again"),
        Event("store-server-failed", ("fatal",), "connecting to the store {server} failed"),
        Event(
            "store-forgets",
            ("warn",),
            (
                "the store {server} forgets used codes and revoked tokens when its memory is full; it should refuse "
                "instead: set maxmemory-policy to noeviction, it is {policy}"
            ),
        ),
        Event(
            "store-in-the-clear",
            ("warn",),
            "{server}: everybody on the way can read what is in the store; use rediss://",
        ),
        Event("store-readable", ("warn",), "the store {path} can be read by others"),
        Event("store-not-closed", ("warn",), "the store did not close in {seconds} s; it is left as it is"),
    ),
    "Watching": (
        Event("audit-failed", ("error",), "the audit log can not be written, {waiting} entries wait: {error}"),
        Event("audit-recovered", ("warn",), "the audit log is written again, {lost} entries are lost"),
        Event("audit-unfinished", ("error",), "the daemon ends before {left} entries of the audit log are written"),
        Event("audit-reopened", ("info",), "the audit log is opened again, because of {signal}"),
        Event("health-failed", ("fatal",), "it could not be found out what answers"),
        Event("profile-begun", ("warn",), "a profile of {seconds} s is taken for {peer}"),
    ),
}
EVENTS: tuple[Event, ...] = tuple(event for events in SECTIONS.values() for event in events)
_BY_SENTENCE: Mapping[str, Event] = {event.says: event for event in EVENTS}


def find_event(template: object) -> Event | None:
    """Return the event whose sentence has a template; None for one of a library."""
    return _BY_SENTENCE.get(template) if isinstance(template, str) else None
