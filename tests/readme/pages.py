"""What the front door and the pages behind it say: fenced blocks with the section they stand in, and links."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
ENGLISH = ROOT / "README.md"
IN_CHINESE = ".zh-CN.md"


def english_pages() -> list[Path]:
    """The front door first: what it sets up, the commands of the others may use."""
    return [ENGLISH, *(page for page in sorted((ROOT / "docs").glob("*.md")) if not page.name.endswith(IN_CHINESE))]


def in_chinese(page: Path) -> Path:
    return page.with_name(page.stem + IN_CHINESE)


class Block(NamedTuple):
    """`line` is that of the first command, for whoever mends it."""

    page: str
    section: str
    language: str
    text: str
    line: int


def blocks(page: Path, language: str = "sh") -> list[Block]:
    found: list[Block] = []
    section, fence, held, started = "", "", [""], 0
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if fence:
            if line == "```":
                found.append(Block(page.name, section, fence, "\n".join(held), started))
                fence = ""
            else:
                held.append(line)
        elif line.startswith("```"):
            fence, held, started = line[3:] or "text", [], number + 1
        elif line.startswith("## "):
            section = line[3:]
    return [block for block in found if block.language == language]


def links(page: Path) -> list[str]:
    """Targets of links and pictures; what is fenced is no link."""
    return re.findall(r"\]\(([^)\s]+)\)", re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S))


def named_paths(page: Path) -> set[str]:
    """Files and directories of the project that the text names in backticks."""
    roots = ("tests/", "deploy/", "services/", "schemas/", "docs/")
    return {name for name in re.findall(r"`([\w./-]+)`", page.read_text()) if name.startswith(roots)}


def anchors(page: Path) -> set[str]:
    """The headings as GitHub names them for links."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S), re.M)
    return {"#" + re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
