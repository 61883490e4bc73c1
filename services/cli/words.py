"""The words of the product on a terminal in the language of whoever reads it: each room has its own."""

from collections.abc import Mapping
from typing import NamedTuple

from services.cli.output import LEFT_OUT


class Words(NamedTuple):
    """English → Chinese. A word that is missing is a mistake of ours."""

    chinese: Mapping[str, str]

    def worded(self, words: str, language: str) -> str:
        return self.chinese[words] if language == "zh" else words

    def headed(self, columns: Mapping[str, str], language: str) -> dict[str, str]:
        """Field → heading, as `show_rows` takes it."""
        return {field: self.worded(heading, language) for field, heading in columns.items()}


OF_TABLES: Mapping[str, str] = {LEFT_OUT: "窗口宽度不足，略去"}  # noqa: RUF001 - Chinese punctuation
