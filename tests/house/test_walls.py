"""Who may import whom: the walls of the house, as far as import-linter's contracts cannot say it."""

import ast
import sys
from collections.abc import Callable, Iterable, Iterator

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
        "services.expected",
        *(f"services.expected.{name}" for name in ("expected", "instead_of", "located", "meant", "nearest", "unfit")),
    ]
)
VALUES_OF_THE_LOG = frozenset(
    ["services.log", *(f"services.log.{name}" for name in ("Message", "Placed", "Record", "Batch"))]
)
CALLS_OF_THE_CLOCK = frozenset({"now", "utcnow", "today", "localtime", "gmtime", "uuid4", "uuid1", "urandom"})
PLUMBING = frozenset(["kafka", "embedded", "memory", "outbound", "sql", "web"])
ROOMS = frozenset(path.parent.name for path in (ROOT / "services").glob("*/__init__.py")) - PLUMBING
COMPOSITION_ROOTS = ("services.cli",)

DOMAIN = [module for module in modules("services") if ".domain" in module.name]


def room_of(name: str) -> str | None:
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and parts[0] == "services" and parts[1] in ROOMS else None


def importing(found: Iterable[Module], is_refused: Callable[[Module, str], bool]) -> list[str]:
    return [f"{one.place} imports {name}" for one in found for name in imports(one) if is_refused(one, name)]


def test_a_domain_imports_the_pure_standard_library_msgspec_schemas_and_its_siblings() -> None:
    def is_refused(module: Module, name: str) -> bool:
        top, siblings = name.split(".")[0], module.name.split(".domain")[0] + ".domain"
        pure = top in sys.stdlib_module_names and top not in IMPURE and name not in IMPURE
        within = any(name == prefix or name.startswith(prefix + ".") for prefix in ("msgspec", "schemas", siblings))
        return not (pure or within or name in VALUES | VALUES_OF_THE_LOG)

    assert not importing(DOMAIN, is_refused)


def test_a_domain_reads_no_clock_throws_no_dice_and_opens_nothing() -> None:
    acts = [f"{module.place}:{line} {what}" for module in DOMAIN for line, what in acting(module)]
    assert not acts


def acting(module: Module) -> Iterator[tuple[int, str]]:
    for node in module.nodes:
        match node:
            case ast.Call(func=ast.Attribute(attr=called)) if called in CALLS_OF_THE_CLOCK:
                yield node.lineno, f"calls {called}"
            case ast.Call(func=ast.Name(id="open" | "print" | "input" as called)):
                yield node.lineno, f"calls {called}"
            case ast.AsyncFunctionDef() | ast.Await():
                yield node.lineno, "waits"


def test_a_service_knows_itself_and_the_plumbing_alone() -> None:
    """Rooms meet in the composition root; plumbing (the rest of `services`) knows no room at all."""
    rooms = [module for module in modules("services") if not module.name.startswith(COMPOSITION_ROOTS)]
    assert not importing(rooms, lambda module, name: room_of(name) not in (None, room_of(module.name)))


def test_the_language_imports_no_service() -> None:
    assert not importing(modules("schemas"), lambda _, name: name.startswith(("services", "deploy", "tests")))


def test_the_product_imports_no_tests_and_no_tools_of_deployment() -> None:
    tools = ("tests", "deploy", "pytest", "hypothesis")
    assert not importing(modules("services", "schemas"), lambda _, name: name.split(".")[0] in tools)


def test_faust_stands_behind_the_kafka_package_alone() -> None:
    others = [module for module in modules("services") if not module.name.startswith("services.kafka.")]
    assert not importing(others, lambda _, name: name.split(".")[0] in ("faust", "mode", "aiokafka"))
