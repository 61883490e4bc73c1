"""Alerts leave the house: every queue by itself, nothing twice, nothing at night, nobody flooded."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import pytest

from schemas.alerts import Alert
from services.alerts.adapters.senders import DestinationSender
from services.alerts.delivery.deliver import AT_ONCE, AWAY_AFTER, Deliver, Served
from services.alerts.delivery.ports import Parcel
from services.alerts.domain.destinations import Destination
from services.alerts.domain.notices import Notice
from services.alerts.domain.rules import Text
from services.failures import Fenced, Rejected, Unavailable
from services.outbound.posting import HttpSender
from tests.alerts.destined import DAY, HOUR, MINUTE, NOON, SECRET, alert, batch, destination, mail
from tests.alerts.memory_deliveries import MemoryDeliveryStore
from tests.clocks import ManualClock
from tests.receivers import LOOPBACK, Reply, receiver


class Recorded:
    """A `Sender` that notes what it was given; `fails` says how for a destination."""

    def __init__(self) -> None:
        self.parcels: list[tuple[str, Parcel]] = []
        self.fails: dict[str, Exception] = {}

    async def send(self, destination: Destination, parcel: Parcel, now: int) -> None:
        if destination.id in self.fails:
            raise self.fails[destination.id]
        self.parcels.append((destination.id, parcel))

    async def test(self, destination: Destination, now: int) -> None:
        raise AssertionError("nobody asks for it here")

    def told(self, destination_id: str = "crm") -> list[tuple[str, str]]:
        return [
            (one.alert.alert_id, one.happening) for name, p in self.parcels for one in p.news if name == destination_id
        ]


class Office:
    """Delivery with a clock that is moved by hand."""

    def __init__(self, *destinations: Destination) -> None:
        self.destinations: Sequence[Destination] = destinations
        self.store, self.sender, self.clock = MemoryDeliveryStore(), Recorded(), ManualClock(NOON)
        self.deliver = self.worker("one")

    def worker(self, name: str) -> Deliver:
        return Deliver(self.store, self.sender, lambda: self.destinations, self.clock, name)

    async def serve(self, after: int = 0, destination_id: str = "crm") -> Served:
        self.clock.move_to(self.clock.now_ms() + after)
        return await self.deliver.serve(next(one for one in self.destinations if one.id == destination_id))

    async def states(self) -> list[str]:
        return sorted(one.state for one in await self.store.find(None, None, 99))


async def test_a_step_is_told_once_however_often_the_topic_repeats_it() -> None:
    office = Office(destination())
    assert await office.deliver.accept(batch(alert("open", "route"))) == 1
    assert await office.serve() == Served(delivered=1)
    assert await office.deliver.accept(batch(alert("open", "route"), alert("open"), start=1)) == 0
    await office.deliver.accept(batch(alert("open", "route", "claim", "raise"), start=3))
    await office.serve()
    assert office.sender.told() == [("al_1", "routed"), ("al_1", "raised")]


async def test_of_several_messages_in_a_batch_the_longest_history_says_all() -> None:
    office = Office(destination())
    await office.deliver.accept(batch(alert("open", "route", "raise"), alert("open", "route")))
    await office.serve()
    assert office.sender.told() == [("al_1", "routed"), ("al_1", "raised")]


async def test_a_batch_of_another_worker_queues_nothing() -> None:
    office = Office(destination())
    await office.deliver.accept(batch(alert("route")))
    with pytest.raises(Fenced):
        await office.deliver.accept(batch(alert("route", alert_id="al_2")))
    assert await office.states() == ["waiting"]


async def test_a_destination_that_is_declared_later_is_not_told_the_past() -> None:
    office = Office()
    await office.deliver.accept(batch(alert("open", "route")))
    office.destinations = [destination()]
    await office.deliver.accept(batch(alert("open", "route", "raise"), start=1))
    await office.serve()
    assert office.sender.told() == [("al_1", "raised")]


async def test_a_receiver_that_fails_for_an_hour_gets_it_with_growing_pauses() -> None:
    office = Office(destination())
    await office.deliver.accept(batch(alert("route")))
    office.sender.fails["crm"] = Unavailable("it answers 500")
    tries = 0
    while office.clock.now_ms() < NOON + HOUR:
        tries += (await office.serve(MINUTE)).missed
    assert tries == 5
    del office.sender.fails["crm"]
    assert (await office.serve(HOUR)).delivered == 1


async def test_a_receiver_that_stays_away_leaves_an_entry_for_an_operator_who_sends_it_again() -> None:
    office = Office(destination())
    await office.deliver.accept(batch(alert("route")))
    office.sender.fails["crm"] = Unavailable("it answers 500")
    while await office.states() == ["waiting"]:
        await office.serve(HOUR)
    assert NOON + DAY <= office.clock.now_ms() <= NOON + DAY + 2 * HOUR
    [dead] = await office.store.find("dead", None, 9)
    assert (dead.error, dead.attempts) == ("it answers 500", 10)
    office.sender.fails.clear()
    await office.store.retry([dead.delivery_id], office.clock.now_ms())
    await office.serve()
    assert office.sender.told() == [("al_1", "routed")]


async def test_what_is_refused_is_not_tried_again_and_holds_nobody_up() -> None:
    office = Office(destination())
    await office.deliver.accept(batch(*(alert("route", alert_id=f"al_{n}") for n in range(9))))
    office.sender.fails["crm"] = Rejected("refused", "it answers 410")
    assert await office.serve() == Served(dead=9)


async def test_after_some_in_a_row_the_receiver_is_away_and_the_others_keep_their_turn() -> None:
    office = Office(destination())
    await office.deliver.accept(batch(*(alert("route", alert_id=f"al_{n}") for n in range(9))))
    office.sender.fails["crm"] = Unavailable("no answer within 10 s")
    assert await office.serve() == Served(missed=AWAY_AFTER, away=True)
    assert len(await office.store.due("crm", office.clock.now_ms(), 99)) == 9 - AWAY_AFTER


async def test_a_receiver_that_takes_one_in_between_is_not_away(monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office(destination())
    await office.deliver.accept(batch(*(alert("route", alert_id=f"al_{n}") for n in range(7))))
    answers, send = [True, True, False] * 2 + [True], office.sender.send

    async def failing(to: Destination, parcel: Parcel, now: int) -> None:
        if answers.pop(0):
            raise Unavailable("it answers 503")
        await send(to, parcel, now)

    monkeypatch.setattr(office.sender, "send", failing)
    assert await office.serve() == Served(delivered=2, missed=5)


async def test_a_digest_keeps_the_turn_of_the_others_too_where_the_receiver_is_away() -> None:
    people = {f"M-{n}": f"m{n}@bank.example" for n in range(AWAY_AFTER + 2)}
    office = Office(mail("crm", digest_at="12:00", people=people))
    await office.deliver.accept(batch(*(alert("route", alert_id=f"al_{one}", owner=one) for one in people)))
    office.sender.fails["crm"] = Unavailable("no answer within 10 s")
    assert await office.serve(DAY) == Served(missed=AWAY_AFTER, away=True)


@pytest.mark.parametrize("to", [destination(), mail("crm", digest_at="12:00", people={"M-2": "bo@bank.example"})])
async def test_who_loses_its_turn_in_the_midst_of_a_queue_sends_no_more(
    to: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(to)
    told = [alert("route", alert_id=f"al_{n}", owner=owner) for n, owner in enumerate(("M-1", "M-2"))]
    await office.deliver.accept(batch(*told))
    turns = [True, True, False]

    async def lease(destination_id: str, owner: str, ttl_ms: int) -> bool:
        return turns.pop(0)

    monkeypatch.setattr(office.store, "lease", lease)
    assert await office.serve(DAY) == Served(delivered=1)
    assert await office.states() == ["delivered", "waiting"]


async def test_a_message_that_we_cannot_make_is_dead_and_the_next_one_goes_out() -> None:
    office = Office(destination(), destination("other"))
    await office.deliver.accept(batch(alert("route")))
    office.sender.fails["crm"] = KeyError("a mistake")
    assert await office.serve() == Served(dead=1)
    assert (await office.serve(destination_id="other")).delivered == 1
    assert (await office.store.find("dead", None, 9))[0].error == "a mistake of ours (KeyError): see the log"


async def test_quiet_hours_hold_everything_until_they_end() -> None:
    office = Office(destination(quiet="11:00-13:00"))
    await office.deliver.accept(batch(alert("route")))
    assert await office.serve() == Served()
    assert await office.serve(59 * MINUTE) == Served()
    assert await office.serve(MINUTE) == Served(delivered=1)


async def test_nobody_gets_more_than_so_many_an_hour_and_others_are_not_held_by_that() -> None:
    office = Office(destination(most_an_hour=2))
    alerts = [alert("route", alert_id=f"al_{n}") for n in range(4)]
    await office.deliver.accept(batch(*alerts, alert("route", alert_id="al_9", owner="M-2")))
    assert await office.serve() == Served(delivered=3, held=2)
    assert await office.serve(HOUR - 1) == Served()
    assert await office.serve(1) == Served(delivered=2)
    assert len(office.sender.told()) == 5


async def test_what_went_out_within_the_hour_counts_whoever_sent_it(monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office(destination(most_an_hour=1))
    await office.deliver.accept(batch(alert("route")))
    assert await office.serve() == Served(delivered=1)
    office.deliver = office.worker("two")
    await office.deliver.accept(batch(alert("route", alert_id="al_2"), start=1))
    assert await office.serve(HOUR // 2) == Served(held=1)
    assert await office.serve(HOUR // 2) == Served(delivered=1)


async def test_what_did_not_arrive_takes_no_place_of_the_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office(destination(most_an_hour=1))
    await office.deliver.accept(batch(*(alert("route", alert_id=f"al_{n}") for n in range(3))))
    answers, send = [Rejected("refused", "it answers 410")], office.sender.send

    async def failing(to: Destination, parcel: Parcel, now: int) -> None:
        if answers:
            raise answers.pop()
        await send(to, parcel, now)

    monkeypatch.setattr(office.sender, "send", failing)
    assert await office.serve() == Served(delivered=1, dead=1, held=1)


async def test_a_digest_has_all_of_the_day_however_much_that_is() -> None:
    office = Office(mail("crm", digest_at="08:30"))
    await office.deliver.accept(batch(*(alert("route", alert_id=f"al_{n}") for n in range(AT_ONCE + 1))))
    await office.serve(DAY)
    assert [len(parcel.news) for _, parcel in office.sender.parcels] == [AT_ONCE + 1]


async def test_a_digest_is_one_message_a_day_and_person() -> None:
    office = Office(mail("crm", digest_at="08:30", people={"M-2": "bo@bank.example"}))
    told = [
        alert("route", alert_id="al_1"),
        alert("route", alert_id="al_2"),
        alert("route", alert_id="al_3", owner="M-2"),
    ]
    await office.deliver.accept(batch(*told))
    assert await office.serve(20 * HOUR) == Served()
    assert await office.serve(HOUR) == Served(delivered=2)
    assert [(parcel.person, len(parcel.news)) for _, parcel in office.sender.parcels] == [
        ("b@bank.example", 2), ("bo@bank.example", 1),
    ]  # fmt: skip
    assert await office.states() == ["delivered"] * 3


async def test_people_do_not_hear_of_what_is_over_before_they_could_and_a_webhook_hears_all() -> None:
    office = Office(mail(quiet="11:00-13:00"), destination(steps=["routed", "withdrawn"]))
    await office.deliver.accept(batch(alert("open", "route")))
    await office.deliver.accept(batch(alert("open", "route", "withdraw"), start=1))
    assert await office.serve(HOUR, "managers") == Served()
    assert (await office.serve()).delivered == 2


async def test_people_hear_in_the_morning_of_what_has_gone_on_at_night() -> None:
    office = Office(mail("managers", quiet="11:00-13:00"))
    await office.deliver.accept(batch(alert("open", "route")))
    await office.deliver.accept(batch(alert("open", "route", "raise"), start=1))
    await office.serve(HOUR, "managers")
    assert office.sender.told("managers") == [("al_1", "routed"), ("al_1", "raised")]


async def test_people_do_not_hear_how_an_alert_began_that_ended_in_the_same_breath() -> None:
    office = Office(mail(steps=["opened", "routed", "withdrawn"]))
    await office.deliver.accept(batch(alert("open", "route", "withdraw")))
    await office.serve(destination_id="managers")
    assert office.sender.told("managers") == [("al_1", "withdrawn")]


HELD = alert("open", "route", "hold", state="new")
HELD = msgspec.structs.replace(HELD, history=[*HELD.history[:2], msgspec.structs.replace(HELD.history[2], state="new")])
AGAIN = msgspec.structs.replace(
    HELD, state="routed", history=[*HELD.history, *alert("release", "route").history], revision=5
)


async def test_people_do_not_hear_of_what_a_guard_has_pulled_back_before_they_could_until_it_comes_up_again() -> None:
    office = Office(mail("managers", quiet="11:00-13:00"))
    await office.deliver.accept(batch(alert("open", "route")))
    await office.deliver.accept(batch(HELD, start=1))
    assert (await office.serve(after=2 * HOUR, destination_id="managers")).delivered == 0
    assert await office.states() == ["dropped"]
    await office.deliver.accept(batch(AGAIN, start=2))
    await office.serve(destination_id="managers")
    assert office.sender.told("managers") == [("al_1", "routed")]


@pytest.mark.parametrize("later", [alert("open", "route", "withdraw"), HELD], ids=["withdrawn", "pulled back"])
async def test_people_whose_channel_was_away_do_not_hear_of_an_alert_that_is_theirs_no_more(later: Alert) -> None:
    office = Office(mail("managers"))
    office.sender.fails["managers"] = Unavailable("it answers 500")
    await office.deliver.accept(batch(alert("open", "route")))
    assert (await office.serve(destination_id="managers")).missed == 1
    await office.deliver.accept(batch(later, start=1))
    office.sender.fails.clear()
    assert await office.serve(HOUR, "managers") == Served()
    assert await office.states() == ["dropped"]


ROUTED = alert("open", "route")
CLAIMED, GIVEN = alert("open", "route", "claim"), alert("open", "route", "reassign", owner="M-2")
PEOPLE = {"M-1": "one@bank.example", "M-2": "two@bank.example"}


async def test_nobody_hears_in_the_morning_of_what_he_has_taken_up_at_night() -> None:
    office = Office(mail("managers", quiet="11:00-13:00"), destination("crm"))
    for start, told in enumerate((ROUTED, CLAIMED)):
        await office.deliver.accept(batch(told, start=start))
    await office.serve(2 * HOUR, "managers")
    await office.serve(destination_id="crm")
    assert office.sender.told("managers") == []
    assert office.sender.told("crm") == [("al_1", "routed")]


async def test_what_is_escalated_after_somebody_took_it_up_is_told() -> None:
    office = Office(mail("managers", quiet="11:00-13:00"))
    await office.deliver.accept(batch(alert("open", "route", "claim", "escalate")))
    await office.serve(2 * HOUR, "managers")
    assert office.sender.told("managers") == [("al_1", "escalated")]


@pytest.mark.parametrize("digest_at", ["", "12:30"])
async def test_what_goes_to_somebody_else_before_its_owner_has_heard_of_it_is_told_to_the_other_alone(
    digest_at: str,
) -> None:
    office = Office(mail("managers", people=PEOPLE, quiet="11:00-13:00", digest_at=digest_at))
    for start, told in enumerate((ROUTED, GIVEN)):
        await office.deliver.accept(batch(told, start=start))
    await office.serve(2 * HOUR, "managers")
    assert [parcel.person for _, parcel in office.sender.parcels] == ["two@bank.example"]


async def test_a_digest_tells_of_what_was_taken_up_meanwhile_as_well() -> None:
    office = Office(mail("managers", digest_at="13:00"))
    for start, told in enumerate((ROUTED, CLAIMED)):
        await office.deliver.accept(batch(told, start=start))
    await office.serve(2 * HOUR, "managers")
    assert office.sender.told("managers") == [("al_1", "routed")]


async def test_an_alert_that_comes_up_again_for_the_same_person_is_not_told_twice_on_one_channel() -> None:
    office = Office(mail("managers"), destination("crm"))
    for start, told in enumerate((alert("open", "route"), HELD, AGAIN)):
        await office.deliver.accept(batch(told, start=start))
        for name in ("managers", "crm"):
            await office.serve(destination_id=name)
    assert office.sender.told("managers") == [("al_1", "routed")]
    assert office.sender.told("crm") == [("al_1", "routed")] * 2  # a system follows every step
    back = msgspec.structs.replace(AGAIN, history=[*AGAIN.history, *alert("reassign").history])
    await office.deliver.accept(batch(back, start=3))
    await office.serve(destination_id="managers")
    assert len(office.sender.told("managers")) == 2


async def test_what_comes_and_is_pulled_back_in_the_same_breath_is_not_told_to_people() -> None:
    office = Office(mail("managers"), destination("crm"))
    await office.deliver.accept(batch(HELD))
    assert [one.destination for one in await office.store.find(None, None, 9)] == ["crm"]


async def test_two_workers_do_not_speak_to_one_destination_at_once() -> None:
    office = Office(destination())
    await office.deliver.accept(batch(alert("route")))
    await office.store.lease("crm", "two", MINUTE)
    assert await office.serve() == Served()
    await office.store.release("crm", "two")
    assert await office.serve() == Served(delivered=1)
    assert await office.store.lease("crm", "two", MINUTE), "it was let go again"


async def test_what_a_worker_leases_is_free_soon_after_its_end_though_its_clock_is_ahead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.alerts.delivery.deliver.LEASE_MS", 1)
    office = Office(destination())
    await office.deliver.accept(batch(alert("route")))

    async def end(*of: object) -> None:
        """As one that is killed does: nothing is let go."""

    monkeypatch.setattr(office.store, "release", end)
    assert await office.serve(HOUR) == Served(delivered=1)
    await asyncio.sleep(0.005)
    assert await office.store.lease("crm", "two", MINUTE)


async def test_over_http_a_message_is_signed_and_a_repeat_has_the_same_id() -> None:
    http = HttpSender()
    async with receiver(Reply(500)) as there:
        office = Office(destination(url=there.url, networks=LOOPBACK, insecure=True))
        channels = DestinationSender(http, {"CRM_SECRET": SECRET}, str)
        deliver = Deliver(office.store, channels, lambda: office.destinations, office.clock, "one")
        await deliver.accept(batch(alert("route")))
        assert (await deliver.serve(office.destinations[0])).missed == 1
        there.reply = Reply()
        office.clock.move_to(NOON + MINUTE)
        assert (await deliver.serve(office.destinations[0])).delivered == 1
        first, second = there.requests
    await http.close()
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


PAUSED = Notice(rule="R4", name=Text("Salary", "工资"), matter="paused", began=True, at=NOON, seen=101, among=12)


def recent(*told: Notice) -> Callable[[int], Awaitable[Sequence[Notice]]]:
    async def since(at: int) -> Sequence[Notice]:
        return [one for one in told if one.at >= at]

    return since


async def test_a_rule_that_does_not_speak_is_told_once_by_every_channel_that_hears_notices() -> None:
    async with receiver() as there:
        ops = destination(url=there.url, insecure=True, networks=LOOPBACK, notices=True, steps=[])
        office = Office(ops)
        http = HttpSender()
        office.deliver = Deliver(
            office.store,
            DestinationSender(http, {"CRM_SECRET": SECRET}, str),
            lambda: office.destinations,
            office.clock,
            "one",
        )
        ended = msgspec.structs.replace(PAUSED, began=False, at=NOON + 1, actor="Mei", note="it was late")
        for _ in range(2):
            await office.deliver.accept_notices(recent(PAUSED, ended))
            await office.serve()
        await http.close()
    first, second = (json.loads(one.body) for one in there.requests)
    assert (first["type"], first["data"]["rule"], first["data"]["seen"]) == ("rule.paused", "R4", 101)
    assert first["data"]["to_do"].startswith("See whether a file is late")
    assert (second["type"], second["data"]["actor"]) == ("rule.paused_ended", "Mei")


async def test_a_notice_is_held_at_night_and_one_of_the_day_before_yesterday_is_none() -> None:
    office = Office(destination(notices=True, quiet="11:00-13:00"))
    aged = [msgspec.structs.replace(PAUSED, rule=f"R9{age}", at=NOON - age) for age in (23 * HOUR, 2 * DAY)]
    await office.deliver.accept_notices(recent(PAUSED, *aged))
    assert (await office.serve()).delivered == 0
    assert (await office.serve(after=HOUR)).delivered == 2


async def test_an_escalation_reaches_the_superiors_mail() -> None:
    told = alert("open", "route", "escalate")
    told.history[2] = msgspec.structs.replace(told.history[2], to="M-9")
    office = Office(mail("crm", people={"M-9": "bob@bank.example"}, steps=["escalated"]))
    await office.deliver.accept(batch(told))
    await office.serve()
    assert [parcel.person for _, parcel in office.sender.parcels] == ["b@bank.example", "bob@bank.example"]
