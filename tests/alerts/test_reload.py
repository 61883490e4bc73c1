"""Rules that are read again while the service runs: by changed files, and by what people switch."""

from pathlib import Path

import structlog

from services.alerts.adapters.memory import MemoryAlertStore
from services.alerts.current import Current
from services.alerts.domain.editions import Edition
from services.alerts.domain.rules import Desk
from services.alerts.ports import RuleSwitch
from services.alerts.reload import Reload
from services.declared_files import Directories
from tests.alerts.test_rule_files import SOUND, one_rule
from tests.alerts.told import CEL, KNOWN, NOON, rules

OFF = RuleSwitch("R4", False, "Li Na", NOON, "the file is late")


class Service:
    """A bank's rules beside one of the product."""

    def __init__(self, directory: Path) -> None:
        (directory / "own").mkdir()
        (directory / "desk.yaml").write_text("daily_capacity: 7\n")
        (directory / "retention.yaml").write_text(SOUND, encoding="utf-8")
        self.own = directory / "own" / "bank.yaml"
        self.store = MemoryAlertStore()
        self.reload = Reload(Directories(directory, directory / "own"), KNOWN, self.store, CEL)
        self.current = Current(rules(), Desk(), lambda day: True)

    async def looks(self) -> dict[str, bool]:
        """Rule -> whether it speaks."""
        await self.reload.into(self.current, NOON)
        return {rule.id: rule.declared.enabled for rule in self.current.rules.rules}

    async def newest(self) -> Edition:
        return (await self.store.editions(None, 1))[0]

    async def desk(self) -> list[tuple[str, str, int]]:
        """Its editions, the oldest first: what, by whom, and the capacity from then on."""
        told = [(one, one.settings or {}) for one in reversed(await self.store.editions("desk.yaml", 9))]
        return [(one.change, one.actor, desk["daily_capacity"]) for one, desk in told]


async def test_a_file_that_is_added_and_removed_is_taken_up_and_written_down(tmp_path: Path) -> None:
    service = Service(tmp_path)
    assert await service.looks() == {"R4": True}
    service.own.write_text("changed_by: Wang Lei\n" + one_rule())
    assert await service.looks() == {"R4": True, "B1": True}
    assert (await service.newest()).actor == "Wang Lei"
    service.own.unlink()
    assert await service.looks() == {"R4": True}
    assert service.current.terms.silent.keys() == {"B1"}


async def test_a_desk_that_is_changed_is_taken_up_and_written_down_with_who_changed_it(tmp_path: Path) -> None:
    service = Service(tmp_path)
    await service.looks()
    own, product = service.own.with_name("desk.yaml"), (tmp_path / "desk.yaml").owner()
    own.write_text("changed_by: Wang Lei\ndaily_capacity: 9\n")
    await service.looks()
    assert service.current.terms.desk.daily_capacity == 9
    own.write_text("changed_by: Li Na\ndaily_capacity: none\n")
    await service.looks()
    own.write_text("# by Li Na\nchanged_by: Li Na\ndaily_capacity: 9\n")
    await service.looks()
    own.write_text("changed_by: Li Na\ndaily_capacity: 11\nremind_at: 60\n")
    await service.looks()
    own.unlink()
    await service.looks()
    assert await service.desk() == [
        ("added", product, 7), ("changed", "Wang Lei", 9), ("changed", "Li Na", 11), ("changed", product, 7),
    ]  # fmt: skip
    assert service.current.terms.silent == {}


async def test_other_labels_are_written_down_with_who_changed_them(tmp_path: Path) -> None:
    service = Service(tmp_path)
    (tmp_path / "labels.yaml").write_text("labels: {gold: {en: gold, zh: 金卡}}\n", encoding="utf-8")
    await service.looks()
    own = service.own.with_name("labels.yaml")
    own.write_text("changed_by: Wang Lei\nlabels: {gold: {en: premier, zh: 尊享}}\n", encoding="utf-8")
    await service.looks()
    newest = await service.newest()
    assert (newest.file, newest.change, newest.actor) == ("labels.yaml", "changed", "Wang Lei")
    assert newest.settings == {"labels": {"gold": {"en": "premier", "zh": "尊享"}}}


async def test_a_mistake_that_is_found_at_the_start_is_told_once(tmp_path: Path) -> None:
    service = Service(tmp_path)
    service.own.write_text(one_rule(when=["asets > 1.0"]))
    with structlog.testing.capture_logs() as told:
        assert await service.looks() == {"R4": True}
        await service.looks()
        service.own.write_text(one_rule(when=["assetts > 1.0"]))
        await service.looks()
    assert [one["event"] for one in told if one["log_level"] == "error"] == [
        "rule left out",
        "a mistake: the rules before it stay",
    ]


async def test_a_rule_is_switched_off_although_a_file_has_a_mistake(tmp_path: Path) -> None:
    service = Service(tmp_path)
    service.own.write_text(one_rule())
    await service.looks()
    version = service.current.rules.version
    service.own.write_text(one_rule(when=["asets > 1.0"]))
    assert await service.looks() == {"R4": True, "B1": True}
    assert service.current.rules.version == version
    await service.store.switch(OFF)
    assert await service.looks() == {"R4": False, "B1": True}
    assert service.current.terms.silent == {"R4": "R4 was switched off by Li Na: the file is late"}


async def test_what_had_a_mistake_at_the_start_is_no_removed_rule(tmp_path: Path) -> None:
    before = Service(tmp_path)
    before.own.write_text(one_rule())
    await before.looks()
    before.own.write_text(one_rule(when=["asets > 1.0"]))
    started = Reload(Directories(tmp_path, tmp_path / "own"), KNOWN, before.store, CEL)
    current = Current(rules(), Desk(), lambda day: True)
    await before.store.switch(OFF)
    await started.into(current, NOON)
    assert {rule.id: rule.declared.enabled for rule in current.rules.rules} == {"R4": False}
    assert current.terms.silent == {}
    before.own.write_text(one_rule(cooldown_days=9))
    await started.into(current, NOON)
    assert current.terms.silent.keys() == {"R4"}
