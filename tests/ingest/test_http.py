"""The way in as a channel system meets it: answers, limits, refusals, and what then stands in the log."""

import asyncio
import gzip
from codecs import BOM_UTF8
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from schemas.receipt import decode_receipt
from services.failures import Unavailable
from services.ingest.accept import MAX_KEPT_BYTES
from services.ingest.access import GRACE_S, KeyAccess
from services.ingest.channels import publish
from services.ingest.domain.sources import Grant, Source
from services.ingest.registry import create_key, set_source
from services.ingest.settings import Choices, Limits
from tests.clocks import ManualClock
from tests.ingest.bank import CATALOGUE, NOW, VISA, Bank, encoded, open_bank, transaction


@pytest_asyncio.fixture
async def bank() -> AsyncIterator[Bank]:
    opened = await open_bank()
    yield opened
    await opened.client.aclose()


def counted(bank: Bank) -> str:
    return bank.metrics.render().decode()


async def test_one_event_is_accepted_and_durable(bank: Bank) -> None:
    answer = await bank.post(transaction())
    assert answer.status_code == 202
    assert answer.json()["accepted"] == 1
    assert [event.id for event in bank.log.events()] == ["t-1"]


async def test_the_receipt_names_the_offset_after_the_last_event_of_each_partition(bank: Bank) -> None:
    await bank.post(transaction())
    answer = await bank.post({"events": [transaction(), transaction()]})
    assert list(decode_receipt(answer.json()["receipt"]).values()) == [3]


async def test_a_batch_and_ndjson_say_the_same(bank: Bank) -> None:
    events = [transaction(id=f"t-{n}") for n in range(3)]
    assert (await bank.post({"events": events})).json()["accepted"] == 3
    lines = b"\n".join(encoded(event) for event in events) + b"\n\n"
    answer = await bank.post(lines, content_type="application/x-ndjson")
    assert answer.json()["accepted"] == 3
    assert len(bank.log.events()) == 6


async def test_one_bad_event_does_not_fail_its_batch(bank: Bank) -> None:
    events = [transaction(), transaction(id="bad", direction="sideways"), transaction()]
    answer = await bank.post({"events": events})
    assert answer.status_code == 202
    assert answer.json()["accepted"] == 2
    (rejected,) = answer.json()["rejected"]
    assert (rejected["index"], rejected["id"], rejected["field"]) == (1, "bad", "direction")
    assert [letter.event_id for letter in bank.log.dead_letters()] == ["bad"]


async def test_an_index_counts_through_a_large_batch(bank: Bank) -> None:
    events = [transaction(id=f"t-{n}", **({"direction": "up"} if n in (5, 300) else {})) for n in range(400)]
    answer = await bank.post({"events": events})
    assert answer.json()["accepted"] == 398
    assert [rejected["index"] for rejected in answer.json()["rejected"]] == [5, 300]
    assert sorted(letter.event_id for letter in bank.log.dead_letters()) == ["t-300", "t-5"]
    assert {event.id for event in bank.log.events()} == {f"t-{n}" for n in range(400) if n not in (5, 300)}
    assert 'counterpoint_events_accepted_total{channel="corebank",source="core"} 398.0' in counted(bank)


async def test_a_rejection_names_the_id_that_was_sent_unless_it_is_too_long_or_holds_a_card_number(bank: Bank) -> None:
    ids = ["x" * 200, "x" * 201, f"card {VISA}", None]
    answer = await bank.post({"events": [transaction(id=one, type="x") for one in ids]})
    assert [one["id"] for one in answer.json()["rejected"]] == ["x" * 200, None, None, None]


async def test_of_an_event_too_large_to_keep_a_dead_letter_tells_the_shape(bank: Bank) -> None:
    sizes = [len(encoded(transaction(type="x", attributes={"description": ""})))]
    for longer in (MAX_KEPT_BYTES - sizes[0], MAX_KEPT_BYTES - sizes[0] + 1):
        await bank.post(transaction(type="x", attributes={"description": "y" * longer}))
    kept, shaped = bank.log.dead_letters()
    assert (kept.length, b"yyyy" in kept.body) == (MAX_KEPT_BYTES, True)
    assert (shaped.length, b"yyyy" in shaped.body) == (MAX_KEPT_BYTES + 1, False)


async def test_a_byte_order_mark_before_the_body_is_passed_over(bank: Bank) -> None:
    one, two = (encoded(transaction(id=f"t-{number}")) for number in (1, 2))
    for body in (one, b'{"events": [' + one + b"]}"):
        assert (await bank.post(BOM_UTF8 + body)).json()["accepted"] == 1
    answer = await bank.post(BOM_UTF8 + one + b"\n" + two, content_type="application/x-ndjson")
    assert answer.json()["accepted"] == 2


async def test_a_repeat_counts_as_accepted(bank: Bank) -> None:
    await bank.post(transaction())
    assert (await bank.post(transaction())).json()["accepted"] == 1


async def test_an_empty_batch_is_a_sign_of_life(bank: Bank) -> None:
    answer = await bank.post({"events": []})
    assert (answer.status_code, answer.json()["accepted"]) == (202, 0)


async def test_nothing_acceptable_is_422_as_a_problem_document(bank: Bank) -> None:
    answer = await bank.post({"events": [transaction(type="nonsense.happened")] * 2})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [rejected["reason"] for rejected in answer.json()["rejected"]] == ["unknown_type"] * 2
    mixed = await bank.post({"events": [transaction(channel="atm"), transaction(type="nonsense.happened")] * 2})
    assert mixed.status_code == 422, "where each alone has another status"


@pytest.mark.parametrize(
    "body", [b"", b"  ", b"{", b"[]x", b'{"events": [', b'{"events": 5}', b'{"events": [{}], "more": 1}', b"\xff\xfe"]
)
async def test_what_cannot_be_parsed_is_400_and_a_dead_letter(bank: Bank, body: bytes) -> None:
    answer = await bank.post(body)
    assert answer.status_code == 400
    (letter,) = bank.log.dead_letters()
    assert (letter.reason, letter.length) == ("malformed", len(body))
    assert 'counterpoint_events_rejected_total{reason="malformed",source="core"} 1.0' in counted(bank)


async def test_what_no_database_holds_is_kept_out_of_the_columns_of_a_dead_letter(bank: Bank) -> None:
    events = [transaction(id="t\0one"), {**transaction(id="t-2"), "no\0te": "x"}]
    answer = await bank.post({"events": events})
    assert [(one["id"], one["field"]) for one in answer.json()["rejected"]] == [("t\0one", "id"), ("t-2", "no\0te")]
    assert [(one.event_id, one.field) for one in bank.log.dead_letters()] == [
        ("t\ufffdone", "id"),
        ("t-2", "no\ufffdte"),
    ]


async def test_a_broken_line_is_one_rejection_of_its_request(bank: Bank) -> None:
    lines = encoded(transaction()) + b'\n{"id": "t-2", \n' + encoded(transaction())
    answer = await bank.post(lines, content_type="application/x-ndjson")
    assert answer.json()["accepted"] == 2
    assert [(rejected["index"], rejected["reason"]) for rejected in answer.json()["rejected"]] == [(1, "malformed")]


async def test_an_event_with_a_key_twice_is_one_rejection_of_its_request(bank: Bank) -> None:
    doubled = b'{"id": "t-2",' + encoded(transaction())[1:]
    answer = await bank.post(b'{"events": [' + b",".join([encoded(transaction()), doubled]) + b"]}")
    (rejected,) = answer.json()["rejected"]
    assert (answer.json()["accepted"], rejected["index"], rejected["field"]) == (1, 1, "id")
    assert (rejected["reason"], "stands twice" in rejected["message"]) == ("duplicate_field", True)


@pytest.mark.parametrize("depth", [500, 10_000])
async def test_deep_json_in_a_batch_costs_only_its_own_event(bank: Bank, depth: int) -> None:
    deep = b'{"id": "deep", "type": "x", "a": "]}", "attributes": ' + b"[" * depth + b"]" * depth + b"}"
    body = b'{"events": [' + encoded(transaction()) + b", " + deep + b", " + encoded(transaction(id="t-2")) + b"]}"
    answer = await bank.post(body)
    assert answer.status_code == 202
    assert [event.id for event in bank.log.events()] == ["t-1", "t-2"]
    assert [rejected["index"] for rejected in answer.json()["rejected"]] == [1]


@pytest.mark.parametrize("value", [b"NaN", b"1e400", b"9" * 5_000, b'"\\ud800"', b"[" * 2_000 + b"NaN" + b"]" * 2_000])
async def test_a_value_that_cannot_be_read_costs_only_its_own_event(bank: Bank, value: bytes) -> None:
    bad = encoded(transaction(id="bad", attributes={"exchange_rate": "X"})).replace(b'"X"', value)
    body = b'{"events": [' + encoded(transaction()) + b", " + bad + b", " + encoded(transaction(id="t-2")) + b"]}"
    answer = await bank.post(body)
    assert answer.status_code == 202
    assert [event.id for event in bank.log.events()] == ["t-1", "t-2"]
    assert [rejected["index"] for rejected in answer.json()["rejected"]] == [1]


@pytest.mark.parametrize("rest", [b"]", b'], "more": 1}', b"]} x", b", {]}", b'{"id": nothing}]}'])
async def test_a_batch_that_is_broken_itself_is_400_whatever_its_events_hold(bank: Bank, rest: bytes) -> None:
    answer = await bank.post(b'{"events": [{"amount": NaN}, ' + encoded(transaction()) + rest)
    assert answer.status_code == 400
    assert not bank.log.events()


@pytest.mark.parametrize("body", [b"[" * 10_000 + b"]" * 10_000, b'{"a":' * 10_000 + b"1" + b"}" * 10_000])
async def test_deep_json_alone_is_refused(bank: Bank, body: bytes) -> None:
    answer = await bank.post(body)
    assert answer.status_code == 422
    assert answer.json()["rejected"][0]["reason"] in ("too_deep", "invalid_field")


async def test_who_nests_too_deeply_is_told_how_deep_it_may_be(bank: Bank) -> None:
    answer = await bank.post(
        encoded(transaction())[:-1] + b', "attributes": ' + b'{"a":' * 9_999 + b"1" + b"}" * 10_000
    )
    (refused,) = answer.json()["rejected"]
    assert (refused["reason"], refused["message"]) == ("too_deep", "nested deeper than 16 levels")


@pytest.mark.parametrize("named", ["gzip", "GZIP", "x-gzip"])
async def test_gzip_is_unpacked(bank: Bank, named: str) -> None:
    answer = await bank.post(gzip.compress(encoded(transaction())), content_encoding=named)
    assert answer.status_code == 202


async def test_several_gzip_members_are_one_body(bank: Bank) -> None:
    one, two = encoded(transaction()) + b"\n", encoded(transaction(id="t-2"))
    packed = gzip.compress(one) + gzip.compress(two)
    answer = await bank.post(packed, content_encoding="gzip", content_type="application/x-ndjson")
    assert answer.json()["accepted"] == 2


async def test_truncated_gzip_is_400(bank: Bank) -> None:
    packed = gzip.compress(encoded(transaction()))
    assert (await bank.post_gzip(b"", packed[:-12])).json()["detail"] == "the gzip body is truncated"
    assert (await bank.post_gzip(b"", packed[:-4])).json()["detail"] == "the gzip body is truncated"
    assert (await bank.post_gzip(b"", b"no gzip at all")).status_code == 400
    assert (await bank.post_gzip(b"", b"")).status_code == 400
    assert bank.log.events() == []


async def test_a_gzip_bomb_is_413() -> None:
    bank = await open_bank(Limits(max_body_bytes=100_000))
    answer = await bank.post_gzip(b" " * 50_000_000)
    assert answer.status_code == 413


@pytest.mark.parametrize(("room", "status"), [(0, 202), (-1, 413)])
async def test_a_body_may_be_as_large_as_is_allowed_as_sent_and_again_unpacked(room: int, status: int) -> None:
    body = encoded(transaction())
    bank = await open_bank(Limits(max_body_bytes=len(body) + room))
    assert (await bank.post(body)).status_code == status
    assert (await bank.post_gzip(body)).status_code == status


async def test_a_body_that_is_too_large_or_a_strangers_is_not_even_read(bank: Bank) -> None:
    async def never() -> AsyncIterator[bytes]:
        raise AssertionError("nobody asked for it")
        yield b""

    large = {"content-length": str((8 << 20) + 1)}
    for headers, status in ((large, 413), ({"authorization": "Bearer cpk_unknown"}, 401)):
        assert (await bank.client.post("/v1/events", content=never(), headers=headers)).status_code == status


async def test_a_body_too_large_is_413_whether_or_not_it_says_so() -> None:
    bank = await open_bank(Limits(max_body_bytes=1_000))
    assert (await bank.post(b" " * 1_001)).status_code == 413

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100

    assert (await bank.client.post("/v1/events", content=chunks())).status_code == 413


async def test_an_event_too_large_is_413_alone_and_a_rejection_in_a_batch(bank: Bank) -> None:
    large = transaction(id="large", attributes={"description": "x" * 70_000})
    assert (await bank.post(large)).status_code == 413
    answer = await bank.post({"events": [large, transaction()]})
    assert answer.json()["rejected"][0]["reason"] == "event_too_large"
    assert answer.status_code == 202


async def test_too_many_events_are_413() -> None:
    bank = await open_bank(Limits(max_batch_events=2))
    assert (await bank.post({"events": [transaction()] * 3})).status_code == 413


@pytest.mark.parametrize(("of_source", "most"), [(None, 3), (2, 2), (4, 4)])
async def test_a_request_holds_as_many_events_as_its_source_may_send_else_as_the_deployment_allows(
    of_source: int | None, most: int
) -> None:
    bank = await open_bank(Limits(max_batch_events=3))
    await set_source(bank.stores.sources, Source(id="core", max_batch_events=of_source), CATALOGUE)
    for count, status in ((most, 202), (most + 1, 413)):
        assert (await bank.post({"events": [transaction(id=str(one)) for one in range(count)]})).status_code == status


@pytest.mark.parametrize(
    "headers", [{"content_type": "text/plain"}, {"content_type": ""}, {"content_encoding": "br"}], ids=str
)
async def test_other_types_and_encodings_are_415(bank: Bank, headers: dict[str, str]) -> None:
    assert (await bank.post(transaction(), **headers)).status_code == 415


async def test_a_charset_beside_the_type_is_no_harm(bank: Bank) -> None:
    assert (await bank.post(transaction(), content_type="Application/JSON; charset=utf-8")).status_code == 202


@pytest.mark.parametrize("authorization", ["", "Basic abc", "Bearer ", "Bearer cpk_unknown"])
async def test_without_a_known_key_it_is_401(bank: Bank, authorization: str) -> None:
    answer = await bank.post(transaction(), authorization=authorization)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert bank.log.events() == []


async def test_a_known_key_counts_as_a_bearers_alone_and_the_answer_tells_what_is_wrong(bank: Bank) -> None:
    plain, unknown = "Bearer", 'Bearer error="invalid_token"'
    given = {f"Basic {bank.key}": plain, "Bearer ": plain, "Bearer cpk_unknown": unknown}
    for authorization, told in given.items():
        answer = await bank.post(transaction(), authorization=authorization)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, told)
    assert (await bank.post(transaction(), authorization=f"bearer  {bank.key} ")).status_code == 202


async def test_another_method_is_405(bank: Bank) -> None:
    assert (await bank.client.get("/v1/events")).status_code == 405


async def test_a_channel_that_the_key_does_not_allow_is_403(bank: Bank) -> None:
    assert (await bank.post(transaction(channel="atm"))).status_code == 403
    mixed = await bank.post({"events": [transaction(channel="atm"), transaction(channel="corebank")]})
    assert (mixed.status_code, mixed.json()["accepted"]) == (202, 1)


async def test_too_many_events_a_second_are_429_with_the_time_to_wait() -> None:
    bank = await open_bank(rate=10)
    assert (await bank.post({"events": [transaction()] * 20})).status_code == 202
    answer = await bank.post({"events": [transaction()] * 20})
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "2"
    assert len(bank.log.events()) == 20


async def test_an_empty_request_counts_as_one_event_of_the_rate_and_no_wait_is_told_as_none() -> None:
    bank = await open_bank(rate=2)
    statuses = [(await bank.post({"events": []})).status_code for _ in range(4)]
    answer = await bank.post({"events": []})
    assert (statuses, answer.status_code, answer.headers["retry-after"]) == ([202] * 4, 429, "1")


async def test_while_the_log_is_away_it_is_503_and_nothing_is_said_to_be_accepted(bank: Bank) -> None:
    bank.log.failing = {"channel-events"}
    answer = await bank.post(transaction())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
    assert answer.json()["detail"] == "nothing was accepted for certain, send it again: the log is away"
    bank.log.failing = set()
    assert (await bank.post(transaction())).status_code == 202


async def test_each_reason_for_accepting_nothing_is_told_once_and_so_is_the_end(bank: Bank) -> None:
    bank.log.failing = {"channel-events"}
    with capture_logs() as told:
        for why in ("the log is away", "the log is away", "the disk is full"):
            bank.log.why = why
            await bank.post(transaction())
        bank.log.failing = set()
        await bank.post(transaction())
    assert [(one["event"], one.get("what"), one["topic"]) for one in told] == [
        ("acceptance waits", "the log is away", "channel-events"),
        ("acceptance waits", "the disk is full", "channel-events"),
        ("acceptance goes on", None, "channel-events"),
    ]


async def test_ingest_is_not_ready_for_a_while_after_the_log_took_nothing_and_says_why(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = ManualClock()
    monkeypatch.setattr(publish, "monotonic", lambda: watch.now_ms() / 1000)
    assert await bank.ingest.check() is None
    bank.log.failing = {"channel-events"}
    await bank.post(transaction())
    assert await bank.ingest.check() == "nothing is accepted: the log is away"
    two_heartbeats_ms = int(2_000 * Choices().heartbeat_s)
    watch.move_to(two_heartbeats_ms - 1)
    assert await bank.ingest.check() == "nothing is accepted: the log is away"
    watch.move_to(two_heartbeats_ms)
    assert await bank.ingest.check() is None, "or nothing would be sent to it ever again"
    await bank.post(transaction())
    bank.log.failing = set()
    await bank.post(transaction())
    assert await bank.ingest.check() is None


async def test_ingest_is_ready_again_although_the_clock_was_ahead_when_the_log_was_away(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = ManualClock()
    monkeypatch.setattr(publish, "monotonic", lambda: watch.now_ms() / 1000)
    bank.clock.move_to(NOW + 30 * 3_600_000)
    bank.log.failing = {"channel-events"}
    await bank.post(transaction())
    bank.clock.set_back_to(NOW)
    watch.move_to(int(2_000 * Choices().heartbeat_s))
    assert await bank.ingest.check() is None


async def test_ingest_is_not_ready_while_somebody_has_deleted_its_topic(bank: Bank) -> None:
    del bank.log.topics["channel-events"]
    told = "the log holds no topic channel-events any more: restore it, or start the platform anew, which makes it"
    assert await bank.ingest.check() == told


async def test_a_rejection_that_cannot_be_kept_is_503_and_sent_again(bank: Bank) -> None:
    bank.log.failing = {"dead-letters"}
    assert (await bank.post({"events": [transaction(), {}]})).status_code == 503
    assert (await bank.post(b"{")).status_code == 503
    bank.log.failing = set()
    assert (await bank.post({"events": [transaction(), {}]})).status_code == 202
    assert len(bank.log.dead_letters()) == 1


async def test_more_than_may_be_in_flight_is_503() -> None:
    bank = await open_bank(Limits(max_requests_in_flight=1))
    started, let_go = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        started.set()
        await let_go.wait()
        yield encoded(transaction())

    # httpx reads a body only when asked for it, as a server does
    waiting = asyncio.create_task(bank.client.post("/v1/events", content=slow()))
    await started.wait()
    refused = await bank.post(transaction())
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    let_go.set()
    assert (await waiting).status_code == 202
    assert (await bank.post(transaction())).status_code == 202


async def test_the_bytes_of_all_requests_in_flight_are_counted_and_given_back() -> None:
    body = encoded(transaction())
    packed = gzip.compress(body)
    bank = await open_bank(Limits(max_bytes_in_flight=len(packed) + len(body)))
    started, let_go = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield packed[:10]
        for at in range(10, len(packed)):
            yield packed[at : at + 1]
        started.set()
        await let_go.wait()

    headers = {"content-encoding": "gzip"}
    for _ in range(2):
        waiting = asyncio.create_task(bank.client.post("/v1/events", content=slow(), headers=headers))
        await started.wait()
        assert (await bank.post(b" ")).status_code == 503
        let_go.set()
        assert (await waiting).status_code == 202
        started.clear()
        let_go.clear()
    assert (await bank.post(body)).status_code == 202


async def test_more_bytes_than_may_be_in_flight_are_503() -> None:
    bank = await open_bank(Limits(max_bytes_in_flight=100))
    assert (await bank.post(transaction())).status_code == 503
    assert (await bank.post(b"{}")).status_code == 422, "what was refused holds nothing"


async def test_a_body_that_does_not_come_is_408() -> None:
    bank = await open_bank(Limits(body_timeout_s=0.01))

    async def never() -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b""

    assert (await bank.client.post("/v1/events", content=never())).status_code == 408


async def test_a_client_that_goes_away_leaves_nothing_behind(bank: Bank) -> None:
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    headers = [(b"authorization", f"Bearer {bank.key}".encode()), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/v1/events", "headers": headers}
    await bank.ingest.routes["/v1/events"](scope, receive, send)
    assert sent == []
    assert bank.log.events() == []


async def test_a_request_id_is_returned_when_it_is_one(bank: Bank) -> None:
    assert (await bank.post(transaction(), x_request_id="abc-1")).headers["x-request-id"] == "abc-1"
    assert (await bank.post(transaction(), x_request_id="a b<")).headers["x-request-id"] != "a b<"


async def test_a_mistake_of_ours_is_500_and_its_log_repeats_nothing(
    bank: Bank, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(topic: str, messages: object) -> None:
        raise RuntimeError("Zhang Wei")

    monkeypatch.setattr(bank.log, "append", broken)
    answer = await bank.post(transaction())
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "RuntimeError" in caplog.text
    assert "Zhang" not in caplog.text


class Seconds:
    """A monotonic clock set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_revoked_key_and_a_changed_source_take_effect_within_a_second(bank: Bank) -> None:
    seconds = Seconds()
    access = KeyAccess(bank.stores.keys, bank.stores.sources, seconds)
    assert await access.terms(bank.key) is not None
    await set_source(bank.stores.sources, Source(id="core", currency="EUR"), CATALOGUE)
    seconds.now = 0.9
    changed = await access.terms(bank.key)
    assert changed is not None
    assert changed.source.currency == "EUR"
    (grant,) = await bank.stores.keys.grants()
    assert await bank.stores.keys.revoke(grant.key_id, NOW)
    seconds.now = 1.8
    assert await access.terms(bank.key) is None


async def test_a_key_revoked_while_its_body_is_being_sent_is_401(bank: Bank) -> None:
    (grant,) = await bank.stores.keys.grants()

    async def revoked_meanwhile() -> AsyncIterator[bytes]:
        yield b"["
        assert await bank.stores.keys.revoke(grant.key_id, NOW)
        while (await bank.post(transaction())).status_code != 401:  # known for half a second more
            pass
        yield b"]"

    assert (await bank.client.post("/v1/events", content=revoked_meanwhile())).status_code == 401


async def test_a_source_switched_off_shuts_its_keys_out(bank: Bank) -> None:
    await set_source(bank.stores.sources, Source(id="core", enabled=False), CATALOGUE)
    assert (await bank.post(transaction())).status_code == 401


async def test_while_the_key_store_is_away_known_keys_hold_for_the_grace_and_unknown_ones_wait(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = Seconds()
    seconds.now = 1_000.0
    access = KeyAccess(bank.stores.keys, bank.stores.sources, seconds)
    await access.terms(bank.key)
    assert await access.terms("cpk_unknown") is None

    async def away(key_hash: str) -> Grant | None:
        raise Unavailable("the database is away")

    monkeypatch.setattr(bank.stores.keys, "find", away)
    seconds.now += GRACE_S
    assert await access.terms(bank.key) is not None
    for unknown in ("cpk_another", "cpk_unknown"):  # it may have been made since
        with pytest.raises(Unavailable):
            await access.terms(unknown)
    seconds.now += 1
    with pytest.raises(Unavailable):
        await access.terms(bank.key)


async def test_a_key_is_shown_once_and_kept_hashed(bank: Bank) -> None:
    secret, grant = await create_key(bank.stores.keys, bank.stores.sources, "core", ["atm"], NOW, rate=7)
    assert secret.startswith("cpk_")
    assert secret not in repr(bank.stores.keys.__dict__)
    assert (grant.rate, grant.burst, grant.channels) == (7, 14, ("atm",))


async def test_a_card_number_never_reaches_an_answer_or_the_log(bank: Bank) -> None:
    events = [
        transaction(id=VISA),
        transaction(type=VISA),
        transaction(**{VISA: 1}),
        transaction(attributes={VISA: VISA}),
        transaction(identifiers={VISA: VISA}),
        transaction(identifiers={"account_no": VISA}),
        transaction(occurred_at=VISA),
        transaction(direction=VISA),
        transaction(channel=VISA),
        transaction(amount={"value": "1.00", "currency": VISA}),
        transaction(amount={"value": "1.00", "currency": "CNY", VISA: 1}),
        transaction(counterparty={"name": f"to 4111-1111 1111-1111 {VISA}"}),
        transaction(attributes={"description": {VISA: [VISA]}}),
        transaction(attributes={"branch": 4111111111111111}),
        transaction(sequence=VISA),
    ]
    answer = await bank.post({"events": events})
    everything = answer.text.encode() + msgspec.json.encode(bank.log.events()) + repr(bank.log.dead_letters()).encode()
    assert answer.json()["accepted"] == 3
    assert VISA.encode() not in everything
    assert b"4111-1111" not in everything


async def test_the_catalogue_and_the_documents_are_laid_open(bank: Bank) -> None:
    types = (await bank.client.get("/v1/event-types")).json()["event_types"]
    assert {entry["name"] for entry in types} == set(CATALOGUE)
    assert (await bank.client.get("/v1/asyncapi.json")).json()["asyncapi"] == "3.1.0"


async def test_every_example_of_the_catalogue_is_accepted() -> None:
    bank = await open_bank(channels=["*"])
    answer = await bank.post({"events": [event_type.example for event_type in CATALOGUE.values()]})
    assert answer.json()["rejected"] == []
    assert answer.json()["accepted"] == len(CATALOGUE)


async def test_unknown_types_are_accepted_where_the_bank_chose_so() -> None:
    bank = await open_bank(choices=Choices(accept_unknown_types=True))
    event = transaction(
        type="robo.advised", amount=None, direction=None, attributes={"steps": [{"pin": "1234", "n": 1}]}
    )
    assert (await bank.post(event)).status_code == 202
    (accepted,) = bank.log.events()
    assert (accepted.type, accepted.attributes) == ("robo.advised", b'{"steps":[{"n":1}]}')


async def test_requests_are_counted_by_their_answer(bank: Bank) -> None:
    await bank.post(transaction())
    await bank.post({"events": [transaction(type="x")]})
    await bank.client.get("/v1/events")
    bank.log.failing = {"channel-events"}
    await bank.post(transaction())
    text = counted(bank)
    assert 'counterpoint_http_requests_total{method="other",route="/v1/events",status="405"} 1.0' in text
    assert 'counterpoint_back_pressure_total{status="503"} 1.0' in text
    assert text.count("counterpoint_back_pressure_total{") == 1, "who is told to wait, and nobody else"
    assert 'counterpoint_events_accepted_total{channel="corebank",source="core"} 1.0' in text
    assert 'counterpoint_events_rejected_total{reason="unknown_type",source="core"} 1.0' in text
    assert 'counterpoint_http_requests_total{method="POST",route="/v1/events",status="422"} 1.0' in text
