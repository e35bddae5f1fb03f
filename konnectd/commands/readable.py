"""Whether the user of the daemon can read what is there for it, found out by trying as that user.

Nothing is concluded from modes, because lists of access rights count as well.
"""

import os
import pwd
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from konnectd.config.safe_folder import Owner


def find_obstacles(paths: Iterable[Path], user: Owner) -> tuple[Path, ...]:
    """Return what keeps a user from reading files and folders: one of them, or a folder on the way to it.

    Only root can find out; for anybody else there is no obstacle.

    Args:
        paths: absolute; what is not there is no obstacle.
        user: who has to read them.
    """
    if os.geteuid() != 0:
        return ()
    # Links are followed as root; the user may not even see where they lead.
    ways = [(*reversed(path.parents), *reversed(real.parents), real) for path, real in map(_followed, paths)]
    with _acting_as(user):
        found = [_obstacle(way) for way in ways]
    return tuple(dict.fromkeys(place for place in found if place is not None))


def _followed(path: Path) -> tuple[Path, Path]:
    """Return a path, and where it leads in the end."""
    return path, Path(os.path.realpath(path))


def _obstacle(way: tuple[Path, ...]) -> Path | None:
    """Return the first folder on a way that can not be entered, or its end if that can not be read."""
    end = way[-1]
    for place in way:
        wanted = (os.X_OK if place.is_dir() else 0) | (os.R_OK if place == end else 0)
        if not os.access(place, wanted, effective_ids=True) and place.exists():
            return place
    return None


@contextmanager
def _acting_as(user: Owner) -> Iterator[None]:
    """Have the rights of a user meanwhile, and no others."""
    groups = os.getgroups()
    os.setgroups(_groups_of(user))
    os.setegid(user.gid)
    os.seteuid(user.uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def _groups_of(user: Owner) -> list[int]:
    """Return the groups of a user; of one without a name, the one that is known."""
    try:
        return os.getgrouplist(pwd.getpwuid(user.uid).pw_name, user.gid)
    except KeyError:
        return [user.gid]
