"""Bytes to and from Redis."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.stores._redis_wire import LONGEST_LINE, LONGEST_VALUE, ErrorReply, Replies, Reply, WireError, command

#: A reply and how it is written.
REPLIES: tuple[tuple[bytes, Reply], ...] = (
    (b"+OK\r\n", b"OK"),
    (b"+\r\n", b""),
    (b":0\r\n", 0),
    (b":-2\r\n", -2),
    (b":9223372036854775807\r\n", (1 << 63) - 1),
    (b"$-1\r\n", None),
    (b"$0\r\n\r\n", b""),
    (b"$8\r\n:1\r\n$-1\r\r\n", b":1\r\n$-1\r"),
    (b"$3\r\n\xff\x00\n\r\n", b"\xff\x00\n"),
    (b"-OOM command not allowed when used memory > 'maxmemory'.\r\n", ErrorReply("OOM")),
    (b"-WRONGPASS\r\n", ErrorReply("WRONGPASS")),
    (b"-\r\n", ErrorReply("ERR")),
    (b"-\xff\xfe secret\r\n", ErrorReply("ERR")),
    (b"-s3cret is wrong\r\n", ErrorReply("ERR")),
)
#: What is no reply that may come here.
WRONG = (
    b"*1\r\n$1\r\na\r\n",
    b"*-1\r\n",
    b"_\r\n",
    b"#t\r\n",
    b"HTTP/1.1 400 Bad Request\r\n",
    b"\r\n",
    b":\r\n",
    b": 1\r\n",
    b":1_0\r\n",
    b":+1\r\n",
    b":--1\r\n",
    b":99999999999999999999\r\n",
    b":\xc2\xb2\r\n",
    b"$-2\r\n",
    b"$a\r\n",
    b"$%d\r\n" % (LONGEST_VALUE + 1),
    b"$1\r\nabc\r\n",
    b"+" + b"a" * LONGEST_LINE,
)


class WriteTests(SynchronousTestCase):
    """Commands."""

    def test_command(self) -> None:
        """A command is its words with their lengths, so that no word can be taken for another command."""
        self.assertEqual(command(b"SET", b"a\r\n", b""), b"*3\r\n$3\r\nSET\r\n$3\r\na\r\n\r\n$0\r\n\r\n")


class ReadTests(SynchronousTestCase):
    """Replies."""

    def test_replies(self) -> None:
        """Each kind of reply is read as what it is."""
        for content, expected in REPLIES:
            with self.subTest(content=content):
                (found,) = Replies().feed(content)
                self.assertEqual((found, type(found)), (expected, type(expected)))

    def test_what_an_error_repeats_is_not_kept(self) -> None:
        """Redis quotes commands it does not know, and with them codes and names; nothing of that stays."""
        (found,) = Replies().feed(b"-ERR unknown command 'GETDEL', with args beginning with: 'code:secret'\r\n")

        self.assertEqual(found, ErrorReply("ERR"))

    def test_wrong(self) -> None:
        """What is none of them is refused, whatever its length says."""
        for content in WRONG:
            with self.subTest(content=content[:40]), self.assertRaises(WireError):
                Replies().feed(content)

    def test_longest(self) -> None:
        """The longest value is taken, and waited for."""
        replies = Replies()
        before = replies.feed(b"$%d\r\n" % LONGEST_VALUE + b"a" * LONGEST_VALUE)

        self.assertEqual((before, replies.feed(b"\r\n")), ([], [b"a" * LONGEST_VALUE]))

    @settings(deadline=None)
    @given(st.lists(st.sampled_from(REPLIES), max_size=12), st.lists(st.integers(1, 40), max_size=40))
    def test_in_pieces(self, chosen: list[tuple[bytes, Reply]], sizes: list[int]) -> None:
        """However bytes are cut into pieces, the same replies come out, each once and in order."""
        content, replies, found = b"".join(written for written, _ in chosen), Replies(), []
        for size in (*sizes, len(content) + 1):
            found += replies.feed(content[:size])
            content = content[size:]

        self.assertEqual(found, [reply for _, reply in chosen])

    @settings(deadline=None)
    @given(st.binary(max_size=200))
    def test_any_bytes(self, content: bytes) -> None:
        """Whatever a server sends is replies, the beginning of one, or refused."""
        try:
            found = Replies().feed(content)
        except WireError:
            return
        self.assertLessEqual(len(found), len(content))
