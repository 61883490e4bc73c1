"""How a story shows in what a customer does *less* of. What is done more stands in `story_days`."""

from datetime import date

import msgspec

from services.simulator.bank import Bank
from services.simulator.stories import story_of

CANCELS_ON = {"drifting_to_competitor": 21, "salary_redirected": 30}
"""Days after the begin on which the mandates are cancelled."""


class Mood(msgspec.Struct, frozen=True):
    """`spending` and `logins` are factors of the usual; a customer who is gone does nothing at all."""

    spending: float = 1.0
    logins: float = 1.0
    has_salary: bool = True
    has_mandates: bool = True
    is_gone: bool = False


USUAL = Mood()


def mood(bank: Bank, number: int, day: date) -> Mood:
    story = story_of(bank, number)
    if story is None or day < story.begins:
        return USUAL
    passed = (day - story.begins).days
    match story.kind:
        case "drifting_to_competitor":
            quiet = passed >= 7
            return Mood(
                spending=0.4 if passed >= 14 else 1.0,
                logins=0.2 if quiet else 1.0,
                has_mandates=passed <= CANCELS_ON[story.kind],
                is_gone=day > story.loss_on,
            )
        case "salary_redirected":
            return Mood(
                spending=0.5 if passed >= 20 else 1.0,
                logins=0.5 if passed >= 20 else 1.0,
                has_salary=False,
                has_mandates=passed <= CANCELS_ON[story.kind],
                is_gone=day > story.loss_on,
            )
        case "complaint_then_closed":
            return Mood(spending=0.6 if passed >= 10 else 1.0, is_gone=day > story.loss_on)
    return USUAL
