"""Whether the clock of the day is believed."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.course import TOLERANCE, Course

NOW = 1_700_000_000
HOUR = 3600
PATIENCE = 25 * HOUR
BEGUN = Course(wall=NOW, steady=10.0)


def looked(course: Course, *looks: tuple[int, int]) -> Course:
    """Follow looks, each some seconds after the start: by the clock of the day, and by the steady one."""
    for wall, steady in looks:
        course = course.follow(NOW + wall, 10.0 + steady, PATIENCE)
    return course


class CourseTests(SynchronousTestCase):
    """A clock that goes, or jumps."""

    def test_alike(self) -> None:
        """Clocks that go alike are believed, corrections included."""
        self.assertTrue(looked(BEGUN, (HOUR, HOUR), (2 * HOUR + TOLERANCE, 2 * HOUR)).believed)

    def test_row_28_forward(self) -> None:
        """A clock that was set forward is not, and it is known by how much."""
        found = looked(BEGUN, (HOUR, HOUR), (100 * HOUR, 2 * HOUR))

        self.assertEqual((found.believed, found.lead), (False, 98 * HOUR))

    def test_row_28_patience(self) -> None:
        """It is believed again when it has stood by that for long enough, and not a second before."""
        doubted = looked(BEGUN, (100 * HOUR, HOUR))
        late = PATIENCE + HOUR

        self.assertFalse(looked(doubted, (late + 99 * HOUR - 1, late - 1)).believed)
        self.assertTrue(looked(doubted, (late + 99 * HOUR, late)).believed)

    def test_set_right_again(self) -> None:
        """Set back to what it was, it is believed at once."""
        self.assertTrue(looked(BEGUN, (100 * HOUR, HOUR), (2 * HOUR, 2 * HOUR)).believed)

    def test_back(self) -> None:
        """A clock that was set back is believed: it makes things late, and not early."""
        self.assertTrue(looked(BEGUN, (-100 * HOUR, HOUR)).believed)

    def test_row_28_again(self) -> None:
        """Each further jump is doubted anew."""
        doubted = looked(BEGUN, (100 * HOUR, HOUR), (24 * HOUR + 99 * HOUR + 500 * HOUR, 24 * HOUR))

        self.assertFalse(looked(doubted, (PATIENCE + HOUR + 599 * HOUR, PATIENCE + HOUR)).believed)

    @settings(deadline=None, max_examples=200)
    @given(st.lists(st.tuples(st.integers(1, 30 * HOUR), st.integers(-1000 * HOUR, 1000 * HOUR)), max_size=30))
    def test_nothing_is_hurried(self, looks: list[tuple[int, int]]) -> None:
        """A clock that is believed has gained no more than the tolerance since it was believed last, or long ago."""
        course, steady, offset = BEGUN, 0, 0
        believed, gained_at = offset, 0
        for pause, jump in looks:
            steady, offset = steady + pause, offset + jump
            gained_at = steady if jump > TOLERANCE else gained_at
            course = course.follow(NOW + steady + offset, 10.0 + steady, PATIENCE)
            if course.believed:
                self.assertTrue(offset - believed <= TOLERANCE or steady - gained_at >= PATIENCE)
                believed = offset
