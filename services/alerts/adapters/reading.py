"""Declared files of alerts as they are read: all that is wrong in them is told at once, with file and line."""

from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from services.alerts.adapters.authors import CHANGED_BY, author_of
from services.alerts.adapters.shapes import UNKNOWN_FIELD, misshapen
from services.alerts.adapters.yaml_lines import Lines, Unreadable, read_lines

Declared = TypeVar("Declared", bound=msgspec.Struct)


class Mistake(NamedTuple):
    """`line` counts from 1; 0 where the whole file is meant. `rule` is empty for what is no rule's."""

    file: str
    line: int
    rule: str
    field: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        what = " ".join(part for part in (self.rule, self.field) if part)
        return ": ".join(part for part in (where, what, self.message) if part)


class Reading:
    """Of all files once. `content`: their bytes, in order. `authors`: file → who changed it last; of one that is laid
    over another, its own."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []
        self.content: list[bytes] = []
        self.authors: dict[str, str] = {}

    def lines(self, path: Path) -> Lines | None:
        try:
            lines, content = read_lines(path)
        except Unreadable as error:
            self.mistakes.append(Mistake(path.name, error.line, "", "", str(error)))
            return None
        self.content.append(content)
        doubled = [Mistake(path.name, line, "", key, "is written twice") for line, key in lines.twice()]
        self.mistakes += doubled
        return None if doubled else lines

    def signed(self, path: Path) -> Lines | None:
        """Without the name of its author."""
        lines = self.lines(path)
        if lines is None or not isinstance(lines.content, dict):
            return lines
        author = author_of(path, lines.content)
        if author is None:
            self.tell(path.name, lines, "", CHANGED_BY, "a person's name is expected")
            return None
        self.authors[path.name] = author
        return lines.without(CHANGED_BY)

    def converted(self, file: str, lines: Lines, rule: str, into: type[Declared]) -> Declared | None:
        mistakes = list(misshapen(lines.content, into))
        for field, message in mistakes:
            unknown = UNKNOWN_FIELD.search(message)
            line = lines.line_of(".".join(filter(None, (field, unknown[1] if unknown else ""))))
            self.mistakes.append(Mistake(file, line, rule, field, message))
        return None if mistakes else msgspec.convert(lines.content, into, strict=False)

    def tell(self, file: str, lines: Lines, rule: str, field: str, message: str) -> None:
        self.mistakes.append(Mistake(file, lines.line_of(field), rule, field, message))
