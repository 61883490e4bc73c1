"""Both pages say the same, and what they point at is there."""

import re
from pathlib import Path

import pytest

from tests.readme.pages import CHINESE, ENGLISH, ROOT, anchors, blocks, links, named_paths

PAGES = (ENGLISH, CHINESE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    broken = [link for link in links(page) if "://" not in link and not (ROOT / link.partition("#")[0]).exists()]
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_every_link_within_a_page_leads_to_a_heading(page: Path) -> None:
    within = [link for link in links(page) if link.startswith("#")]
    assert within, "the page says where to read on"
    assert [link for link in within if link not in anchors(page)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_every_file_that_is_named_is_there(page: Path) -> None:
    assert [name for name in sorted(named_paths(page)) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("language", ["sh", "json", "text", "yaml"])
def test_both_pages_have_the_same_blocks(language: str) -> None:
    assert [block.text for block in blocks(ENGLISH, language)] == [block.text for block in blocks(CHINESE, language)]


def test_both_pages_have_as_many_sections_figures_and_decisions() -> None:
    def shape(page: Path) -> tuple[int, int, int]:
        text = page.read_text()
        return (
            len(re.findall(r"^##+ ", text, re.M)),
            len(re.findall(r"^\|", text, re.M)),
            len(re.findall(r"^\*\*", text, re.M)),
        )

    assert shape(ENGLISH) == shape(CHINESE)


def test_every_test_that_is_named_exists() -> None:
    names = set(re.findall(r"`(test_\w+)`", ENGLISH.read_text()))
    told = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name in sorted(names) if f"def {name}(" not in told] == []


def test_every_figure_of_the_machine_says_how_to_repeat_it() -> None:
    table = ENGLISH.read_text().partition("## Figures")[2].partition("## ")[0]
    rows = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("|")]
    assert rows
    assert all(len(row) == 4 and all(cell.strip() for cell in row) for row in rows)
