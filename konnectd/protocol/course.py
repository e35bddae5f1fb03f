"""Whether the clock of the day can be believed: it is held against one that nobody sets.

Both go alike, but for corrections of some seconds. When the clock of the day is set forward, either it was wrong before
or it is now, and nobody can tell which. What must not happen too early therefore waits until the clock has stood by it
for some time. A clock that is set back makes things late, and is believed at once.
"""

from attrs import evolve, frozen

#: By how much the two may differ between two looks, in seconds: corrections, and how long a look may be held up.
TOLERANCE = 120


@frozen(kw_only=True)
class Course:
    """How the clock of the day has gone.

    Attributes:
        wall: the clock of the day at the last look at which it was believed, in seconds since the epoch.
        steady: the clock that nobody sets, at the same moment, in seconds since whenever.
        lead: by how much the clock of the day is ahead of what was expected, in seconds; 0 when it is believed.
        doubted_at: since when, by the steady clock.
    """

    wall: int
    steady: float
    lead: int = 0
    doubted_at: float = 0.0

    @property
    def believed(self) -> bool:
        """Whether the clock of the day shows what was expected, or has stood by something else for long enough."""
        return self.lead == 0

    def follow(self, wall: int, steady: float, patience: int) -> "Course":
        """Look at both clocks again.

        Args:
            wall: the clock of the day.
            steady: the one that nobody sets.
            patience: for how many seconds a clock that was set forward is doubted.
        """
        lead = wall - self.wall - int(steady - self.steady)
        if lead <= TOLERANCE:
            return Course(wall=wall, steady=steady)
        if self.believed or abs(lead - self.lead) > TOLERANCE:
            return evolve(self, lead=lead, doubted_at=steady)
        if steady - self.doubted_at >= patience:
            return Course(wall=wall, steady=steady)
        return self
