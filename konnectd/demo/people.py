"""Who can sign in to the demo when nobody brings a backend of their own."""

from attrs import field, frozen

from konnectd.backends.file import FileUser
from konnectd.protocol.end_user import EndUser


@frozen(kw_only=True)
class Person:
    """Somebody made up, whose password everybody may know.

    Attributes:
        password: shown on the first page.
        password_hash: of the password; made in advance so that the demo starts at once.
    """

    end_user: EndUser
    password: str = field(repr=False)
    password_hash: str = field(repr=False)

    @property
    def file_user(self) -> FileUser:
        """The entry the ``file`` backend has of them."""
        return FileUser(self.end_user, self.password_hash)


PEOPLE: tuple[Person, ...] = (
    Person(
        end_user=EndUser(
            user_id="alice",
            subject="alice",
            username="alice",
            name="Alice Liddell",
            given_name="Alice",
            family_name="Liddell",
            email="alice@example.com",
            email_verified=True,
            groups=("readers", "tea-party"),
            further={
                "nickname": "Al",
                "locale": "en-GB",
                "phone_number": "+44 1865 276150",
                "phone_number_verified": False,
                "address": {"street_address": "Christ Church", "locality": "Oxford", "country": "UK"},
            },
        ),
        password="wonderland",
        password_hash="$argon2id$v=19$m=19456,t=2,p=1$P0A97XZhpTSaF27PB58HEw$Kj3GFMriKZxhVCmI5vtLWCvkrsH5D3uEWygvTdXeN+E",
    ),
    Person(
        end_user=EndUser(
            user_id="bob",
            subject="bob",
            username="bob",
            name="Bob Baumeister",
            given_name="Bob",
            family_name="Baumeister",
            email="bob@example.com",
            groups=("builders",),
        ),
        password="builder",
        password_hash="$argon2id$v=19$m=19456,t=2,p=1$Lcw/NQoNPkgf6tBVmnGcOw$k485mufhTjqrfKCei04ZtIOwLwstmpOp0YTUmiQ5sf0",
    ),
)
