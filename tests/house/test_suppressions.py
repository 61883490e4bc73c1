"""A rule that is set aside says why, on the same line; and nothing in the project names a machine or a registry."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.house.source import ROOT, Module, modules

SUPPRESSION = re.compile(r"#\s*(noqa|type:\s*ignore|pragma|nosec|fmt:\s*(?:off|skip))\b")
# `noqa: X - reason`, `type: ignore[x]  # reason`; laying out a table by hand needs no reason
REASONED = re.compile(
    r"#\s*noqa: [A-Z0-9, ]+ - \w.{5,}|#\s*type: ignore\[[\w, -]+\]\s*(#|-)\s*\w.{5,}|#\s*fmt: (off|skip|on)"
)
FOREIGN = re.compile(
    r"/(?:root|home|Users|work)/\w|(?:pypi\.org|pythonhosted|repo1?\.maven|npmjs|docker\.io|deb\.debian)", re.IGNORECASE
)
TEXT = {".py", ".toml", ".yaml", ".yml", ".md", ".lock", ".in", ".xml", ".json", ".avsc", ".sh", ".ini", ""}
SKIPPED = {".git", ".venv", "var", "node_modules", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache",
           ".hypothesis", ".import_linter_cache", "data", "build", "dist", "counterpoint.egg-info"}  # fmt: skip


def named(module: Module) -> str:
    return module.name


@pytest.mark.parametrize("module", modules(), ids=named)
def test_every_suppression_has_its_reason_on_the_line(module: Module) -> None:
    if module.path == Path(__file__):
        return
    for number, line in enumerate(module.text.splitlines(), 1):
        if SUPPRESSION.search(line):
            assert REASONED.search(line), f"{module.place}:{number}: {line.strip()}"


def test_every_rule_ignored_for_many_files_has_a_comment_above() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    ignores = tomllib.loads(text)["tool"]["ruff"]["lint"].get("per-file-ignores", {})
    lines = text.splitlines()
    for pattern in ignores:
        number = next(n for n, line in enumerate(lines) if line.startswith(f'"{pattern}"'))
        assert lines[number - 1].startswith("#"), pattern


def files() -> list[Path]:
    found = []
    for path in ROOT.rglob("*"):
        inside = path.relative_to(ROOT).parts
        if path.is_file() and path.suffix in TEXT and not SKIPPED.intersection(inside):
            found.append(path)
    return found


def test_no_file_names_a_machine_or_a_registry() -> None:
    named_by = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files()
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if FOREIGN.search(line)
    ]
    assert not named_by
