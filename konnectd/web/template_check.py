"""What is checked about templates at start, so that nobody meets a broken page while signing in.

Jinja finds mistakes of syntax by itself. Names that do not exist it finds only when a page is shown, so they are
looked for here: variables, fields of views, static files.
"""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any, Self, TypeAlias

import attrs
from attrs import frozen
from jinja2 import Environment, FileSystemLoader, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.meta import find_referenced_templates

from konnectd.web.branding import Brand
from konnectd.web.every_view import EVERY_VIEW
from konnectd.web.views import View

#: What `Pages.render` gives to every template.
VARIABLES = frozenset({"page", "locale", "nonce", "switch"})
#: By what a template that takes the place of one of ours finds it: ``{% extends "original/signin.html" %}``.
ORIGINAL = "original/"

#: The nodes of a template by their kinds. Any: what a node has depends on its kind.
_Nodes: TypeAlias = dict[type[nodes.Node], list[Any]]


class BrokenTemplateError(Exception):
    """A template can not be used.

    Attributes:
        name: file name in the folder of templates.
        line: where in it; 0 if it concerns the whole of it.
        problem: what is wrong, in words for whoever wrote it.
    """

    def __init__(self, name: str, line: int, problem: str) -> None:
        """Keep the three facts; the text is made from them."""
        super().__init__(f"{name}:{line}: {problem}" if line else f"{name}: {problem}")
        self.name = name
        self.line = line
        self.problem = problem


@frozen(kw_only=True)
class Names:
    """What is asked for by name in one template.

    Attributes:
        unknown: line and problem of every name that no page has.
        fields: line and name of what it takes from the page.
        brand: line and name of what it takes from the brand.
        files: line and name of the static files it refers to.
        templates: other templates that belong to it.
    """

    unknown: tuple[tuple[int, str], ...]
    fields: tuple[tuple[int, str], ...]
    brand: tuple[tuple[int, str], ...]
    files: tuple[tuple[int, object], ...]
    templates: tuple[str, ...]

    @classmethod
    def of(cls, tree: nodes.Template, environment: Environment) -> Self:
        """Look through a template."""
        found: _Nodes = {}
        for node in tree.find_all(nodes.Node):
            found.setdefault(type(node), []).append(node)
        return cls(
            unknown=tuple(_unknown_names(found, environment)),
            fields=_taken_from("page", found),
            brand=_taken_from("brand", found),
            files=tuple(
                (call.lineno, argument.value)
                for call in found.get(nodes.Call, ())
                if _is(call.node, "static")
                for argument in call.args
                if isinstance(argument, nodes.Const)
            ),
            templates=tuple(name for name in find_referenced_templates(tree) if name is not None),
        )


class ReadOnceLoader(FileSystemLoader):
    """Takes templates from a folder, and reads each one once: for its code, and for the names in it.

    Attributes:
        names: of each template that was loaded.
    """

    def __init__(self, folder: Path, over: Path | None = None) -> None:
        """Begin with no template.

        Args:
            folder: our templates.
            over: those of an operator, which are taken where there are any; by `ORIGINAL` they find ours.
        """
        super().__init__(folder if over is None else (over, folder))
        self._ours = FileSystemLoader(folder) if over is not None else None
        self.names: dict[str, Names] = {}

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """Read a template.

        Raises:
            TemplateError: it is not there or has a mistake.
        """
        if self._ours is not None and template.startswith(ORIGINAL):
            return self._ours.get_source(environment, template.removeprefix(ORIGINAL))
        return super().get_source(environment, template)

    def load(
        self,
        environment: Environment,
        name: str,
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002 - Jinja's
    ) -> Template:
        """Load a template.

        Raises:
            TemplateError: it is not there or has a mistake.
        """
        source, filename, uptodate = self.get_source(environment, name)
        tree = environment.parse(source, name, filename)
        self.names[name] = Names.of(tree, environment)
        code = environment.compile(tree, name, filename)
        return environment.template_class.from_code(environment, code, globals or {}, uptodate)


def check_templates(
    environment: Environment, loader: ReadOnceLoader, folder: Path, static: frozenset[str]
) -> Mapping[str, Template]:
    """Compile every template of a folder, and return those that views name.

    Args:
        environment: that they are compiled in.
        loader: the one of the environment.
        folder: where they are.
        static: names of static files.

    Raises:
        BrokenTemplateError: one is missing or has a mistake.
    """
    for file in sorted(folder.glob("*.html")):
        _compile(environment, file.name)
    return {view.template: _check(environment, loader, static, view) for view in EVERY_VIEW}


def _compile(environment: Environment, name: str) -> Template:
    """Compile one template."""
    try:
        return environment.get_template(name)
    except TemplateSyntaxError as error:
        raise BrokenTemplateError(error.name or name, error.lineno, error.message or "makes no sense") from error
    except (TemplateError, OSError, UnicodeDecodeError) as error:
        raise BrokenTemplateError(name, 0, f"can not be read: {error}") from error


def _check(environment: Environment, loader: ReadOnceLoader, static: frozenset[str], view: type[View]) -> Template:
    """Check the template of a view with all that it extends or takes something from."""
    fields = _fields(view)
    waiting, seen = [view.template], set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        _compile(environment, name)
        for line, problem in _problems(loader.names[name], fields, static):
            raise BrokenTemplateError(name, line, problem)
        waiting.extend(loader.names[name].templates)
    return _compile(environment, view.template)


def _fields(view: type[Any]) -> frozenset[str]:
    """Return the names that a value of a class has."""
    properties = {name for name, value in vars(view).items() if isinstance(value, property)}
    return frozenset(properties | {field.name for field in attrs.fields(view)})


#: The names that ``brand`` has.
_BRAND = _fields(Brand)


def _problems(names: Names, fields: frozenset[str], static: frozenset[str]) -> Iterator[tuple[int, str]]:
    """Yield line and problem of every name that would not be found when the page is shown."""
    yield from names.unknown
    yield from ((line, f"this page has no {name!r}") for line, name in names.fields if name not in fields)
    yield from ((line, f"the brand has no {name!r}") for line, name in names.brand if name not in _BRAND)
    yield from ((line, f"there is no static file {name!r}") for line, name in names.files if name not in static)


def _unknown_names(found: _Nodes, environment: Environment) -> Iterator[tuple[int, str]]:
    """Yield line and problem of every variable, filter and test that does not exist.

    Jinja finds unknown filters by itself, but not inside of a condition.
    """
    variables = VARIABLES | frozenset(environment.globals) | _made_here(found)
    for name in found.get(nodes.Name, ()):
        if name.ctx == "load" and name.name not in variables:
            yield name.lineno, f"there is no {name.name!r}"
    for filtered in found.get(nodes.Filter, ()):
        if filtered.name not in environment.filters:
            yield filtered.lineno, f"there is no filter {filtered.name!r}"
    for tested in found.get(nodes.Test, ()):
        if tested.name not in environment.tests:
            yield tested.lineno, f"there is no test {tested.name!r}"


def _taken_from(name: str, found: _Nodes) -> tuple[tuple[int, str], ...]:
    """Return line and name of everything that is taken from a variable."""
    return tuple((one.lineno, one.attr) for one in found.get(nodes.Getattr, ()) if _is(one.node, name))


def _is(node: nodes.Node, name: str) -> bool:
    """Tell whether a node stands for a variable."""
    return isinstance(node, nodes.Name) and node.name == name


def _made_here(found: _Nodes) -> frozenset[str]:
    """Return the names a template makes itself or imports, and those Jinja has ready in every one."""
    names = {"self", "super", "loop", "caller", "varargs", "kwargs", "true", "false", "none"}
    # Loop variables, arguments of macros, assignments.
    names.update(name.name for name in found.get(nodes.Name, ()) if name.ctx in {"store", "param"})
    names.update(macro.name for macro in found.get(nodes.Macro, ()))
    names.update(imported.target for imported in found.get(nodes.Import, ()))
    for imported in found.get(nodes.FromImport, ()):
        names.update(name if isinstance(name, str) else name[1] for name in imported.names)
    return frozenset(names)
