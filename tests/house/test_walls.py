"""Who may import whom: the walls of the house, as far as import-linter's contracts cannot say it."""

import ast
import sys

import pytest

from tests.house.source import ROOT, Module, imports, modules

# What waits, throws dice, reads a clock or the machine has no business in a domain.
IMPURE = frozenset(
    [
        *("asyncio", "concurrent", "glob", "http", "io", "logging", "multiprocessing", "os", "pathlib", "random"),
        *("secrets", "selectors", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "tempfile"),
        *("threading", "time", "urllib.request", "uuid", "warnings"),
    ]
)
# What a handler returns to be published, how it refuses and in which words: plain values of the plumbing, nothing
# that acts.
VALUES = frozenset(
    [
        *("services", "services.failures", "services.failures.Rejected"),
        *("services.expected", "services.expected.expected", "services.expected.instead_of"),
    ]
)
VALUES_OF_THE_LOG = frozenset(
    ["services.log", *(f"services.log.{name}" for name in ("Message", "Placed", "Record", "Batch"))]
)
CALLS_OF_THE_CLOCK = frozenset({"now", "utcnow", "today", "localtime", "gmtime", "uuid4", "uuid1", "urandom"})
PLUMBING = frozenset(["kafka", "embedded", "sql", "web"])
ROOMS = frozenset(path.parent.name for path in (ROOT / "services").glob("*/__init__.py")) - PLUMBING
COMPOSITION_ROOTS = ("services.cli",)

DOMAIN = [module for module in modules("services") if ".domain" in module.name]


def named(module: Module) -> str:
    return module.name


def room_of(name: str) -> str | None:
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and parts[0] == "services" and parts[1] in ROOMS else None


@pytest.mark.parametrize("module", DOMAIN, ids=named)
def test_a_domain_imports_the_pure_standard_library_msgspec_schemas_and_its_siblings(module: Module) -> None:
    siblings = module.name.split(".domain")[0] + ".domain"
    allowed = ("msgspec", "schemas", siblings)
    for name in imports(module):
        top = name.split(".")[0]
        pure = top in sys.stdlib_module_names and top not in IMPURE and name not in IMPURE
        within = any(name == prefix or name.startswith(prefix + ".") for prefix in allowed)
        assert pure or within or name in VALUES | VALUES_OF_THE_LOG, f"{module.place} imports {name}"


@pytest.mark.parametrize("module", DOMAIN, ids=named)
def test_a_domain_reads_no_clock_throws_no_dice_and_opens_nothing(module: Module) -> None:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                called = node.func.attr
                assert called not in CALLS_OF_THE_CLOCK, f"{module.place}:{node.lineno} calls {called}"
            elif isinstance(node.func, ast.Name):
                assert node.func.id not in ("open", "print", "input"), (
                    f"{module.place}:{node.lineno} calls {node.func.id}"
                )
        assert not isinstance(node, ast.AsyncFunctionDef | ast.Await), f"{module.place}:{node} waits"


@pytest.mark.parametrize("module", modules("services"), ids=named)
def test_a_service_knows_itself_and_the_plumbing_alone(module: Module) -> None:
    """Rooms meet in the composition root; plumbing (the rest of `services`) knows no room at all."""
    if module.name.startswith(COMPOSITION_ROOTS):
        return
    own = room_of(module.name)
    for name in imports(module):
        other = room_of(name)
        assert other in (None, own), f"{module.place} imports {name}"


@pytest.mark.parametrize("module", modules("schemas"), ids=named)
def test_the_language_imports_no_service(module: Module) -> None:
    assert not [name for name in imports(module) if name.startswith(("services", "deploy", "tests"))]


@pytest.mark.parametrize("module", modules("services", "schemas"), ids=named)
def test_the_product_imports_no_tests_and_no_tools_of_deployment(module: Module) -> None:
    assert not [name for name in imports(module) if name.split(".")[0] in ("tests", "deploy", "pytest", "hypothesis")]


@pytest.mark.parametrize("module", modules("services"), ids=named)
def test_faust_stands_behind_the_kafka_package_alone(module: Module) -> None:
    if not module.name.startswith("services.kafka."):
        users = [name for name in imports(module) if name.split(".")[0] in ("faust", "mode", "aiokafka")]
        assert not users, f"{module.place} imports {users}"
