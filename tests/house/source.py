"""The project's own Python files, parsed once: what the tests of the house look at."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PACKAGES = ("schemas", "services", "deploy", "tests")


class Module(NamedTuple):
    """`nodes`: all of the tree, which every law would walk anew else."""

    name: str
    path: Path
    text: str
    tree: ast.Module
    nodes: tuple[ast.AST, ...]

    @property
    def place(self) -> str:
        return str(self.path.relative_to(ROOT))


def modules(*packages: str) -> tuple[Module, ...]:
    """Every module below the packages."""
    return tuple(module for package in packages or PACKAGES for module in _modules(package))


@cache
def _modules(package: str) -> tuple[Module, ...]:
    """`a.b` for `a/b.py` and `a/b/__init__.py`."""
    found = []
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = path.read_text()
        tree = ast.parse(text)
        found.append(Module(name, path, text, tree, tuple(ast.walk(tree))))
    return tuple(found)


@cache
def imports(module: Module) -> tuple[str, ...]:
    """Absolute names of what a module imports, in functions too; those for type checking alone count as well."""
    return tuple(_imports(module))


def _imports(module: Module) -> Iterator[str]:
    package = module.name if module.path.name == "__init__.py" else module.name.rpartition(".")[0]
    for node in module.nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join(
                    [*package.split(".")[: len(package.split(".")) - node.level + 1], *filter(None, [base])]
                )
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
