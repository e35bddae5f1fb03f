"""What a reload refuses, what waits for a restart, and how it goes about while people are served."""

from collections.abc import Callable, Iterator
from urllib.parse import urlencode, urlsplit

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from konnectd.interfaces import LogonAnswer
from konnectd.reloading import NOT_DONE
from tests.support.application import Application
from tests.support.assembly import FORM_HEADER
from tests.support.connection import parse_answers, request
from tests.support.fakes import People
from tests.support.filed import CLIENTS, OTHER, FiledDaemon
from tests.support.keys import quick_hash
from tests.support.loglines import LogLines
from tests.support.people import ALICE, PASSWORDS
from tests.support.requests import PAGE
from tests.support.visitor import Visitor

METADATA = "/.well-known/openid-configuration"


class Meanwhile(dict[str, str]):
    """An environment without variables that does something when it is looked into, early in a reload."""

    def __init__(self, do: Callable[[], object]) -> None:
        """Keep what to do."""
        super().__init__()
        self._do = do

    def __iter__(self) -> Iterator[str]:
        """Do it."""
        self._do()
        return iter(())


class Patient(People):
    """Alice, whose password is looked at when a test lets it."""

    def __init__(self) -> None:
        """Know her."""
        super().__init__(ALICE, passwords=PASSWORDS)
        self.waiting: Deferred[None] = Deferred()

    async def logon(self, username: str, password: str) -> LogonAnswer:
        """Wait, and check a password."""
        await self.waiting
        return await super().logon(username, password)


class FiledCase(SynchronousTestCase):
    """A daemon that runs."""

    def start(self, **lines: str) -> FiledDaemon:
        """Start it."""
        self.daemon = FiledDaemon(self, **lines)
        return self.daemon

    def knows(self, client_id: str) -> bool:
        """Tell whether a client is served."""
        return self.daemon.get(Application(self.daemon, PAGE).url(client_id=client_id)).status == 302


class RefusedTests(FiledCase):
    """A reload that changes nothing."""

    def setUp(self) -> None:
        """Start the daemon."""
        self.start()

    def test_old_clients(self) -> None:
        """With a file that is wrong, what counted before goes on, also what other files say."""
        self.daemon.write("scopes.yaml", "scopes: {calendar: {description: Yours}}\n")
        self.daemon.write("clients.yaml", f"clients:\n{OTHER}  - id: mail\n")
        self.daemon.reload()

        self.assertTrue(self.knows("mail"))
        self.assertNotIn(b"calendar", self.daemon.get(METADATA).body)

    def test_all_faults(self) -> None:
        """All faults of all files are told, each with its place."""
        self.daemon.write("clients.yaml", f"{CLIENTS}  - id: a\n  - id: b\n")
        self.daemon.write("scopes.yaml", "scopes: [\n")
        self.daemon.write("signing.pem", "no key")
        self.daemon.write("own/error.html", "{% if %}")
        self.daemon.write("users.yaml", "users: 7\n")
        self.daemon.configure(templates_path=f"{self.daemon.root}/own", nonsense="1", brand_logo="/nowhere")
        found = self.daemon.faults()

        options = {
            "client a",
            "client b",
            "identifier_scopes_conf",
            "signing_private_key",
            "templates_path",
            "file_users",
            "nonsense",
            "brand_logo",
        }
        self.assertEqual({fault.option for fault in found} ^ options, set())
        self.assertEqual([str(fault) for fault in found if not fault.source], [])

    def test_log(self) -> None:
        """Each is one line of the log, and one more says that nothing has changed."""
        lines = LogLines(self)
        self.daemon.write("clients.yaml", f"{CLIENTS}  - id: a\n  - id: b\n")
        self.daemon.reload()

        self.assertEqual([len(lines.about(f"event={name}")) for name in ("reload-fault", "reload-refused")], [2, 1])

    def test_half_a_file(self) -> None:
        """Half of what will be a file is a bad file."""
        self.daemon.write("clients.yaml", f"{CLIENTS}  - id: other\n    redirect_uris: [https://x.exam")

        self.assertEqual([fault.option for fault in self.daemon.faults()], ["identifier_registration_conf"])

    def test_row_29_written_to_meanwhile(self) -> None:
        """So is one that can be read, but is written to while that is done."""
        environ = Meanwhile(lambda: daemon.write("clients.yaml", CLIENTS + OTHER))
        daemon = FiledDaemon(self, environ=environ)
        found = daemon.faults()

        self.assertEqual([fault.source for fault in found], [f"{daemon.root}/clients.yaml"])

    def test_mended(self) -> None:
        """The next reload finds the mended file."""
        self.daemon.write("clients.yaml", "clients: 7\n")
        self.daemon.reload()
        self.daemon.write("clients.yaml", CLIENTS + OTHER)
        self.daemon.reload()

        self.assertTrue(self.knows("other"))

    def test_same_as_check_config(self) -> None:
        """An option that only a start reads is looked at as well, as check-config does."""
        self.daemon.configure(listen="nowhere:x")

        self.assertEqual([fault.option for fault in self.daemon.faults()], ["listen"])


class WaitingTests(FiledCase):
    """What has changed and waits for a restart."""

    def setUp(self) -> None:
        """Start the daemon."""
        self.start()

    def test_named(self) -> None:
        """Options that only a start reads are named, each in a line of the log."""
        lines = LogLines(self)
        self.daemon.configure(listen="127.0.0.1:9999", access_token_expiration="77")
        outcome = self.daemon.reload()

        self.assertEqual((outcome.done, outcome.restart), (True, ("listen", "access_token_expiration")))
        self.assertEqual(len(lines.about("event=reload-waiting")), 2)

    def test_does_not_count(self) -> None:
        """They do not count."""
        self.daemon.configure(uri_base_path="/elsewhere", require_pushed_authorization_requests="yes")
        before = self.daemon.get(METADATA).body
        self.daemon.reload()

        self.assertEqual(self.daemon.get(METADATA).body, before)

    def test_rest_counts(self) -> None:
        """The rest counts all the same."""
        self.daemon.configure(uri_base_path="/elsewhere", brand_name="Example Works")
        self.daemon.write("clients.yaml", CLIENTS + OTHER)
        self.daemon.reload()

        self.assertTrue(self.knows("other"))

    def test_pages(self) -> None:
        """Pages refer to addresses that there are."""
        self.daemon.configure(uri_base_path="/elsewhere", brand_name="Example Works")
        self.daemon.reload()
        page = Visitor(self.daemon).open(Application(self.daemon).url()).answer.body

        self.assertEqual((b"/elsewhere" in page, b"Example Works" in page), (False, True))

    def test_people(self) -> None:
        """The file of people is read by a start, and is named as the option it is."""
        self.daemon.write("users.yaml", f"users: [{{username: bob, password: '{quick_hash('b')}'}}]\n")

        self.assertEqual(self.daemon.reload().restart, ("file_users",))

    def test_secret(self) -> None:
        """The secret that protects cookies stays, whatever its file says."""
        visitor, application = Visitor(self.daemon), Application(self.daemon)
        application.sign_in(visitor)
        self.daemon.write("secret.key", bytes(range(32, 64)))
        outcome = self.daemon.reload()

        self.assertEqual((outcome.restart, application.arrive(visitor).left), (("encryption_secret",), True))

    def test_salt(self) -> None:
        """So does what goes into pairwise subjects: a client with one is not served by a reload."""
        self.daemon.write("salt.key", bytes(range(32, 64)))
        self.daemon.configure(pairwise_salt=f"{self.daemon.root}/salt.key")
        self.daemon.write("clients.yaml", f"{CLIENTS}{OTHER[:-2]}, subject_type: pairwise}}\n")
        outcome = self.daemon.reload()

        self.assertEqual(
            ([fault.option for fault in outcome.faults], outcome.restart), (["client other"], ("pairwise_salt",))
        )

    def test_until_the_restart(self) -> None:
        """Each reload names them."""
        self.daemon.configure(listen="127.0.0.1:9999")
        self.daemon.reload()

        self.assertEqual(self.daemon.reload().restart, ("listen",))

    def test_taken_back(self) -> None:
        """What was taken back waits no more."""
        self.daemon.configure(listen="127.0.0.1:9999")
        self.daemon.reload()
        self.daemon.configure(listen="127.0.0.1:8777")

        self.assertEqual(self.daemon.reload().restart, ())


class MadeUpTests(SynchronousTestCase):
    """Keys and secrets that are in no file."""

    def test_key(self) -> None:
        """A key that was made up at the start is the same after a reload."""
        daemon = FiledDaemon(self, signing_private_key="", encryption_secret_key="")
        token = Application(daemon).tokens()["access_token"]
        daemon.reload()

        self.assertEqual(Application(daemon).userinfo(token).status, 200)

    def test_secret(self) -> None:
        """So is the secret."""
        daemon = FiledDaemon(self, signing_private_key="", encryption_secret_key="")
        code = Application(daemon).code()
        daemon.reload()

        self.assertEqual(Application(daemon).redeem(code).status, 200)


class LifeTests(FiledCase):
    """A reload while people are served, and others ask for one."""

    def test_served_meanwhile(self) -> None:
        """While files are read, what counted before answers."""
        daemon = self.start()
        daemon.reactor.at_once = False
        daemon.write("clients.yaml", f"clients:\n{OTHER}")
        daemon.ask_for_reload()

        self.assertTrue(self.knows("mail"))

    def test_request_under_way(self) -> None:
        """Who is being signed in for a client that is gone meanwhile is signed in: that began before."""
        people = Patient()
        daemon = self.daemon = FiledDaemon(self, backend=people)
        visitor, application = Visitor(daemon), Application(daemon)
        page = application.arrive(visitor)
        fields = urlencode({**page.fields, "username": "alice", "password": PASSWORDS["alice"]}).encode()
        cookies = f"Cookie: {visitor.cookies_for(page.url)}"
        ours = (f"Origin: {daemon.origin}", "Sec-Fetch-Site: same-origin", FORM_HEADER, cookies)
        peer = daemon.connect()
        peer.send(request("POST", urlsplit(page.action).path + "?" + urlsplit(page.action).query, *ours, body=fields))
        daemon.write("clients.yaml", f"clients:\n{OTHER}")
        daemon.reload()
        people.waiting.callback(None)
        (answer,) = parse_answers(peer.hear())

        self.assertEqual((answer.status, self.knows("mail")), (303, False))

    def test_wish_meanwhile(self) -> None:
        """A file that is written while another reload is under way is found by one more."""
        daemon = self.start()
        daemon.reactor.at_once = False
        daemon.ask_for_reload()
        second = daemon.ask_for_reload()
        daemon.reactor.work()
        daemon.write("clients.yaml", CLIENTS + OTHER)
        daemon.reactor.work()

        self.assertTrue(self.successResultOf(second).done)

    def test_row_29_stopped_meanwhile(self) -> None:
        """What was read when the daemon stops does not count any more."""
        daemon = self.start()
        daemon.reactor.at_once = False
        daemon.write("clients.yaml", CLIENTS + OTHER)
        asked = daemon.ask_for_reload()
        daemon.service.stopService()
        daemon.reactor.work()

        self.assertEqual(self.successResultOf(asked), NOT_DONE)
