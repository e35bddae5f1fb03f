"""Whether an account may be used: what its entry says, and what the answer to a bind means.

Directories say it in many ways; each one here is a row with its own test. Nothing here asks a directory.
"""

import re
from datetime import UTC, datetime

from konnectd.backends import _ldap_faults as faults
from konnectd.backends._ldap_answers import BindAnswer, Entry, PolicyFault
from konnectd.interfaces import RefusalReason

#: Attributes that are read to decide; every search for a person asks for them. Operational ones have to be named.
ATTRIBUTES = (
    "userAccountControl",
    "msDS-User-Account-Control-Computed",
    "accountExpires",
    "nsAccountLock",
    "pwdAccountLockedTime",
    "pwdEndTime",
    "shadowExpire",
)

# Bits of userAccountControl and of its computed companion, which knows when a lock has ended.
_DISABLED_BIT = 0x2
_LOCKED_BIT = 0x10
_PASSWORD_EXPIRED_BIT = 0x800000

#: Windows counts tenths of microseconds from 1601; both values mean never.
_NEVER = frozenset({0, 0x7FFFFFFFFFFFFFFF})
_TICKS = 10_000_000
_WINDOWS_EPOCH = -11_644_473_600

_DAY = 86_400

#: Locked for good, by an administrator. Spec: draft-behera-ldap-password-policy 5.3.3.
_FOR_GOOD = "000001010000Z"

_GENERALIZED_TIME = re.compile(r"(\d{10})(\d{2})?(\d{2})?(?:[.,]\d+)?Z")

#: What Active Directory adds to invalidCredentials, such as ``AcceptSecurityContext error, data 533, v4563``.
_WINDOWS_REASON = re.compile(r"\bdata ([0-9a-f]{3,4})\b", re.IGNORECASE)
_WINDOWS_REASONS = {
    "525": RefusalReason.UNKNOWN_USER,
    "530": RefusalReason.DISABLED,  # not at this hour
    "531": RefusalReason.DISABLED,  # not from this machine
    "532": RefusalReason.EXPIRED,  # password
    "533": RefusalReason.DISABLED,
    "701": RefusalReason.EXPIRED,  # account
    "773": RefusalReason.EXPIRED,  # password must be changed first
    "775": RefusalReason.LOCKED,
}

_POLICY_REASONS = {
    PolicyFault.PASSWORD_EXPIRED: RefusalReason.EXPIRED,
    PolicyFault.ACCOUNT_LOCKED: RefusalReason.LOCKED,
    PolicyFault.CHANGE_AFTER_RESET: RefusalReason.EXPIRED,
}

_CODE_REASONS = {
    faults.INVALID_CREDENTIALS: RefusalReason.WRONG_PASSWORD,
    faults.INAPPROPRIATE_AUTHENTICATION: RefusalReason.WRONG_PASSWORD,  # the entry has no password
    faults.INSUFFICIENT_ACCESS_RIGHTS: RefusalReason.WRONG_PASSWORD,  # nobody may bind as this entry
    faults.NO_SUCH_OBJECT: RefusalReason.UNKNOWN_USER,  # gone since the search
    faults.CONSTRAINT_VIOLATION: RefusalReason.LOCKED,  # 389 Directory Server: too many wrong passwords
    faults.UNWILLING_TO_PERFORM: RefusalReason.DISABLED,  # 389 Directory Server: account inactivated
}


def judge_bind(answer: BindAnswer) -> RefusalReason | None:
    """Return why a bind does not sign somebody in; None when it does.

    Raises:
        ResultError: the answer says nothing about the person.
    """
    if answer.policy_fault is not None:
        return _POLICY_REASONS[answer.policy_fault]
    if answer.code == faults.SUCCESS:
        return None
    if answer.code == faults.INVALID_CREDENTIALS and (found := _WINDOWS_REASON.search(answer.text)):
        return _WINDOWS_REASONS.get(found[1].lower(), RefusalReason.WRONG_PASSWORD)
    reason = _CODE_REASONS.get(answer.code)
    if reason is None:
        raise faults.ResultError("the server did not check a password", answer.code, answer.text)
    return reason


def judge_entry(entry: Entry, now: int) -> RefusalReason | None:
    """Return why an account may not be used, by what its entry says; None when it may.

    A lock that ends by itself is taken for one that holds: its length is in the policy, which the entry does not show,
    and the next right password removes it. `judge_signed_in` is for those who have just shown one.
    """
    if entry.text("pwdAccountLockedTime"):
        return RefusalReason.LOCKED
    return judge_signed_in(entry, now)


def judge_signed_in(entry: Entry, now: int) -> RefusalReason | None:
    """Return why an account may not be used although the server accepted its password; None when it may."""
    if entry.text("pwdAccountLockedTime") == _FOR_GOOD:
        return RefusalReason.LOCKED
    flags = _number(entry, "userAccountControl") or 0
    flags |= _number(entry, "msDS-User-Account-Control-Computed") or 0
    if flags & _DISABLED_BIT or entry.text("nsAccountLock").lower() == "true":
        return RefusalReason.DISABLED
    if flags & _LOCKED_BIT:
        return RefusalReason.LOCKED
    if flags & _PASSWORD_EXPIRED_BIT or _is_over(entry, now):
        return RefusalReason.EXPIRED
    return None


def _is_over(entry: Entry, now: int) -> bool:
    """Tell whether the last day of an account has passed."""
    ticks = _number(entry, "accountExpires")
    if ticks is not None and ticks not in _NEVER and ticks // _TICKS + _WINDOWS_EPOCH <= now:
        return True
    days = _number(entry, "shadowExpire")
    # Zero is the first day of 1970, by which administrators say at once; any negative number means never.
    if days is not None and 0 <= days <= now // _DAY:
        return True
    ends_at = _moment(entry.text("pwdEndTime"))
    return ends_at is not None and ends_at <= now


def _number(entry: Entry, name: str) -> int | None:
    """Return an attribute that is a whole number; anything else counts as absent."""
    try:
        return int(entry.text(name))
    except ValueError:
        return None


def _moment(text: str) -> int | None:
    """Read a generalized time in UTC as seconds since the epoch; anything else counts as absent.

    Spec: RFC 4517 3.3.13.
    """
    found = _GENERALIZED_TIME.fullmatch(text)
    if found is None:
        return None
    try:
        moment = datetime.strptime(f"{found[1]}{found[2] or '00'}{found[3] or '00'}", "%Y%m%d%H%M%S")  # noqa: DTZ007 - below
    except ValueError:
        return None
    return int(moment.replace(tzinfo=UTC).timestamp())
