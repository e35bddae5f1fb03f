"""What is checked about templates at start, so that nobody meets a broken page while signing in.

Jinja finds mistakes of syntax by itself. Names that do not exist it finds only when a page is shown, so they are
looked for here: variables, fields of views, static files.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs
from jinja2 import Environment, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.meta import find_referenced_templates

from konnectd.web import device_views
from konnectd.web.views import VIEWS, View

#: What `Pages.render` gives to every template.
VARIABLES = frozenset({"page", "locale", "nonce"})


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


def check_templates(environment: Environment, folder: Path, static: frozenset[str]) -> Mapping[str, Template]:
    """Compile every template of a folder, and return those that views name.

    Args:
        environment: that they are compiled in.
        folder: where they are.
        static: names of static files.

    Raises:
        BrokenTemplateError: one is missing or has a mistake.
    """
    for file in sorted(folder.glob("*.html")):
        _compile(environment, file.name)
    return {view.template: _check(environment, folder, static, view) for view in (*VIEWS, *device_views.VIEWS)}


def _compile(environment: Environment, name: str) -> Template:
    """Compile one template."""
    try:
        return environment.get_template(name)
    except TemplateSyntaxError as error:
        raise BrokenTemplateError(error.name or name, error.lineno, error.message or "makes no sense") from error
    except (TemplateError, OSError, UnicodeDecodeError) as error:
        raise BrokenTemplateError(name, 0, f"can not be read: {error}") from error


def _check(environment: Environment, folder: Path, static: frozenset[str], view: type[View]) -> Template:
    """Check the template of a view with all that it extends or takes something from."""
    fields = _fields(view)
    waiting, seen = [view.template], set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        _compile(environment, name)
        tree = environment.parse((folder / name).read_text("utf-8"), name, str(folder / name))
        for line, problem in _problems(tree, environment, fields, static):
            raise BrokenTemplateError(name, line, problem)
        waiting.extend(found for found in find_referenced_templates(tree) if found is not None)
    return _compile(environment, view.template)


def _fields(view: type[View]) -> frozenset[str]:
    """Return the names that ``page`` has for a view."""
    properties = {name for name, value in vars(view).items() if isinstance(value, property)}
    return frozenset(properties | {field.name for field in attrs.fields(view)})  # type: ignore[arg-type]


def _problems(
    tree: nodes.Template, environment: Environment, fields: frozenset[str], static: frozenset[str]
) -> Iterator[tuple[int, str]]:
    """Yield line and problem of every name that would not be found when the page is shown."""
    yield from _unknown_names(tree, environment)
    for attribute in tree.find_all(nodes.Getattr):
        if _is(attribute.node, "page") and attribute.attr not in fields:
            yield attribute.lineno, f"this page has no {attribute.attr!r}"
    for call in tree.find_all(nodes.Call):
        asked = [argument.value for argument in call.args if isinstance(argument, nodes.Const)]
        if _is(call.node, "static") and not static.issuperset(asked):
            yield call.lineno, f"there is no static file {asked[0]!r}"


def _unknown_names(tree: nodes.Template, environment: Environment) -> Iterator[tuple[int, str]]:
    """Yield line and problem of every variable, filter and test that does not exist.

    Jinja finds unknown filters by itself, but not inside of a condition.
    """
    variables = VARIABLES | frozenset(environment.globals) | {name.name for name in _stored(tree)} | _imported(tree)
    for name in tree.find_all(nodes.Name):
        if name.ctx == "load" and name.name not in variables:
            yield name.lineno, f"there is no {name.name!r}"
    for filtered in tree.find_all(nodes.Filter):
        if filtered.name not in environment.filters:
            yield filtered.lineno, f"there is no filter {filtered.name!r}"
    for tested in tree.find_all(nodes.Test):
        if tested.name not in environment.tests:
            yield tested.lineno, f"there is no test {tested.name!r}"


def _is(node: nodes.Node, name: str) -> bool:
    """Tell whether a node stands for a variable."""
    return isinstance(node, nodes.Name) and node.name == name


def _stored(tree: nodes.Template) -> Iterator[nodes.Name]:
    """Yield the names a template sets itself: loop variables, arguments of macros, assignments."""
    for name in tree.find_all(nodes.Name):
        if name.ctx in {"store", "param"}:
            yield name


def _imported(tree: nodes.Template) -> frozenset[str]:
    """Return the names of macros and imports of a template, and those Jinja has ready in every one."""
    names = {"self", "super", "loop", "caller", "varargs", "kwargs", "true", "false", "none"}
    names.update(macro.name for macro in tree.find_all(nodes.Macro))
    names.update(imported.target for imported in tree.find_all(nodes.Import))
    for imported in tree.find_all(nodes.FromImport):
        names.update(name if isinstance(name, str) else name[1] for name in imported.names)
    return frozenset(names)
