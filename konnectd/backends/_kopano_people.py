"""From an account of a Kopano server to a person, and who of them may not sign in."""

from konnectd.backends._kopano_answers import GIVEN_NAME, SURNAME, User
from konnectd.backends._kopano_entry import MAIL_USER
from konnectd.protocol.end_user import EndUser

#: The class of accounts that are people; rooms, equipment, contacts and stores that are shared have others.
ACTIVE = 0x00010001


def end_user(user: User) -> EndUser | None:
    """Return the person behind an account; None for one that nobody signs in with.

    The server's own account has no external id, so there is nothing that could be its subject.
    """
    if user.entry_id is None or user.entry_id.mapi_type != MAIL_USER or user.object_class != ACTIVE:
        return None
    given_name, family_name = _names(user)
    subject = user.entry_id.subject
    return EndUser(
        user_id=str(user.entry_id),
        subject=subject,
        username=user.username,
        name=user.full_name,
        given_name=given_name,
        family_name=family_name,
        email=user.mail_address,
        # Only administrators of the server set addresses.
        email_verified=True,
        numeric_id=user.numeric_id,
        unique_id=subject,
        identity={"kc.i.us": subject},
    )


def _names(user: User) -> tuple[str, str]:
    """Return given name and family name.

    They are properties; where an account has no properties at all, the full name is taken apart at its first blank.
    """
    if user.properties:
        return user.find(GIVEN_NAME) or "", user.find(SURNAME) or ""
    given_name, blank, family_name = user.full_name.strip().partition(" ")
    return (given_name, family_name.strip()) if blank else ("", "")
