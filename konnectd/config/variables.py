"""Environment variables that somebody may believe in although they have no effect."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from konnectd.config.given import Given, Names

#: How variables begin that look like options: ours and Konnect's, those of a library in there, and lico's.
_PREFIXES = ("KONNECTD_", "KCC_GO_", "LICOD_", "LIBREGRAPH_")
#: What looks like one but is made by Kubernetes for a service of our name, or belongs to Konnect's container image.
_NOT_OPTIONS = re.compile(r"[A-Z]+_(?:(?:.*_)?(?:SERVICE_HOST|SERVICE_PORT|PORT)(?:_.*)?|DOCKER_.*|USER|GROUP)")
#: By these Konnect, as other programs in Go, found a proxy on its way out.
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
#: Further ones for a program in Go, and for any process; Konnect's configuration file was its environment.
_OF_A_PROCESS = re.compile(r"KCC_GO_[A-Z_]+|GO[A-Z]+|LANG|LC_[A-Z]+|TZ")


def are_nobodys(key: str) -> bool:
    """Tell whether a line of the file was a variable for another process, and none that has an effect here."""
    return key in _PROXIES or _OF_A_PROCESS.fullmatch(key) is not None


def doubts(
    environ: Mapping[str, str], lines: Iterable[Given], known: Names, owner: Callable[[str], str | None]
) -> Iterator[str]:
    """Yield what to say about variables.

    Args:
        environ: all of them.
        lines: of the file.
        known: the options that there are.
        owner: whose an option is that is not among them, by its name; None for nobody's.
    """
    for name in sorted(environ):
        if not name.startswith(_PREFIXES) or _NOT_OPTIONS.fullmatch(name) or known.find_key(name) is not None:
            continue
        if owner(name.partition("_")[2]) is None:
            yield f"the environment variable {name} is not an option"
    for name in _PROXIES:
        if environ.get(name):
            yield f"the environment variable {name} has no effect: other servers are asked without a proxy"
    for line in lines:
        if are_nobodys(line.name):
            yield f"{line.source}: {line.name} has no effect: the file is no environment"
