"""The issuer from the outside in: the assembled daemon, and everything that proxies do to what it says."""

import json

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.doctor.finding import Finding, Level
from konnectd.doctor.outside import Outside
from konnectd.doctor.probe import NoAnswerError, Tls, UntrustedError
from konnectd.jose.keys import KeyRing
from tests.support.asked import Asked, Between, at, told, with_headers, worst
from tests.support.assembly import Daemon, ring
from tests.support.certificates import NOW, certificate
from tests.support.fakes import run
from tests.support.keys import p256_key, rsa_key

DISCOVERY = "/.well-known/openid-configuration"
JWKS = "/konnect/v1/jwks.json"
SIGN_IN = "/signin/v1/identifier/_/signin"
KEYS_FLAG = "--signing-private-key=/k.pem"


class OutsideCase(SynchronousTestCase):
    """A daemon and what is between it and the world."""

    def setUp(self) -> None:
        """Begin with nothing in between."""
        self.asked = Asked(Daemon(KEYS_FLAG))
        self.apart = 0

    def look(self, between: Between | None = None, keys: KeyRing | None = None) -> list[Finding]:
        """Look at everything."""
        if between is not None:
            self.asked.between = between
        settings = Daemon(KEYS_FLAG).settings
        now = self.asked.now() + self.apart
        return run(Outside(settings=settings, probe=self.asked, keys=keys or ring(), now=lambda: now).look())


class GoodTests(OutsideCase):
    """Where all is well."""

    def test_well(self) -> None:
        """There is nothing but a hint at what the proxy should add."""
        found = self.look()

        self.assertEqual(worst(found), [])
        self.assertEqual(
            [each.says for each in found if each.level is Level.HINT], ["there is no Strict-Transport-Security"]
        )

    def test_hsts(self) -> None:
        """With that, there is nothing."""
        found = self.look(with_headers(SIGN_IN, {"strict-transport-security": ("max-age=1",)}))

        self.assertEqual({each.level for each in found}, {Level.GOOD})

    def test_base_path(self) -> None:
        """Below a path, everything is looked for there."""
        daemon = Daemon(KEYS_FLAG, "--uri-base-path=/sso", issuer="https://example.com/sso")
        asked = Asked(daemon)
        prefixed = "/sso" + DISCOVERY
        answer = run(asked.get("https://example.com" + DISCOVERY))
        asked.between = lambda path, given: answer if path == prefixed else given
        outside = Outside(settings=daemon.settings, probe=asked, keys=ring(), now=asked.now)

        self.assertEqual(worst(run(outside.look())), [])
        self.assertIn("/sso/konnect/v1/token", asked.asked)

    def test_other_front_end(self) -> None:
        """Pages of somebody else are not judged."""
        daemon = Daemon(KEYS_FLAG, "--disable-identifier-client", "--sign-in-uri=/in")
        asked = Asked(daemon)
        found = run(Outside(settings=daemon.settings, probe=asked, keys=ring(), now=asked.now).look())

        self.assertEqual((worst(found), SIGN_IN in asked.asked), ([], False))


class ReachTests(OutsideCase):
    """Where nobody answers as they should."""

    def test_no_answer(self) -> None:
        """One fault, and no further questions."""
        self.asked.problem = NoAnswerError("does not answer within 10 seconds")
        found = self.look()

        self.assertEqual((worst(found), self.asked.asked), ([("fault", "issuer")], [DISCOVERY]))
        self.assertIn("does not answer within 10 seconds", told(found))

    def test_untrusted(self) -> None:
        """The certificate is looked at, and the reason told."""
        self.asked = Asked(Daemon(), Tls(version="TLSv1.3", chain=(certificate("other.example.com"),)))
        self.asked.problem = UntrustedError("shows a certificate for another name")
        outside = Outside(settings=Daemon().settings, probe=self.asked, keys=ring(), now=lambda: NOW)

        self.assertIn("it is for other.example.com, and not for sso.example.com", told(run(outside.look())))

    def test_untrusted_and_gone(self) -> None:
        """Where there is no second look, the first one is told."""
        self.asked.problem = UntrustedError("shows a certificate that nobody trusts here")

        self.assertEqual(worst(self.look()), [("fault", "certificate")])

    def test_trusted(self) -> None:
        """Certificates that are trusted are looked at too."""
        asked = Asked(Daemon(KEYS_FLAG), Tls(version="TLSv1.3", chain=(certificate("sso.example.com", days=2),)))
        outside = Outside(settings=Daemon(KEYS_FLAG).settings, probe=asked, keys=ring(), now=lambda: NOW)

        self.assertIn(("fault", "certificate"), worst(run(outside.look())))


class DiscoveryTests(OutsideCase):
    """Metadata that is not ours."""

    def fault(self, between: Between) -> str:
        """Return the one thing that is wrong, after which nothing else was asked."""
        found = self.look(between)
        self.assertEqual((worst(found), set(self.asked.asked)), ([("fault", "issuer")], {DISCOVERY}))
        return told(found)

    def issuer(self, issuer: object) -> str:
        """Return what is wrong with an issuer."""
        return self.fault(at(DISCOVERY, body=json.dumps({"issuer": issuer}).encode()))

    def test_redirect(self) -> None:
        """A redirect is told, without what may be secret in it."""

        def redirect(_: str, answer: object) -> object:
            headers = {"location": ("https://www.example.com/login?token=secret",)}
            return evolve(answer, status=302, headers={**answer.headers, **headers})  # type: ignore[type-var, attr-defined] # an answer

        text = self.fault(redirect)  # type: ignore[arg-type] # an answer

        self.assertIn("a redirect to https://www.example.com/login ", text)
        self.assertNotIn("secret", text)

    def test_status(self) -> None:
        """So is a status."""
        self.assertIn("status 502", self.fault(at(DISCOVERY, status=502)))

    def test_no_json(self) -> None:
        """And a page of somebody else."""
        for body in (b"<html>", b"[]", b"\xff", b"", b"[" * 100_000):
            with self.subTest(body=body[:10]):
                self.asked.asked.clear()

                self.assertIn("no JSON", self.fault(at(DISCOVERY, body=body)))

    def test_issuers(self) -> None:
        """Another issuer is told, with what is different about it."""
        for issuer, why in (
            ("https://sso.example.com/", "slash at the end"),
            ("https://SSO.example.com", "capital letters"),
            ("http://sso.example.com", "http and https"),
            ("https://other.example.com", "another issuer"),
            (None, "another issuer"),
        ):
            with self.subTest(issuer=issuer):
                self.asked.asked.clear()

                self.assertIn(why, self.issuer(issuer))

    def test_other_paths(self) -> None:
        """A daemon that was started with other paths is told."""
        body = json.dumps({"issuer": "https://sso.example.com", "jwks_uri": "https://sso.example.com/x"}).encode()

        self.assertEqual(worst(self.look(at(DISCOVERY, body=body))), [("warning", "issuer")])


class ClockTests(OutsideCase):
    """Two clocks."""

    def test_apart(self) -> None:
        """Some seconds are nothing, a minute is a fault, in both directions."""
        for apart, wanted in (
            (3, []),
            (-3, []),
            (20, [("warning", "clock")]),
            (-20, [("warning", "clock")]),
            (3600, [("fault", "clock")]),
            (-3600, [("fault", "clock")]),
        ):
            with self.subTest(apart=apart):
                self.apart = apart

                self.assertEqual(worst(self.look()), wanted)

    def test_no_date(self) -> None:
        """Without a date, or with nonsense, nothing is compared."""
        for value in ((), ("yesterday",)):
            with self.subTest(value=value):
                found = self.look(with_headers(DISCOVERY, {"date": value}))

                self.assertEqual((worst(found), "were not compared" in told(found)), ([], True))


class KeyTests(OutsideCase):
    """What is published, and what should be."""

    def test_active_is_missing(self) -> None:
        """Without the active key, clients refuse all tokens."""
        found = self.look(keys=KeyRing((p256_key(2),), method="ES256"))

        self.assertEqual(worst(found), [("fault", "published keys")])

    def test_same_name(self) -> None:
        """Another key of the same name is another key."""
        body = json.dumps({"keys": [{**rsa_key(2).public.to_jwk(), "kid": key.kid} for key in ring().signing]}).encode()

        self.assertEqual(worst(self.look(at(JWKS, body=body))), [("fault", "published keys")])

    def test_next_is_missing(self) -> None:
        """A key that was made, and of which the daemon does not know, is a warning."""
        keys = KeyRing((*ring().signing, rsa_key(3)), method="ES256")

        self.assertEqual(worst(self.look(keys=keys)), [("warning", "published keys")])

    def test_no_set(self) -> None:
        """Anything else at its address is a fault."""
        for between in (at(JWKS, status=404), at(JWKS, body=b"{}"), at(JWKS, body=b'{"keys": 1}'), at(JWKS, body=b"x")):
            with self.subTest():
                self.assertEqual(worst(self.look(between)), [("fault", "published keys")])

    def test_nonsense_in_it(self) -> None:
        """Members that are no keys are none."""
        self.assertEqual(worst(self.look(at(JWKS, body=b'{"keys": [1, {}, null]}'))), [("fault", "published keys")])


class ProxyTests(OutsideCase):
    """What proxies do."""

    def test_lost_paths(self) -> None:
        """Each path that does not come through is told."""
        for path in ("/konnect/v1/userinfo", "/konnect/v1/token", "/signin/v1/identifier/_/authorize"):
            with self.subTest(path=path):
                found = self.look(at(path, status=404))

                self.assertEqual(
                    (worst(found), f"{path} answers with status 404" in told(found)), ([("fault", "proxy")], True)
                )

    def test_answers_itself(self) -> None:
        """A proxy that answers with the same status is not taken for us."""
        found = self.look(with_headers("/konnect/v1/userinfo", {"x-content-type-options": ()}))

        self.assertEqual(worst(found), [("fault", "proxy")])

    def test_sign_in_page(self) -> None:
        """The page where people sign in has to come through."""
        self.assertEqual(worst(self.look(at(SIGN_IN, status=404))), [("fault", "proxy")])

    def test_no_cookie(self) -> None:
        """With its cookie."""
        self.assertIn("sets no cookie", told(self.look(with_headers(SIGN_IN, {"set-cookie": ()}))))

    def test_insecure_cookie(self) -> None:
        """Which is Secure."""
        found = self.look(with_headers(SIGN_IN, {"set-cookie": ("__Secure-KKFT=x; Path=/; HttpOnly",)}))

        self.assertEqual((worst(found), "without Secure" in told(found)), ([("fault", "proxy")], True))

    def test_second_policy(self) -> None:
        """And with one policy."""
        found = self.look(with_headers(SIGN_IN, {"content-security-policy": ("default-src 'none'", "img-src *")}))

        self.assertEqual(worst(found), [("warning", "proxy")])

    def test_half_way(self) -> None:
        """A path at which nobody answers is told, and hides nothing else."""

        def silent(path: str, answer: object) -> object:
            if path in {JWKS, SIGN_IN, "/konnect/v1/token"}:
                raise NoAnswerError("does not answer within 10 seconds")
            return answer

        found = self.look(silent)  # type: ignore[arg-type] # an answer

        self.assertEqual(worst(found), [("fault", "published keys"), ("fault", "proxy"), ("fault", "proxy")])
