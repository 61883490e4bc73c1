"""A bank's own event types show an example that ingest accepts."""

import time
from pathlib import Path

import msgspec
import pytest

from schemas.catalogue import CatalogueError, load_catalogue
from services.ingest.adapters.memory import TokenBuckets
from services.ingest.app import Stores, open_ingest
from services.ingest.domain.examples import refuse_bad_examples
from services.metrics import Metrics
from tests.clocks import ManualClock
from tests.ingest.bank import CATALOGUE, NAMING, NOW, ListLog
from tests.ingest.memory import MemoryKeyStore, MemorySourceStore

LOCKER = """
locker.opened:
  meaning: A safe-deposit locker was opened
  channels: [counter]
  subject: [customer_no]
  rank: 50
  required: [locker_size, opened_on]
  example:
    identifiers: {customer_no: "10000017"}
    attributes: {locker_size: small, opened_on: "2026-11-22"}
"""
ATTRIBUTES = "locker_size: {meaning: How large it is, values: [small, large]}\n"


def see(own: Path, changed: str, to: str) -> None:
    assert changed in LOCKER
    (own / "lockers.yaml").write_text(LOCKER.replace(changed, to))
    (own / "attributes.yaml").write_text(ATTRIBUTES)
    refuse_bad_examples(load_catalogue(own))


def test_the_product_s_examples_and_a_good_one_of_the_bank_are_taken(tmp_path: Path) -> None:
    refuse_bad_examples(load_catalogue())
    see(tmp_path, "small", "large")


@pytest.mark.parametrize(("changed", "to", "told"), [
    ("locker_size: small", "locker_size: tiny", "attributes.locker_size: one of small, large is expected"),
    ('"2026-11-22"', '"22.11.2026"', "attributes.opened_on: a date as YYYY-MM-DD is expected"),
    ('"10000017"', '"  "', "identifiers"),
    ("    identifiers", "    occured_at: \"2026-11-22T09:00:00Z\"\n    identifiers", "occured_at: "),
    ("    identifiers", "    amount: {value: \"1,00\", currency: CNY}\n    identifiers", "amount"),
])  # fmt: skip
def test_an_example_that_would_be_refused_is_told_with_its_field(
    tmp_path: Path, changed: str, to: str, told: str
) -> None:
    with pytest.raises(CatalogueError) as refused:
        see(tmp_path, changed, to)
    assert str(refused.value).startswith(f"lockers.yaml: locker.opened: the example is no event: {told}")


async def test_ingest_does_not_start_beside_an_example_that_it_would_refuse() -> None:
    paid_in = CATALOGUE["cash.deposited"]
    broken = msgspec.structs.replace(
        paid_in, example={**paid_in.example, "amount": {"value": "1,00", "currency": "CNY"}}
    )
    stores = Stores(MemoryKeyStore(), MemorySourceStore())
    with pytest.raises(CatalogueError, match=r"money\.yaml: cash\.deposited: the example is no event: amount\.value: "):
        await open_ingest(
            ListLog(), stores, TokenBuckets(time.monotonic), NAMING, {paid_in.name: broken}, ManualClock(NOW), Metrics()
        )
