"""A rule that is set aside says why, on the same line; and nothing in the project names a machine or a registry."""

import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.house.source import ROOT, modules

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


def test_every_suppression_has_its_reason_on_the_line() -> None:
    bare = [
        f"{module.place}:{number}: {line.strip()}"
        for module in modules()
        if module.path != Path(__file__)
        for number, line in enumerate(module.text.splitlines(), 1)
        if SUPPRESSION.search(line) and not REASONED.search(line)
    ]
    assert not bare


def test_every_rule_ignored_for_many_files_has_a_comment_above() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    ignores = tomllib.loads(text)["tool"]["ruff"]["lint"].get("per-file-ignores", {})
    lines = text.splitlines()
    for pattern in ignores:
        number = next(n for n, line in enumerate(lines) if line.startswith(f'"{pattern}"'))
        assert lines[number - 1].startswith("#"), pattern


def files() -> Iterator[Path]:
    for folder, inner, names in os.walk(ROOT):
        inner[:] = [name for name in inner if name not in SKIPPED]
        yield from (Path(folder, name) for name in names if name not in SKIPPED and Path(name).suffix in TEXT)


def test_no_file_names_a_machine_or_a_registry() -> None:
    named_by = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in files()
        if path != Path(__file__)
        for found in FOREIGN.finditer(path.read_text(errors="replace"))
    ]
    assert not named_by
