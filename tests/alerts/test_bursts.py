"""An absence that many customers show at once: the rule pauses, operations are told, and a person lets it go on."""

from services.alerts.domain.rules import Desk
from services.alerts.learn import Learn, heed
from services.alerts.ports import RuleSwitch
from tests.alerts.test_evaluate import OWED, Service
from tests.alerts.told import DAY, HOUR, NOON, rule, rules, statement

ABSENT = rule("R4", when=("has_salary", "salary_missed >= 1.0"), depends_on=("corebank",), owner="M-9")
DESK = Desk(burst_from=3, burst_times=2, daily_capacity=100)


class Bank(Service):
    """`now`: the clock of the bank."""

    def __init__(self, desk: Desk = DESK) -> None:
        super().__init__(desk)
        self.current.take(rules(ABSENT), desk)
        self.learn = Learn(self.store, self.current)
        self.now = NOON + HOUR

    async def miss(self, *customers: str, at: int = 0, version: int = 1, **facts: object) -> None:
        await self.takes(*(statement(version, one, at or self.now, **OWED, **facts) for one in customers))

    async def open(self) -> list[str]:
        return sorted(one.customer_id for one in await self.alerts() if one.is_open)

    async def enable(self) -> None:
        """As a person does it, and a worker hears of it."""
        await self.store.switch(RuleSwitch("R4", True, "Mei", self.now, "they were really not paid"))
        await heed(self.store, self.current)
        await self.learn.apply(self.now)


def many(first: int, last: int) -> list[str]:
    return [f"c{number:03}" for number in range(first, last)]


async def test_a_burst_of_an_absence_pauses_its_rule_within_the_batch_and_tells_who_answers_for_it() -> None:
    bank = Bank()
    await bank.miss(*many(0, 50))
    assert len(await bank.open()) == 4
    assert bank.current.terms.paused == {"R4"}
    [told] = await bank.store.recent_notices(0, 9)
    assert (told.rule, told.matter, told.began, told.owner, told.seen) == ("R4", "paused", True, "M-9", 4)
    await bank.miss(*many(50, 100))
    assert len(await bank.open()) == 4
    assert await bank.learn.apply(bank.now + HOUR) == ()
    assert bank.current.terms.paused == {"R4"}
    assert len(await bank.store.recent_notices(0, 9)) == 1


async def test_a_paused_rule_that_a_person_switches_off_stays_paused() -> None:
    bank = Bank()
    await bank.miss(*many(0, 50))
    await bank.store.switch(RuleSwitch("R4", False, "Mei", bank.now + 1, "nobody needs it"))
    await heed(bank.store, bank.current)
    assert bank.current.terms.paused == {"R4"}


async def test_a_day_is_compared_with_each_of_the_four_weeks_before_it_as_the_desk_counts_days() -> None:
    bank, midnight = Bank(), NOON + DAY // 2
    await bank.miss(*many(0, 2), at=midnight)
    usual = []
    for days in (0, 1, 28, 29):
        await bank.learn.apply(midnight + days * DAY)
        usual.append(bank.current.bursts.usual("R4"))
    assert usual == [0, 2, 2, 0]


async def test_it_is_a_burst_however_few_customers_a_batch_tells_of() -> None:
    bank = Bank()
    for number, customer in enumerate(many(0, 20)):
        await bank.miss(customer)
        await bank.takes(statement(1, f"calm{number}", bank.now))
        await bank.takes(statement(1, f"late{number}", bank.now - 2 * DAY, **(OWED if number < 3 else {})))
    assert len([one for one in await bank.open() if one.startswith("c")]) == 4


async def test_what_was_raised_before_the_pause_stands_until_its_cause_is_gone() -> None:
    bank = Bank()
    await bank.miss(*many(0, 9))
    await bank.miss("c000", version=2)
    await bank.takes(statement(2, "c001", has_salary=True))
    assert await bank.open() == ["c000", "c002", "c003"]


async def test_other_workers_hear_of_a_pause_and_a_rule_that_a_person_enables_raises_what_still_holds() -> None:
    bank, other = Bank(), Bank()
    other.store, other.learn = bank.store, Learn(bank.store, bank.current)
    await bank.miss(*many(0, 9))
    await heed(other.store, other.current)
    assert other.current.terms.paused == {"R4"}
    bank.now += HOUR
    await bank.enable()
    assert bank.current.terms.paused == frozenset()
    await bank.miss(*many(0, 9), version=2)
    assert len(await bank.open()) == 9
    began, ended = sorted(await bank.store.recent_notices(0, 9), key=lambda one: one.at)
    assert (began.began, began.actor) == (True, "system")
    assert (ended.began, ended.actor, ended.note) == (False, "Mei", "they were really not paid")


async def test_an_absence_that_is_usual_on_such_a_day_is_no_burst() -> None:
    bank = Bank()
    for number in range(4):
        await bank.miss(f"old{number}", at=NOON)
        await bank.enable()
    bank.now = NOON + 20 * DAY
    await bank.learn.apply(bank.now)
    await bank.miss(*many(0, 8))
    assert len(await bank.open()) == 12
    await bank.miss(*many(8, 20))
    assert len(await bank.open()) == 13
    assert (await bank.store.notices())[0].among == 4


async def test_what_is_withdrawn_of_a_day_before_is_usual_for_an_hour_at_most() -> None:
    bank, tomorrow = Bank(), NOON + DAY
    await bank.miss(*many(0, 3))
    await bank.learn.apply(tomorrow)
    await bank.takes(statement(2, "c001", has_salary=True))
    usual = []
    for later in (0, HOUR - 1, HOUR):
        await bank.learn.apply(tomorrow + later)
        usual.append(bank.current.bursts.usual("R4"))
    assert usual == [3, 3, 2]


async def test_what_began_today_is_counted_as_often_as_it_is_asked_for() -> None:
    bank = Bank()
    seen = []
    for number in range(3):
        await bank.miss(f"c{number}")
        await bank.learn.apply(bank.now)
        seen.append(bank.current.bursts.seen("R4", bank.current.terms.day_of(bank.now)))
    assert seen == [1, 2, 3]


async def test_a_new_day_counts_anew_and_a_rule_that_names_no_source_is_never_paused() -> None:
    bank = Bank()
    for day in range(5):
        await bank.miss(*many(day * 3, day * 3 + 3), at=NOON + day * DAY)
    assert len(await bank.open()) == 15
    bank.current.take(rules(ABSENT._replace(declared=rule("R4", when=("has_salary",)).declared)), DESK)
    await bank.miss(*many(20, 60))
    assert len(await bank.open()) == 55


async def test_a_worker_that_starts_anew_knows_what_was_counted_that_day() -> None:
    bank = Bank()
    await bank.miss(*many(0, 3))
    again = Bank()
    again.store, again.until = bank.store, bank.until
    again.learn = Learn(bank.store, again.current)
    again.evaluate._store = bank.store
    await again.learn.apply(again.now)
    await again.miss(*many(3, 9))
    assert len(await bank.open()) == 4
