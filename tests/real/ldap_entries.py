"""The people and groups of the real directory, as LDIF."""

from base64 import b64encode

from tests.real.slapd import BASE, PEOPLE, SERVICE_DN, SERVICE_PASSWORD

GROUPS = f"ou=groups,{BASE}"

#: The bytes of an objectGUID, and how they are shown.
GUID = bytes.fromhex("00112233445566778899aabbccddeeff")

#: A user name made of everything that means something in a filter.
ODD_NAME = "a*(b)\\"

PPOLICY = f"ppolicy_default cn=lenient,ou=policies,{BASE}\nppolicy_use_lockout"


def _entry(dn: str, *lines: str) -> str:
    """Return one entry."""
    return "\n".join((f"dn:: {b64encode(dn.encode()).decode()}", *lines)) + "\n"


def _value(name: str, value: str | bytes) -> str:
    """Return a line for any value."""
    content = value.encode() if isinstance(value, str) else value
    return f"{name}:: {b64encode(content).decode()}"


def person(rdn: str, name: str, password: str, *lines: str, parent: str = PEOPLE, classes: tuple[str, ...] = ()) -> str:
    """Return a person."""
    more = [f"objectClass: {one}" for one in classes]
    return _entry(
        f"{rdn},{parent}",
        "objectClass: inetOrgPerson",
        *more,
        _value("uid", name),
        _value("cn", name.title()),
        _value("sn", name.title()),
        f"userPassword: {password}",
        *lines,
    )


def _unit(name: str, parent: str = BASE) -> str:
    """Return an organizational unit."""
    return _entry(f"ou={name},{parent}", "objectClass: organizationalUnit", f"ou: {name}")


def _policy(name: str, *lines: str) -> str:
    """Return a password policy."""
    dn = f"cn={name},ou=policies,{BASE}"
    return _entry(
        dn, "objectClass: namedPolicy", "objectClass: pwdPolicy", f"cn: {name}", "pwdAttribute: userPassword", *lines
    ).replace("namedPolicy", "device")


def _group(name: str, *members: str) -> str:
    """Return a group that lists members by DN."""
    lines = [_value("member", member) for member in members]
    return _entry(f"cn={name},{GROUPS}", "objectClass: groupOfNames", f"cn: {name}", *lines)


ENTRIES = "\n".join(
    (
        _entry(BASE, "objectClass: domain", "dc: example"),
        _entry(
            SERVICE_DN,
            "objectClass: device",
            "objectClass: simpleSecurityObject",
            "cn: konnectd",
            f"userPassword: {SERVICE_PASSWORD}",
        ),
        _unit("people"),
        _unit("elsewhere", PEOPLE),
        # A reference to another server, which every search for people meets and none may follow.
        _entry(
            f"cn=away,{PEOPLE}",
            "objectClass: referral",
            "objectClass: extensibleObject",
            "cn: away",
            "ref: ldap://127.0.0.1:1/",
        ),
        _unit("groups"),
        _unit("policies"),
        _policy("lenient"),
        _policy("strict", "pwdLockout: TRUE", "pwdMaxFailure: 2", "pwdLockoutDuration: 0"),
        _policy("old", "pwdMaxAge: 60"),
        _policy("reset", "pwdMustChange: TRUE"),
        person(
            "uid=alice",
            "alice",
            "wonderland",
            "mail: alice@example.org",
            "givenName: Alice",
            "uidNumber: 1001",
            "gidNumber: 1",
            "homeDirectory: /",
            "telephoneNumber: +44 1865 276150",
            "preferredLanguage: en-GB, de;q=0.5",
            "postalAddress: Christ Church $ Oxford",
            "l: Oxford",
            f"memberOf: cn=readers,{GROUPS}",
            f"memberOf: cn=Inner\\, Circle,{GROUPS}",
            classes=("posixAccount",),
        ),
        person("uid=bob", "bob", "builder", "mail: bob@example.org"),
        person("uid=jürgen", "jürgen", "straße"),
        person("uid=a*(b)\\5C", ODD_NAME, "odd"),
        person('cn=Doe\\, Jane \\+ \\"X\\" \\#1', "jane", "comma", 'cn: Doe, Jane + "X" #1'),
        person("uid=twin", "twin", "one"),
        person("uid=twin", "twin", "two", parent=f"ou=elsewhere,{PEOPLE}"),
        person(
            "uid=windows",
            "windows",
            "gates",
            "userAccountControl: 512",
            "sAMAccountName: Windows",
            _value("objectGUID", GUID),
            "accountExpires: 9223372036854775807",
            classes=("windowsAccount",),
        ),
        person("uid=disabled", "disabled", "pw", "userAccountControl: 514", classes=("windowsAccount",)),
        person("uid=expired", "expired", "pw", "shadowExpire: 1", classes=("shadowAccount",)),
        person("uid=locky", "locky", "right", f"pwdPolicySubentry: cn=strict,ou=policies,{BASE}"),
        person(
            "uid=stale",
            "stale",
            "pw",
            f"pwdPolicySubentry: cn=old,ou=policies,{BASE}",
            "pwdChangedTime: 20200101000000Z",
        ),
        person("uid=fresh", "fresh", "pw", f"pwdPolicySubentry: cn=reset,ou=policies,{BASE}", "pwdReset: TRUE"),
        _group("readers", f"uid=alice,{PEOPLE}", f"uid=bob,{PEOPLE}"),
        _group("Inner\\, Circle", f"uid=alice,{PEOPLE}").replace("cn: Inner\\, Circle", "cn: Inner, Circle"),
        _group("library", f"cn=readers,{GROUPS}", f"cn=ring,{GROUPS}"),
        _group("ring", f"cn=library,{GROUPS}"),
        _group("strangers", f"uid=jürgen,{PEOPLE}"),
        _entry(f"cn=posix,{GROUPS}", "objectClass: posixGroup", "cn: posix", "gidNumber: 5", "memberUid: alice"),
    )
)
