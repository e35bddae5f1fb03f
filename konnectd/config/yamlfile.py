"""YAML files as tables that know in which line everything stands, so that a fault can be found.

The files are written by hand, read once at start and read as YAML 1.1 (``yes`` and ``no`` are booleans). Aliases are
followed within a budget, because a few of them can otherwise stand for billions of values. What the keys mean is not
here.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

import yaml
from attrs import frozen

from konnectd.config.given import LONGEST_FILE
from konnectd.option import ConfigError, ConfigErrors

#: More values than any file within the size limit has without aliases that multiply.
_MOST_NODES = 500_000
_DEEPEST = 30
_NULL = "tag:yaml.org,2002:null"
_BOOL = "tag:yaml.org,2002:bool"
#: What the library repeats of a file, but for its own words in angle brackets and for single characters.
_QUOTED = re.compile(r"""'(?!<)[^']{3,}'|"[^"]{3,}\"""")
_YES = frozenset({"yes", "true", "on", "y"})
_NO = frozenset({"no", "false", "off", "n"})

Node: TypeAlias = yaml.Node


@frozen
class Item:
    """One text in a list, and where it stands."""

    text: str
    source: str


class Table:
    """A mapping in a YAML file; what can not be used becomes a fault in its list, and reads as absent."""

    def __init__(self, pairs: dict[str, Node], name: str, line: int, faults: list[ConfigError], label: str) -> None:
        """Keep its keys; use `read` to get one."""
        self._pairs = pairs
        self._name = name
        self._line = line
        self._faults = faults
        self._label = label
        self._asked: set[str] = set()

    @property
    def source(self) -> str:
        """Where it begins."""
        return f"{self._name}:{self._line}"

    def name(self, label: str) -> None:
        """Say what faults call it from now on."""
        self._label = label

    def fault(self, key: str, problem: str, source: str = "") -> None:
        """Note that something about a key is wrong."""
        node = self._pairs.get(key)
        place = source or (self._place(node) if node is not None else self.source)
        option, words = (self._label, f"{key}: {problem}") if self._label else (key, problem)
        self._faults.append(ConfigError(option, words, place))

    def has(self, key: str) -> bool:
        """Tell whether a key is there and not null."""
        return self._find(key) is not None

    def text(self, key: str) -> str:
        """Return a text as it is spelled, even if it looks like a number; empty if absent."""
        node = self._find(key)
        if node is None:
            return ""
        if not isinstance(node, yaml.ScalarNode):
            self.fault(key, "must be a text")
            return ""
        return str(node.value)

    def number(self, key: str) -> int:
        """Return a whole number; 0 if absent."""
        text = self.text(key)
        if not text:
            return 0
        if not text.removeprefix("-").isdecimal() or len(text) > len("-2147483648"):
            self.fault(key, "must be a whole number")
            return 0
        return int(text)

    def switch(self, key: str) -> bool:
        """Return a yes or no; no if absent."""
        node = self._find(key)
        if node is None:
            return False
        word = str(node.value).lower() if isinstance(node, yaml.ScalarNode) and not node.style else ""
        if word in _YES:
            return True
        if word not in _NO:
            self.fault(key, "must be yes or no, without quotes")
        return False

    def items(self, key: str) -> tuple[Item, ...]:
        """Return a list of texts; empty if absent."""
        node = self._find(key)
        if node is None:
            return ()
        if not isinstance(node, yaml.SequenceNode):
            self.fault(key, "must be a list")
            return ()
        if not all(isinstance(item, yaml.ScalarNode) and item.value and item.tag != _NULL for item in node.value):
            self.fault(key, "must be a list of texts")
            return ()
        return tuple(Item(item.value, self._place(item)) for item in node.value)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts without their places; empty if absent."""
        return tuple(item.text for item in self.items(key))

    def table(self, key: str) -> "Table":
        """Return a mapping; empty if absent."""
        node = self._find(key)
        if node is None:
            return Table({}, self._name, self._line, self._faults, self._label)
        return self._table(node, key)

    def tables(self, key: str) -> tuple["Table", ...]:
        """Return a list of mappings; empty if absent."""
        node = self._find(key)
        if node is None:
            return ()
        if not isinstance(node, yaml.SequenceNode):
            self.fault(key, "must be a list")
            return ()
        return tuple(self._table(item, key) for item in node.value)

    def plain(self, key: str) -> object:
        """Return what YAML makes of a key's value, as a fresh tree without sharing; None if absent."""
        node = self._find(key)
        return None if node is None else _plain(node)

    def __iter__(self) -> Iterator[str]:
        """Iterate over all keys in the order of the file."""
        return iter(self._pairs)

    def unknown(self) -> Iterator[Item]:
        """Yield the keys nobody asked for, and where they stand."""
        for key, node in self._pairs.items():
            if key not in self._asked:
                yield Item(key, self._place(node))

    def _find(self, key: str) -> Node | None:
        """Return the value of a key; None if absent or null."""
        self._asked.add(key)
        node = self._pairs.get(key)
        return None if node is None or node.tag == _NULL else node

    def _table(self, node: Node, key: str) -> "Table":
        """Make a table of a value."""
        line = _line(node)
        if node.tag == _NULL:
            return Table({}, self._name, line, self._faults, self._label)
        if not isinstance(node, yaml.MappingNode):
            self.fault(key, "must be made of key: value", self._place(node))
            return Table({}, self._name, line, self._faults, self._label)
        pairs = _pairs(node, self._name, self._faults)
        return Table(pairs, self._name, line, self._faults, self._label)

    def _place(self, node: Node) -> str:
        """Return where a value stands."""
        return f"{self._name}:{_line(node)}"


def read(path: Path, option: str, faults: list[ConfigError]) -> Table:
    """Read a YAML file whose outermost value is a mapping; an empty file is an empty one.

    Args:
        path: the file.
        option: the option that names it.
        faults: gets what is wrong in the file, now and when the table is used.

    Raises:
        ConfigErrors: it can not be read as YAML at all.
    """
    name = str(path)
    node = _compose(_content(path, option), option, name)
    if node is None:
        return Table({}, name, 1, faults, "")
    _check_size(node, option, name)
    if not isinstance(node, yaml.MappingNode):
        raise ConfigErrors([ConfigError(option, "must be made of key: value", f"{name}:{_line(node)}")])
    return Table(_pairs(node, name, faults), name, 1, faults, "")


def _content(path: Path, option: str) -> str:
    """Return the text of a file."""
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST_FILE + 1)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise ConfigErrors([ConfigError(option, f"{path} can not be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise ConfigErrors([ConfigError(option, f"{path} is not UTF-8 text")]) from error
    if len(content) > LONGEST_FILE:
        raise ConfigErrors([ConfigError(option, f"{path} is larger than {LONGEST_FILE} bytes")])
    return text


def _compose(text: str, option: str, name: str) -> Node | None:
    """Read YAML as nodes that know their lines."""
    try:
        _check_depth(text, option, name)
        node: Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{name}:{mark.line + 1}" if mark is not None else name
        raise ConfigErrors([ConfigError(option, f"is not YAML: {_problem(error)}", place)]) from error
    except yaml.YAMLError as error:
        raise ConfigErrors(
            [ConfigError(option, "is not YAML: it has characters that are not allowed", name)]
        ) from error
    return None if node is not None and node.tag == _NULL else node


def _problem(error: yaml.MarkedYAMLError) -> str:
    """Return what is wrong, without what stands there: a secret that begins like something else in YAML."""
    problem = _QUOTED.sub("something", error.problem or error.context or "")
    if _QUOTED.search(error.problem or ""):
        problem += "; what begins with one of * & ! has to stand in quotes"
    return problem


def _check_depth(text: str, option: str, name: str) -> None:
    """Refuse nesting that would exhaust the stack when it is read."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            place = f"{name}:{event.start_mark.line + 1}" if event.start_mark is not None else name
            raise ConfigErrors([ConfigError(option, "is nested too deeply", place)])


def _check_size(root: Node, option: str, name: str) -> None:
    """Refuse aliases that multiply, or that lead into themselves."""
    left = [root]
    for _ in range(_MOST_NODES):
        if not left:
            return
        left += _children(left.pop())
    raise ConfigErrors([ConfigError(option, "has aliases that multiply beyond measure", name)])


def _children(node: Node) -> Iterable[Node]:
    """Return the values directly in a value."""
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return node.value if isinstance(node, yaml.SequenceNode) else ()


def _pairs(node: yaml.MappingNode, name: str, faults: list[ConfigError]) -> dict[str, Node]:
    """Return the pairs of a mapping, with those it merges in; a key that stands there twice is a fault."""
    own: dict[str, Node] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            faults.append(ConfigError("key", "must be a text", f"{name}:{_line(key)}"))
        elif key.value in own:
            faults.append(ConfigError(key.value, "stands here twice", f"{name}:{_line(key)}"))
        else:
            own[key.value] = value
    merged = own.pop("<<", None)
    if merged is None:
        return own
    sources = merged.value if isinstance(merged, yaml.SequenceNode) else [merged]
    found: dict[str, Node] = {}
    for source in reversed(sources):
        if isinstance(source, yaml.MappingNode):
            found.update(_pairs(source, name, faults))
        else:
            faults.append(ConfigError("<<", "can only take in mappings", f"{name}:{_line(node)}"))
    return {**found, **own}


def _plain(node: Node) -> object:
    """Return text, booleans, lists and dictionaries; nothing else has a place in JSON Web Keys."""
    if isinstance(node, yaml.MappingNode):
        return {key: _plain(value) for key, value in _pairs(node, "", []).items()}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item) for item in node.value]
    if node.tag == _NULL:
        return None
    return node.value.lower() in _YES if node.tag == _BOOL else str(node.value)


def _line(node: Node) -> int:
    """Return the line a value begins in."""
    return int(node.start_mark.line) + 1
