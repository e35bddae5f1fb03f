"""Rules about source text, as functions from a module to the places that break them.

They are rules of the house that no linter knows. `tests.test_architecture` holds the code against them,
`tests.test_source_rules` holds them against code that is wrong.
"""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from attrs import frozen

MOST_LINES = 400
MOST_FUNCTION_LINES = 40
FORBIDDEN_WORDS = frozenset(
    ("manager", "handler", "helper", "util", "utils", "common", "misc", "engine", "processor", "info", "data", "obj")
)
FORBIDDEN_STARTS = ("do_", "process_")
#: Fields whose name ends in one of these words carry something that must not be shown.
SECRET_WORDS = frozenset(
    ("secret", "secrets", "password", "passphrase", "token", "tokens", "code", "key", "keys", "csrf")
)
#: A field of another type may be about a secret, such as a flow or a path, but it is none.
SECRET_TYPES = re.compile(r"\b(str|bytes|object|Any|Mapping|dict|\w*Key)\b")
#: The specification spells it as two words.
SPECIFIED = "UserInfo"

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Documented: TypeAlias = ast.Module | ast.ClassDef | FunctionNode


@frozen
class Module:
    """One Python file.

    Attributes:
        name: its path below the folder that was searched, such as ``protocol/token.py``.
        text: what is in it.
    """

    name: str
    text: str

    @property
    def tree(self) -> ast.Module:
        """The parsed text."""
        return ast.parse(self.text)

    @property
    def layer(self) -> str:
        """The folder or, at the top, the file it stands for: a row of the import table."""
        return Path(self.name).parts[0].removesuffix(".py")


Rule: TypeAlias = Callable[[Module], Iterator[str]]


def modules_below(root: Path) -> tuple[Module, ...]:
    """Read all Python files below a folder."""
    return tuple(
        Module(str(path.relative_to(root)), path.read_text(encoding="utf-8")) for path in sorted(root.rglob("*.py"))
    )


def imported_names(module: Module) -> Iterator[str]:
    """Yield the dotted names a module imports, wherever in it; ``from a import b`` is ``a.b``."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names)


def relative_imports(module: Module) -> Iterator[str]:
    """Yield imports that do not say where from."""
    yield from (f"{module.name}: relative import {name}" for name in imported_names(module) if name.startswith("."))


def star_imports(module: Module) -> Iterator[str]:
    """Yield imports that do not say what."""
    yield from (f"{module.name}: star import {name}" for name in imported_names(module) if name.endswith(".*"))


def assert_statements(module: Module) -> Iterator[str]:
    """Yield ``assert`` statements, which ``python -O`` removes."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Assert):
            yield f"{module.name}:{node.lineno}: assert"


def coroutines(module: Module) -> Iterator[str]:
    """Yield ``async def``, which has no place in the pure layer."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.AsyncFunctionDef):
            yield f"{module.name}:{node.lineno}: async def {node.name}"


def long_files(module: Module) -> Iterator[str]:
    """Yield a file that has more than one idea, going by its length."""
    count = len(module.text.splitlines())
    if count > MOST_LINES:
        yield f"{module.name}: {count} lines, more than {MOST_LINES}"


def long_functions(module: Module) -> Iterator[str]:
    """Yield functions that are too long, their docstrings not counted."""
    for node in functions(module):
        count = (node.end_lineno or node.lineno) - node.lineno + 1 - docstring_lines(node)
        if count > MOST_FUNCTION_LINES:
            yield f"{module.name}:{node.lineno}: {node.name} has {count} lines, more than {MOST_FUNCTION_LINES}"


def functions(module: Module) -> Iterator[FunctionNode]:
    """Yield all functions, inner ones too."""
    for node in ast.walk(module.tree):
        if isinstance(node, FunctionNode):
            yield node


def docstring_lines(node: FunctionNode) -> int:
    """Count the lines of a function's docstring."""
    first = node.body[0]
    if ast.get_docstring(node, clean=False) is None:
        return 0
    return (first.end_lineno or first.lineno) - first.lineno + 1


def undocumented(module: Module) -> Iterator[str]:
    """Yield public modules, classes and functions without a docstring."""
    if ast.get_docstring(module.tree) is None:
        yield f"{module.name}: no docstring"
    for node in public_below(module.tree):
        if ast.get_docstring(node) is None and not is_described_by_its_class(node):
            yield f"{module.name}:{node.lineno}: {node.name} has no docstring"


def public_below(node: ast.Module | ast.ClassDef) -> Iterator[ast.ClassDef | FunctionNode]:
    """Yield public classes and functions and, of public classes, their public members."""
    for child in node.body:
        if isinstance(child, ast.ClassDef | FunctionNode) and not child.name.startswith("_"):
            yield child
            if isinstance(child, ast.ClassDef):
                yield from public_below(child)


def is_described_by_its_class(node: ast.ClassDef | FunctionNode) -> bool:
    """Whether it is a property of a Protocol: the class says under Attributes what it is."""
    return (
        isinstance(node, FunctionNode)
        and [ast.unparse(decorator) for decorator in node.decorator_list] == ["property"]
        and ast.unparse(node.body[-1]) == "..."
    )


def shown_secrets(module: Module) -> Iterator[str]:
    """Yield fields of attrs classes that carry a secret and show it when printed."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef) and hides_nothing(node):
            for item in node.body:
                if isinstance(item, ast.AnnAssign) and is_secret(item) and "repr=False" not in ast.unparse(item):
                    yield f"{module.name}: {node.name}.{ast.unparse(item.target)}"


def hides_nothing(node: ast.ClassDef) -> bool:
    """Whether it is an attrs class that prints its fields."""
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    return any(
        re.match(r"(attrs\.)?(frozen|define|mutable)\b", text) and "repr=False" not in text for text in decorators
    )


def is_secret(item: ast.AnnAssign) -> bool:
    """Whether a field carries a secret, going by the last word of its name and by its type."""
    name = ast.unparse(item.target).strip("_")
    secret = name.split("_")[-1] in SECRET_WORDS or name.endswith("token_hint")
    return secret and SECRET_TYPES.search(ast.unparse(item.annotation)) is not None


def constructions(module: Module, name: str) -> Iterator[str]:
    """Yield the places where a class is called, in its own methods also as ``cls`` or ``type(self)``."""
    for scope, node in calls(module.tree, ""):
        called = ast.unparse(node.func)
        inside = scope == name and called in {"cls", "type(self)", "self.__class__"}
        if called.rpartition(".")[2] == name or inside:
            yield f"{module.name}:{node.lineno}"


def calls(node: ast.AST, scope: str) -> Iterator[tuple[str, ast.Call]]:
    """Yield all calls, each with the name of the class it stands in."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            yield scope, child
        yield from calls(child, child.name if isinstance(child, ast.ClassDef) else scope)


def poor_names(module: Module) -> Iterator[str]:
    """Yield names of files, classes, functions and arguments that say nothing."""
    stem = Path(module.name).stem
    if says_nothing(stem):
        yield f"{module.name}: {stem}"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef) and says_nothing(node.name):
            yield f"{module.name}:{node.lineno}: {node.name}"
        # camelCase is what Twisted calls: neither the name nor the arguments are ours.
        if isinstance(node, FunctionNode) and not is_camel_case(node.name):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            for name in (node.name, *(argument.arg for argument in arguments)):
                if says_nothing(name):
                    yield f"{module.name}:{node.lineno}: {name}"


def is_camel_case(name: str) -> bool:
    """Whether a function is named in Twisted's way; a transport's ``write`` is as well."""
    return re.match(r"_?[a-z]+[A-Z]", name) is not None or name == "write"


def says_nothing(name: str) -> bool:
    """Whether a name has a word in it that fits everything."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.replace(SPECIFIED, "Userinfo")).lower().strip("_").split("_")
    return not FORBIDDEN_WORDS.isdisjoint(words) or name.startswith(FORBIDDEN_STARTS)


def broad_excepts(module: Module) -> Iterator[str]:
    """Yield places that catch more than they can know."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler):
            caught = "" if node.type is None else ast.unparse(node.type)
            if not caught or re.search(r"\b(Base)?Exception\b", caught):
                yield f"{module.name}:{node.lineno}: except {caught}".rstrip()
