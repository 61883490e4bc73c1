"""Plans that were put by: given back whole and in order, in however many blocks they lay."""

from hypothesis import given
from hypothesis import strategies as st

from services.simulator.packed import Packed
from services.simulator.plan import Planned


@given(st.permutations(range(40)), st.sampled_from([0, 2_000]))
def test_plans_come_back_in_the_order_of_time(order: list[int], padding: int) -> None:
    plans = [
        Planned(at // 2, at % 2, 1, "page.viewed", "mobile", {"attributes": {"page": "/" * padding}}, share=0.5)
        for at in range(40)
    ]
    packed = Packed()
    for at in order:
        packed.add(plans[at])
    assert packed.in_order() == plans


def test_both_legs_of_a_transfer_are_kept() -> None:
    inward = Planned(7, 1, 1, "transfer.received", "corebank", {}, account=1, is_credit=True)
    outward = Planned(7, 1, 2, "transfer.sent", "mobile", {}, account=0, amount=100, then=inward)
    packed = Packed()
    packed.add(outward)
    assert packed.in_order() == [outward]
