"""Every page says the same in both languages, and what it points at is there."""

import re
from pathlib import Path

import pytest

from tests.readme.pages import ENGLISH, ROOT, anchors, blocks, english_pages, in_chinese, links, named_paths

PAGES = [page for english in english_pages() for page in (english, in_chinese(english))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_every_link_leads_to_a_file_and_a_heading_of_it(page: Path) -> None:
    asked = [link.partition("#") for link in links(page) if "://" not in link]
    assert asked, "the page says where to read on"
    for name, hash_sign, heading in asked:
        target = page.parent / name if name else page
        assert target.exists(), name
        assert not hash_sign or f"#{heading}" in anchors(target), f"{name}#{heading}"


def test_every_page_can_be_found_from_the_front_door() -> None:
    for door in (ENGLISH, in_chinese(ENGLISH)):
        behind = {ROOT / link.partition("#")[0] for link in links(door) if "://" not in link}
        ours = {page for page in PAGES if (page.name.endswith("zh-CN.md")) is (door != ENGLISH)}
        assert ours - {door} <= behind


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_every_file_that_is_named_is_there(page: Path) -> None:
    assert [name for name in sorted(named_paths(page)) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", english_pages(), ids=lambda page: str(page.name))
@pytest.mark.parametrize("language", ["sh", "json", "text", "yaml"])
def test_a_page_has_the_same_blocks_in_both_languages(page: Path, language: str) -> None:
    other = blocks(in_chinese(page), language)
    assert [block.text for block in blocks(page, language)] == [block.text for block in other]


@pytest.mark.parametrize("page", english_pages(), ids=lambda page: str(page.name))
def test_a_page_has_as_many_sections_rows_and_decisions_in_both_languages(page: Path) -> None:
    def shape(page: Path) -> tuple[int, int, int]:
        text = page.read_text()
        return (
            len(re.findall(r"^##+ ", text, re.M)),
            len(re.findall(r"^\|", text, re.M)),
            len(re.findall(r"^\*\*", text, re.M)),
        )

    assert shape(page) == shape(in_chinese(page))


def test_every_test_that_is_named_exists() -> None:
    names = {name for page in english_pages() for name in re.findall(r"`(test_\w+)`", page.read_text())}
    assert names
    told = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name in sorted(names) if f"def {name}(" not in told] == []


def test_every_figure_of_the_machine_says_how_to_repeat_it() -> None:
    table = ENGLISH.read_text().partition("## Figures")[2].partition("## ")[0]
    rows = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("|")]
    assert rows
    assert all(len(row) == 4 and all(cell.strip() for cell in row) for row in rows)
