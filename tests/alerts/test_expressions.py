"""What an expression may give."""

import pytest

from services.alerts.domain.expressions import WrongTypes
from tests.alerts.told import CEL


@pytest.mark.parametrize("source", ["1.0 / a", "-1.0 / a", "a / a"])
def test_no_infinite_number_reaches_an_alert(source: str) -> None:
    with pytest.raises(WrongTypes, match="no finite number"):
        CEL.compile(source).evaluate(CEL.context({"a": 0.0}))


def test_a_guarded_division_is_taken() -> None:
    guarded = CEL.compile("a > 0.0 ? 1.0 / a : 0.0")
    assert [guarded.evaluate(CEL.context({"a": value})) for value in (0.0, 2.0)] == [0.0, 0.5]
