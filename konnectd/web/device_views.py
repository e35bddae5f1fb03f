"""What the pages for devices show: the code, what the device asks for, and that it is decided."""

from enum import StrEnum
from typing import ClassVar

from attrs import field, frozen

from konnectd.web.views import Account, ScopeLine, View


class DeviceFault(StrEnum):
    """Why the code has to be typed once more."""

    UNKNOWN = "unknown"
    TOO_MANY_TRIES = "too_many_tries"


@frozen(kw_only=True)
class DeviceCodePage:
    """The form for the code that a device shows; posts ``user_code`` and ``csrf``.

    Attributes:
        user_code: what is in the field already; nothing happens before somebody has looked at it.
        fault: why the form is shown again.
    """

    template: ClassVar[str] = "device_code.html"

    action: str
    csrf: str = field(repr=False)
    display_name: str = ""
    username: str
    user_code: str = field(default="", repr=False)
    fault: DeviceFault | None = None

    @property
    def account(self) -> Account:
        """Who is asked."""
        return Account(self.username, self.display_name)


@frozen(kw_only=True)
class DevicePage:
    """What a device asks for; posts ``allow`` or ``deny``, and ``csrf``.

    Attributes:
        user_code: to be compared with what the device shows.
        lines: what is asked for, the most important first.
    """

    template: ClassVar[str] = "device.html"

    action: str
    csrf: str = field(repr=False)
    client_name: str
    user_code: str = field(repr=False)
    display_name: str = ""
    username: str
    lines: tuple[ScopeLine, ...]

    @property
    def account(self) -> Account:
        """Who is asked."""
        return Account(self.username, self.display_name)


@frozen(kw_only=True)
class DeviceDonePage:
    """That a device may go on, or may not."""

    template: ClassVar[str] = "device_done.html"

    allowed: bool


#: The pages of this module; their templates are checked against their fields at start.
VIEWS: tuple[type[View], ...] = (DeviceCodePage, DevicePage, DeviceDonePage)
