"""People who appear in tests."""

from konnectd.protocol.end_user import EndUser, Logon

ALICE = EndUser(
    user_id="alice",
    subject="alice",
    username="alice",
    name="Alice Liddell",
    family_name="Liddell",
    given_name="Alice",
    email="alice@example.org",
    email_verified=True,
    numeric_id=1001,
    unique_id="6f8a3b52-0a4e-4c4e-9d34-7f6f4e1c0001",
    groups=("wonderland", "readers"),
)
BOB = EndUser(user_id="bob", subject="bob", username="bob", name="Bob Builder", email="bob@example.org")

PASSWORDS = {"alice": "wonderland", "bob": "builder"}


def logon_of(user: EndUser, auth_time: int, provider: str = "identifier-test", session_id: str = "session-1") -> Logon:
    """Return what a browser holds after somebody signed in."""
    return Logon(
        provider=provider,
        user_id=user.user_id,
        subject=user.subject,
        username=user.username,
        name=user.name,
        auth_time=auth_time,
        session_id=session_id,
    )
