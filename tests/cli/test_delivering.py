"""`destinations` and `deliveries`: looked at, tried out, sent again."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.alerts.adapters.sql_deliveries import SqlDeliveryStore
from services.alerts.domain.delivering import Delivery, refused
from services.sql.database import Database
from tests.alerts.destined import NOON, SECRET
from tests.cli.conftest import Command, in_database
from tests.receivers import Receiver, Reply, receiver


@contextmanager
def receiving(reply: Reply) -> Iterator[Receiver]:
    """Beside a command, which has a loop of its own."""
    loop, started, ends = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    there: list[Receiver] = []

    async def serve() -> None:
        async with receiver(reply) as one:
            there.append(one)
            started.set()
            await ends.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    started.wait()
    try:
        yield there[0]
    finally:
        loop.call_soon_threadsafe(ends.set)
        thread.join()
        loop.close()


def declare(data: Path, url: str, networks: str = "[127.0.0.0/8]") -> dict[str, str]:
    """Returns the environment of the commands."""
    own = data.parent / "rules"
    own.mkdir()
    (own / "destinations.yaml").write_text(
        f"destinations:\n- {{id: crm, kind: webhook, url: '{url}', secret: CRM_SECRET, insecure: true, "
        f"networks: {networks}}}\n"
    )
    return {"COUNTERPOINT_ALERTS_CATALOGUE": str(own), "CRM_SECRET": SECRET}


def test_without_a_declaration_there_is_no_destination(counterpoint: Command) -> None:
    assert "there are none" in counterpoint("destinations", "list").out
    assert "there is no destination crm" in counterpoint("destinations", "test", "crm").err


def test_destinations_are_listed_without_their_secrets(counterpoint: Command, data: Path) -> None:
    environment = declare(data, "http://crm.bank.example/")
    listed = counterpoint("destinations", "list", "--json", env=environment)
    assert [one["id"] for one in listed.json] == ["crm"]
    assert "secret" not in listed.out


def test_a_mistake_in_the_file_is_told_instead(counterpoint: Command, data: Path) -> None:
    said = counterpoint("destinations", "list", env=declare(data, "crm.bank.example"))
    assert said.code == 1
    assert "destinations.yaml:2: crm url: https:// or http:// is expected" in said.err


def test_a_destination_is_tried_out(counterpoint: Command, data: Path) -> None:
    with receiving(Reply()) as there:
        declared = declare(data, there.url)
        said = counterpoint("destinations", "test", "crm", env=declared)
        assert said.out == "crm has taken it\n"
        again = counterpoint("destinations", "test", "crm", "--json", env=declared)
        assert again.json == {"id": "crm", "taken": True}
        assert b"delivery.test" in there.requests[0].body


def test_a_destination_that_fails_says_why(counterpoint: Command, data: Path) -> None:
    with receiving(Reply(500)) as there:
        said = counterpoint("destinations", "test", "crm", env=declare(data, there.url))
    assert (said.code, said.err) == (1, "error: crm: it answers 500\n")


def test_a_destination_at_a_private_address_is_refused(counterpoint: Command, data: Path) -> None:
    said = counterpoint("destinations", "test", "crm", env=declare(data, "http://127.0.0.1:9/", "[]"))
    assert said.code == 1
    assert "not public" in said.err


@pytest.fixture
def dead(deployment: Path) -> list[str]:
    """Two deliveries that did not arrive."""

    async def leave(database: Database) -> list[str]:
        store = SqlDeliveryStore(database)
        told = [
            Delivery(
                delivery_id=f"msg_{name}", destination=name, person="M-1", alert_id="al_1", happening="routed", step=1,
                body=b"", created_at=NOON, next_at=NOON,
            )
            for name in ("crm", "team")
        ]  # fmt: skip
        async with store.accepting() as tx:
            await tx.add(told)
        await store.settle([refused(one, "it answers 410", NOON) for one in told])
        return [one.delivery_id for one in told]

    found: list[str] = in_database(deployment, leave)
    return found


def test_what_did_not_arrive_is_listed_with_the_reason(counterpoint: Command, dead: list[str]) -> None:
    listed = counterpoint("deliveries", "list", "--json").json
    assert [(one["delivery_id"], one["error"]) for one in listed] == [(one, "it answers 410") for one in dead]
    assert "it answers 410" in counterpoint("deliveries", "list").out


def test_the_doctor_names_who_was_not_reached(counterpoint: Command, dead: list[str]) -> None:
    found = {one["what"]: one for one in counterpoint("doctor", "--json").json}
    assert found["deliveries"]["state"] == "warning"
    assert "to crm, team" in found["deliveries"]["told"]


@pytest.mark.parametrize(("words", "count"), [(["msg_crm"], 1), (["--all"], 2), (["--all", "--destination", "crm"], 1)])
def test_what_did_not_arrive_is_sent_again(
    counterpoint: Command, dead: list[str], words: list[str], count: int
) -> None:
    assert counterpoint("deliveries", "retry", *words).out == f"sent again: {count}\n"
    waiting = counterpoint("deliveries", "list", "--state", "waiting", "--json").json
    assert len(waiting) == count
    assert len(counterpoint("deliveries", "list", "--state", "all", "--json").json) == 2


@pytest.mark.parametrize("words", [[], ["msg_crm", "--all"]])
def test_which_to_send_again_must_be_said(counterpoint: Command, dead: list[str], words: list[str]) -> None:
    assert "name deliveries, or say --all" in counterpoint("deliveries", "retry", *words).err


def test_a_delivery_that_is_not_dead_is_told_to_whoever_wants_it_sent_again(
    counterpoint: Command, dead: list[str]
) -> None:
    said = counterpoint("deliveries", "retry", "msg_crm", "msg_unknown")
    assert (said.code, said.out) == (1, "sent again: 1\n")
    assert "1 of 2 is not dead, or not there: `counterpoint deliveries list`" in said.err


def test_that_nothing_went_to_one_destination_says_nothing_of_the_others(
    counterpoint: Command, dead: list[str]
) -> None:
    assert counterpoint("deliveries", "list", "--destination", "nobody").out.startswith("none to nobody: ")
