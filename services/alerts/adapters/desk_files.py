"""Reads the desk and the labels, the bank's own laid over those of the product."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from services.alerts.adapters.reading import Mistake, Reading
from services.alerts.adapters.shapes import misshapen
from services.alerts.adapters.yaml_lines import Lines
from services.alerts.domain.checking import check_desk
from services.alerts.domain.rules import Desk, LabelsDeclared, Text
from services.alerts.domain.wording import NO_LABELS, Labels
from services.declared_layers import laid_over

DESK = "desk.yaml"
LABELS = "labels.yaml"


def read_desk(paths: Sequence[Path], reading: Reading) -> Desk:
    """The ordinary one where there is no such file: a draft is read alone."""
    lines = None
    for one in map(reading.signed, paths):
        if one is not None:
            lines = one._replace(content=laid_over(lines.content, one.content, {}, DESK) if lines else one.content)
    desk = None if lines is None else reading.converted(DESK, lines, "", Desk)
    if lines is None or desk is None:
        return Desk()
    mistakes = list(check_desk(desk))
    for field, message in mistakes:
        reading.tell(DESK, lines, "", field, message)
    return Desk() if mistakes else desk


def read_labels(paths: Sequence[Path], reading: Reading) -> Labels:
    """None where there is no such file, or one has mistakes."""
    laid: dict[str, Text] = {}
    for labels in [_labels(path, reading) for path in paths]:
        if labels is None:
            return NO_LABELS
        laid.update(labels)
    return laid


def _labels(path: Path, reading: Reading) -> Labels | None:
    lines = reading.signed(path)
    if lines is None:
        return None
    wrong = list(_wrong_labels(path.name, lines))
    reading.mistakes += wrong
    if wrong:  # what is beside them has mistakes of its own
        lines = lines._replace(content={name: one for name, one in lines.content.items() if name != "labels"})
    declared = reading.converted(path.name, lines, "", LabelsDeclared)
    return None if wrong or declared is None else declared.labels


def _wrong_labels(file: str, lines: Lines) -> Iterator[Mistake]:
    """One by one: the struct of all would name none of them."""
    for section, labels in lines.members():
        for name, label in labels.members() if section == "labels" else ():
            for field, message in misshapen(label.content, Text):
                place = ".".join(filter(None, (section, name, field)))
                yield Mistake(file, label.line_of(field), "", place, message)
