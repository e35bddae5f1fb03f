"""The numbers of the wire: result codes, capabilities, flags and property tags.

Only those that the stand-in itself gives or looks at are here. It has a list of its own, so that a mistake in the list
of the client is seen.
"""

SUCCESS = 0
NOT_FOUND = 0x80000002
LOGON_FAILED = 0x80000009
END_OF_SESSION = 0x80000010
INVALID_PARAMETER = 0x80000014
INVALID_ENTRYID = 0x80000016
INVALID_VERSION = 0x80000021
BAD_CHARWIDTH = 0x80000031

#: Session ids of 64 bits; without it they have 32.
CAPABILITY_LARGE_SESSION_ID = 0x0010
#: What makes answers chunked.
CAPABILITY_ENHANCED_ICS = 0x0100
CAPABILITY_UNICODE = 0x0200
#: What the server can do, whoever asks.
SERVER_CAPABILITIES = 39080
#: What it says of a client's capabilities, if the client has them: multi-server entry ids, enhanced ICS, unicode.
ECHOED_CAPABILITIES = 0x0040 | CAPABILITY_ENHANCED_ICS | CAPABILITY_UNICODE

#: Who is at the other end of the socket does not matter.
FLAG_NO_PEER = 0x0001
#: Only look whether it would work.
FLAG_NO_SESSION = 0x0002

VERSION = "0,11,0,2"
SERVER_GUID = "UOS6KIvlQvO0g8nk+K27ZQ=="
#: Clients of an older major version are sent away.
LEAST_MAJOR = 6

TAG_DISPLAY_NAME = 0x3001001E
TAG_ACCOUNT = 0x3A00001E
TAG_SMTP_ADDRESS = 0x39FE001E
TAG_GIVEN_NAME = 0x3A06001E
TAG_SURNAME = 0x3A11001E
TAG_TELEPHONE = 0x3A1A001E
TAG_ENTRY_ID = 0x0FFF0102
TAG_OBJECT_TYPE = 0x0FFE0003
TAG_ENABLED_FEATURES = 0x67B3101E
TAG_DISABLED_FEATURES = 0x67B4101E
#: The type of a property that is not there; it stands in the lower half of its tag.
TYPE_ERROR = 0x000A

CLASS_ACTIVE_USER = 65537
CLASS_ROOM = 65539
