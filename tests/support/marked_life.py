"""A life of a daemon with everything in it: each flow there is, each with what people and clients do wrong in it.

It speaks HTTP and nothing else, so it is the same for a daemon in memory and for a process. Who can sign in and how is
what differs between backends: with a name and a password, or by a cookie of somebody else.
"""

import json
from typing import Any
from urllib.parse import urlencode

from konnectd.protocol.client import Client
from konnectd.protocol.vocabulary import AuthMethod
from tests.support.application import Application, json_of
from tests.support.assembly import Daemon
from tests.support.connection import Heard
from tests.support.front_end import FrontEnd
from tests.support.guests import guest_claims
from tests.support.marked_answers import Told, learn
from tests.support.marked_house import (
    ASKING_SECRET,
    DEVICE,
    HINT,
    HOUSE_SECRET,
    INITIAL_TOKEN,
    MISPLACED,
    NONCE,
    PASSTHRU,
    PASSWORD,
    ROBOT_SECRET,
    SECRETIVE_SECRET,
    STATE,
    WRONG,
)
from tests.support.marks import Marks
from tests.support.registering import JSON_HEADER, REGISTER, SelfRegistered
from tests.support.request_objects import CLIENT_KEY, contents, signed
from tests.support.requests import BYE, CALLBACK, VERIFIER
from tests.support.visitor import Visit, Visitor

_SCOPE = "openid profile email offline_access"


class ListeningDaemon(Daemon):
    """A daemon in memory, or what stands in its place, that is listened to.

    Attributes:
        marks: all secrets there are so far.
        told: every answer so far.
    """

    marks: Marks
    told: list[Told]

    def ask(self, method: str, target: str, *headers: str, body: bytes = b"") -> Heard:
        """Ask once, and keep the answer."""
        answer = super().ask(method, target, *headers, body=body)
        learn(self.marks, answer)
        self.told.append(Told(asked=f"{method} {target.partition('?')[0]}", answer=answer))
        return answer


class MarkedLife:
    """One life.

    Attributes:
        person: their browser.
    """

    def __init__(self, daemon: ListeningDaemon, person: Visitor, username: str = "alice") -> None:
        """Begin with nobody signed in."""
        self.daemon = daemon
        self.person = person
        self.username = username
        self.house = self.app("house", HOUSE_SECRET)
        self.asking = self.app("asking", ASKING_SECRET)
        self.paths = daemon.settings.paths

    def app(self, client_id: str, secret: str = "", method: AuthMethod | None = None) -> Application:
        """Return a client's end of the protocol."""
        return Application(self.daemon, Client(client_id=client_id, secret=secret, auth_method=method))

    def live(self) -> None:
        """Do everything."""
        self.sign_in()
        tokens = self.code_flow()
        self.other_flows()
        self.requests_elsewhere(tokens)
        self.tokens_of_clients(tokens)
        self.registrations()
        self.devices()
        self.front_ends()
        self.mistakes(tokens)
        self.leave(tokens)

    # -- people

    def arrive(self, app: Application, **changes: str | None) -> Visit:
        """Send the browser here."""
        marked: dict[str, str | None] = {"state": STATE, "nonce": NONCE, "scope": _SCOPE}
        return app.arrive(self.person, **{**marked, **changes})

    def through(self, visit: Visit) -> Visit:
        """Go through whatever pages come."""
        if not visit.left and "password" in visit.fields:
            visit = self.person.submit(visit, username=self.username, password=PASSWORD)
        if not visit.left and visit.path.endswith("/consent"):
            visit = self.person.submit(visit, allow="1")
        return visit

    def type(self, page: Visit, username: str, password: str, **more: str) -> None:
        """Type something at the sign-in page, if that is where the browser is."""
        if not page.left and "password" in page.fields:
            self.person.submit(page, username=username, password=password, **more)

    def sign_in(self) -> None:
        """Sign in, after some mistakes."""
        page = self.arrive(self.asking, login_hint=HINT)
        for username, password in ((self.username, WRONG), (MISPLACED, ""), (MISPLACED, WRONG), ("", PASSWORD)):
            self.type(page, username, password)
        self.type(page, self.username, PASSWORD, csrf=WRONG)
        self.through(page)

    def code(self, app: Application, **changes: str | None) -> str:
        """Return a code."""
        return app.told(self.through(self.arrive(app, **changes)))["code"]

    # -- flows

    def code_flow(self) -> dict[str, Any]:
        """Redeem and refresh, some of it twice, and return what is good in the end."""
        self.asking.redeem(self.code(self.asking), code_verifier=WRONG * 2)
        code = self.code(self.asking)
        spent = json_of(self.asking.redeem(code))
        self.asking.redeem(code)
        self.asking.refresh(spent["refresh_token"])
        first = json_of(self.house.redeem(self.code(self.house, prompt="consent")))
        second = json_of(self.house.refresh(first["refresh_token"]))
        third = json_of(self.house.refresh(second["refresh_token"]))
        self.asking.refresh(third["refresh_token"])
        return third

    def other_flows(self) -> None:
        """Get tokens and codes by every other way through the browser."""
        for response_type in ("id_token token", "code id_token token", "code token", "id_token"):
            self.through(self.arrive(self.house, response_type=response_type, scope="openid"))
            self.through(self.arrive(self.house, response_type=response_type, response_mode="form_post"))
        self.through(self.arrive(self.house, prompt="none"))
        self.arrive(self.asking, prompt="none", max_age="0")
        deny = self.arrive(self.asking, prompt="consent")
        if not deny.left:
            self.person.submit(deny, deny="1")
        chooser = self.arrive(self.house, prompt="select_account")
        if not chooser.left and "csrf" in chooser.fields:
            self.person.submit(chooser, account=self.username)

    def requests_elsewhere(self, tokens: dict[str, Any]) -> None:
        """Sign requests, push them, and bring a guest."""
        for number in range(2):
            token = self.signed_request(login_hint=HINT, id_token_hint=tokens["id_token"], jti=f"jti-{number}")
            self.through(self.arrive(self.house, request=token))
            self.arrive(self.house, request=token[:-3] + "AAA")
            self.through(self.bring(self.push(token), "house"))
        self.daemon.post(self.paths.par, urlencode({"request": token}), self.asking.basic())
        pushed = self.asking.parameters(state=STATE, nonce=NONCE, login_hint=HINT, scope=_SCOPE)
        answer = self.daemon.post(self.paths.par, urlencode(pushed), self.asking.basic())
        reference = str(json_of(answer)["request_uri"])
        self.bring(reference, "house")
        self.through(self.bring(reference, "asking"))
        self.bring(reference, "asking")
        # One more, that stays.
        self.daemon.post(self.paths.par, urlencode(pushed), self.asking.basic())
        claims = {**guest_claims("guest-1", email="gwen@elsewhere.example"), "passthru": PASSTHRU}
        guest = self.signed_request(scope="openid konnect/guestok", jti="guest-jti", claims=claims)
        nobody = Visitor(self.daemon)
        told = self.house.told(nobody.open(self.house.url(request=guest)))
        if "code" in told:
            self.house.redeem(told["code"])

    def signed_request(self, **changes: object) -> str:
        """Return a request object of the house."""
        now = self.daemon.clock.now()
        fresh = {"iat": now, "exp": now + 600, "aud": self.daemon.settings.iss, "state": STATE, "nonce": NONCE}
        return signed(contents(self.house.client, **{**fresh, **changes}), CLIENT_KEY)

    def push(self, token: str) -> str:
        """Push a request object, and return what stands for it."""
        answer = self.daemon.post(self.paths.par, urlencode({"request": token}), self.house.basic())
        return str(json_of(answer)["request_uri"])

    def bring(self, reference: str, client_id: str) -> Visit:
        """Send the browser with a reference."""
        sent = urlencode({"client_id": client_id, "request_uri": reference})
        return self.person.open(f"{self.paths.authorize}?{sent}")

    def tokens_of_clients(self, tokens: dict[str, Any]) -> None:
        """Use tokens, ask about them, give them back, and get some for clients alone."""
        robot, asked = self.app("robot", ROBOT_SECRET), (tokens["access_token"], tokens["refresh_token"], WRONG)
        self.house.userinfo(tokens["access_token"])
        self.house.userinfo(tokens["id_token"])
        for token in asked:
            self.daemon.post(self.paths.introspect, urlencode({"token": token}), robot.basic())
            self.daemon.post(self.paths.introspect, urlencode({"token": token}), self.asking.basic(secret=WRONG))
        robot.ask_token(robot.basic(), grant_type="client_credentials", scope="api")
        for app, key in (
            (self.app("secretive", SECRETIVE_SECRET, AuthMethod.SECRET_JWT), None),
            (self.app("keyed", "", AuthMethod.PRIVATE_KEY_JWT), CLIENT_KEY),
        ):
            proving = SelfRegistered(self.daemon, app.client, CALLBACK)
            proving.key = key
            code = self.code(proving)
            for said in (proving.proof(aud=self.daemon.settings.iss, jti=f"{app.client.client_id}-{code}"),) * 2:
                self.daemon.marks.add("assertion", str(said["client_assertion"]))
                values = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
                proving.ask_token(**{**values, "code_verifier": VERIFIER, **said})
        given_back = json_of(self.house.redeem(self.code(self.house)))
        for name in ("access_token", "refresh_token"):
            if name in given_back:
                self.daemon.post(self.paths.revoke, urlencode({"token": given_back[name]}), self.house.basic())

    def registrations(self) -> None:
        """Let a client register itself and manage that, and others fail to."""
        self.register({"redirect_uris": [CALLBACK]}, WRONG)
        self.register({"redirect_uris": [f"http://evil.example/{WRONG}"], "client_name": WRONG}, INITIAL_TOKEN)
        for method in ("client_secret_basic", "client_secret_jwt"):
            told = json_of(
                self.register({"redirect_uris": [CALLBACK], "token_endpoint_auth_method": method}, INITIAL_TOKEN)
            )
            app = SelfRegistered(self.daemon, Client(client_id=told["client_id"], secret=told["client_secret"]))
            app.told_at_start = told
            app.manage("GET")
            app.manage("GET", token=WRONG)
            members = {"client_id": told["client_id"], "redirect_uris": [CALLBACK], "client_name": "Changed"}
            app.manage("PUT", {**members, "client_secret": told["client_secret"]})
            if method == "client_secret_basic":
                code = self.code(app)
                app.redeem(code, code_verifier=WRONG * 2)
                app.redeem(self.code(app))
                app.manage("DELETE")

    def register(self, said: object, token: str) -> Heard:
        """Send client metadata."""
        header = f"Authorization: Bearer {token}"
        return self.daemon.ask("POST", REGISTER, JSON_HEADER, header, body=json.dumps(said).encode())

    def devices(self) -> None:
        """Let devices begin: one is let in, one is not, and one nobody cares for."""
        for answer in ("allow", "deny", ""):
            begun = self.daemon.post(
                self.paths.device_authorization, urlencode({"client_id": "tv", "scope": "openid profile"})
            )
            told = json_of(begun)
            asked = urlencode({"client_id": "tv", "grant_type": DEVICE, "device_code": told["device_code"]})
            self.daemon.post(self.paths.token, asked)
            if answer:
                page = self.person.open(f"{self.paths.inner}device")
                self.person.submit(page, user_code="BCDF-GHJK")
                found = self.person.submit(page, user_code=told["user_code"])
                self.person.submit(found, **{answer: "1"})
                self.daemon.post(self.paths.token, asked)
                self.daemon.post(self.paths.token, asked)

    def front_ends(self) -> None:
        """Do what a front end of somebody else's does."""
        front, question = FrontEnd(Visitor(self.daemon)), {"flow": "oidc", "scope": "openid", "client_id": "house"}
        for params in ([self.username, WRONG, "1"], [MISPLACED, WRONG, "1"], [self.username, PASSWORD, "1"], [WRONG]):
            front.call("logon", params=params, hello={**question, "redirect_uri": CALLBACK})
        front.call("hello", **question, redirect_uri=CALLBACK)
        front.call("consent", allow=True, scope="openid", client_id="house", redirect_uri=CALLBACK, ref=STATE)
        front.call("logoff")

    def mistakes(self, tokens: dict[str, Any]) -> None:
        """Send secrets where they do not belong, and break every rule with them."""
        token, ask = tokens["access_token"], self.house.ask_token
        ask(self.house.basic(HOUSE_SECRET, HOUSE_SECRET), grant_type=HOUSE_SECRET, code=token)
        ask(self.house.basic(), grant_type="authorization_code", code=PASSWORD, redirect_uri=token)
        ask(client_id="house", client_secret=ASKING_SECRET, grant_type="refresh_token", refresh_token=WRONG)
        ask(grant_type=DEVICE, client_id="tv", device_code=WRONG)
        ask(client_assertion_type=WRONG, client_assertion=token, grant_type=PASSWORD)
        for header in (f"Bearer {token} {token}", f"Basic {token}", f"Bearer {WRONG}", f"DPoP {token}"):
            self.daemon.get(self.paths.userinfo, f"Authorization: {header}")
        for path in (self.paths.userinfo, "/nowhere", self.paths.welcome, self.paths.goodbye):
            self.daemon.get(f"{path}?access_token={token}&code={WRONG}&password={PASSWORD}", f"Cookie: a={token}")
        for path in (self.paths.par, self.paths.revoke, self.paths.introspect, self.paths.device_authorization):
            self.daemon.post(path, urlencode({"client_id": token, "client_secret": HOUSE_SECRET, "token": token}))
            self.daemon.post(path, urlencode({"client_assertion": token, "grant_type": token, "device_code": WRONG}))
            self.daemon.ask("PUT", path, f"X-Secret: {token}", body=PASSWORD.encode())
        for name in ("redirect_uri", "client_id", "scope", "response_mode", "response_type", "prompt", "max_age"):
            self.arrive(self.house, **{name: f"https://evil.example/{token}/{PASSWORD}"})
            self.arrive(self.house, **{name: ASKING_SECRET})
        for name in ("request", "request_uri", "id_token_hint", "claims", "code_challenge_method", "acr_values"):
            self.arrive(self.house, **{name: f"{token}.{PASSWORD}", "prompt": "none"})
        self.daemon.get(f"{self.paths.authorize}?{WRONG}={WRONG}&{WRONG}={WRONG}")
        for page in ("consent", "signin", "chooseaccount", "account", "device", "endsession"):
            self.daemon.post(f"{self.paths.inner}{page}", urlencode({"csrf": token, "password": PASSWORD}))

    def leave(self, tokens: dict[str, Any]) -> None:
        """Look at the account, and sign out in every way."""
        for page in ("account", "welcome", "goodbye"):
            self.person.open(f"{self.paths.inner}{page}")
        self.daemon.get(f"{self.paths.endsession}?id_token_hint={tokens['access_token']}{WRONG}")
        wrong = urlencode({"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": f"https://x/{PASSWORD}"})
        self.daemon.get(f"{self.paths.endsession}?{wrong}")
        hint = urlencode({"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": BYE, "state": STATE})
        self.person.open(f"{self.paths.endsession}?{hint}")
        self.house.refresh(tokens["refresh_token"])
        # Somebody is there in the end: what is kept about them has to be looked at.
        self.through(self.arrive(self.asking))
        self.through(self.arrive(self.house))
