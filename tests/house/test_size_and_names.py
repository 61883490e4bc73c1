"""Small modules, short functions, standard names, and a first line that says why."""

import ast
import re
from collections.abc import Iterator

from tests.house.source import ROOT, Module, modules

# About 200 and about 30: a tenth more is still about that.
MODULE_LINES = 220
FUNCTION_LINES = 33

# Larger on purpose, each with its reason. Keep this list short.
LONG_MODULES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}

EMPTY_NAMES = re.compile(r"(^|_)(utils?|common|helpers?|misc|impl)(_|$)|(\wManager|\wBase|Impl|Helper|Utils?)$")
PRODUCT = ("services", "schemas", "deploy")


def functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in module.nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def lines_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Without decorators, signature and docstring: what there is to understand."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (node.end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_a_module_can_be_read_in_a_minute() -> None:
    long = {module.place for module in modules(*PRODUCT) if len(module.text.splitlines()) > MODULE_LINES}
    assert long == LONG_MODULES.keys()
    assert all(LONG_MODULES.values()), "each says why"


def test_a_function_does_one_thing() -> None:
    long = {
        f"{module.name}.{node.name}"
        for module in modules(*PRODUCT)
        for node in functions(module)
        if lines_of(node) > FUNCTION_LINES
    }
    assert long == LONG_FUNCTIONS.keys()
    assert all(LONG_FUNCTIONS.values()), "each says why"


def test_names_say_what_a_thing_is() -> None:
    empty = [
        f"{module.place}: {name}"
        for module in modules(*PRODUCT)
        for name in (module.path.stem, *(node.name for node in module.nodes if isinstance(node, ast.ClassDef)))
        if EMPTY_NAMES.search(name)
    ]
    assert not empty


def test_a_module_starts_by_saying_why_it_exists() -> None:
    silent = [
        module.place
        for module in modules()
        if not ast.get_docstring(module.tree)
        # nothing in it, nothing to say
        and (module.path.name != "__init__.py" or module.text.strip())
    ]
    assert not silent


def test_every_directory_of_tests_is_a_package() -> None:
    bare = {path.parent for path in (ROOT / "tests").rglob("*.py") if not (path.parent / "__init__.py").exists()}
    assert not bare


def test_every_test_name_is_a_sentence() -> None:
    short = [
        f"{module.place}: {node.name}"
        for module in modules("tests")
        for node in functions(module)
        if node.name.startswith("test_") and node.name.count("_") < 2
    ]
    assert not short
