"""Small modules, short functions, standard names, and a first line that says why."""

import ast
import re

import pytest

from tests.house.source import ROOT, Module, modules

# About 200 and about 30: a tenth more is still about that.
MODULE_LINES = 220
FUNCTION_LINES = 33

# Larger on purpose, each with its reason. Keep this list short.
LONG_MODULES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}

EMPTY_NAMES = re.compile(r"(^|_)(utils?|common|helpers?|misc|impl)(_|$)|(\wManager|\wBase|Impl|Helper|Utils?)$")


def named(module: Module) -> str:
    return module.name


def lines_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Without decorators, signature and docstring: what there is to understand."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (node.end_lineno or 0) - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("module", modules("services", "schemas", "deploy"), ids=named)
def test_a_module_can_be_read_in_a_minute(module: Module) -> None:
    if module.place not in LONG_MODULES:
        assert len(module.text.splitlines()) <= MODULE_LINES


@pytest.mark.parametrize("module", modules("services", "schemas", "deploy"), ids=named)
def test_a_function_does_one_thing(module: Module) -> None:
    functions = (n for n in ast.walk(module.tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    long = [
        n.name for n in functions if lines_of(n) > FUNCTION_LINES and f"{module.name}.{n.name}" not in LONG_FUNCTIONS
    ]
    assert not long


def test_exceptions_to_the_sizes_are_still_needed_and_say_why() -> None:
    lengths = {module.place: len(module.text.splitlines()) for module in modules()}
    assert all(lengths[place] > MODULE_LINES and reason for place, reason in LONG_MODULES.items())
    names = {
        f"{module.name}.{node.name}": lines_of(node)
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert all(names[name] > FUNCTION_LINES and reason for name, reason in LONG_FUNCTIONS.items())


@pytest.mark.parametrize("module", modules("services", "schemas", "deploy"), ids=named)
def test_names_say_what_a_thing_is(module: Module) -> None:
    classes = [node.name for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef)]
    empty = [name for name in [module.path.stem, *classes] if EMPTY_NAMES.search(name)]
    assert not empty


@pytest.mark.parametrize("module", modules(), ids=named)
def test_a_module_starts_by_saying_why_it_exists(module: Module) -> None:
    text = ast.get_docstring(module.tree)
    if module.path.name == "__init__.py" and not module.text.strip():
        return  # nothing in it, nothing to say
    assert text, f"{module.place} has no docstring"


def test_every_directory_of_tests_is_a_package() -> None:
    bare = {path.parent for path in (ROOT / "tests").rglob("*.py") if not (path.parent / "__init__.py").exists()}
    assert not bare


def test_every_test_name_is_a_sentence() -> None:
    short = [
        f"{module.place}: {node.name}"
        for module in modules("tests")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and node.name.count("_") < 2
    ]
    assert not short
