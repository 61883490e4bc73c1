"""Why a text is no YAML, in words of who wrote it: the parser says at which sign it gave up, often a line too late."""

import re

import yaml

_INDENTED_BY_TAB = re.compile(r"[ ]*\t")
_WIDE_SPACE = re.compile(r"\s*[\u3000\u00a0]")
_WIDE_COLON = re.compile(r"\s*(?:- )?\w+\uff1a")
_WIDE_SIGNS = {"\uff5b": "{", "\uff5d": "}", "\uff0c": ",", "\uff3b": "[", "\uff3d": "]", "\u201c": '"', "\u201d": '"'}
_IN_QUOTES = re.compile(r"""'[^']*'|"(?:[^"\\]|\\.)*\"""")
_BARE_NOT = re.compile(r"[\[,-]\s*!\w")


def told(error: yaml.MarkedYAMLError, text: str) -> tuple[str, int]:
    """What is wrong, and the line, from 1; 0 where there is none."""
    mark = error.context_mark if error.context == "while scanning a simple key" else error.problem_mark
    line = (mark or error.problem_mark).line if error.problem_mark else -1
    written = text.splitlines()
    for place in (line, line - 1):
        meant = _meant(written[place]) if 0 <= place < len(written) else ""
        if meant:
            return f"is no YAML: {meant}", place + 1
    return f"is no YAML: {error.problem}", line + 1


def _meant(line: str) -> str:
    if _INDENTED_BY_TAB.match(line):
        return "the line begins with a tab: write spaces"
    if _WIDE_SPACE.match(line):
        return "the line begins with a wide space: write ordinary ones"
    if _WIDE_COLON.match(line):
        return "the colon is a wide one: write : and a space"
    bare = _IN_QUOTES.sub("''", line)
    wide = next((sign for sign in bare if sign in _WIDE_SIGNS), "")
    if wide:
        return f"{wide} is a wide sign: write {_WIDE_SIGNS[wide]}, or the text in quotes"
    if _BARE_NOT.search(bare):
        return "a condition that begins with ! stands in quotes"
    return ""
