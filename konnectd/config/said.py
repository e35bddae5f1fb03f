"""What the operator said when the daemon was started, to read it again: words, environment, and what to assume."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import field, frozen

from konnectd.config.given import Given


@frozen(kw_only=True)
class Said:
    """The arguments of `konnectd.config.settings.survey`, as they were.

    Attributes:
        argv: the words after ``serve``.
        environ: a copy, as the variables of a process may change.
        defaults: what counts where nobody said anything.
        place: where the configuration file was named, if it was.
    """

    argv: Sequence[str] = field(default=(), repr=False)
    environ: Mapping[str, str] = field(factory=dict, repr=False)
    defaults: Sequence[Given] = ()
    place: Sequence[Given] = ()

    @property
    def file(self) -> Path | None:
        """The configuration file; None where nobody named one."""
        return Path(self.place[0].text) if self.place else None
