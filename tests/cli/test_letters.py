"""Dead letters are looked at, and sent again after a fix: then each counts once."""

import json
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import Command, Platform, running

AT = "2026-03-01T09:00:00+08:00"


def send(platform: Platform, path: Path, *events: Mapping[str, object]) -> None:
    path.write_text("\n".join(json.dumps(event) for event in events))
    platform.run("replay", "ndjson", str(path))


def letters(platform: Platform, *narrowed: str, count: int = 1) -> list[dict[str, str]]:
    return list(platform.until("dead-letters", "list", *narrowed, holds=lambda found: len(found) == count))


def test_what_was_refused_is_accepted_after_a_fix(platform: Platform, tmp_path: Path) -> None:
    platform.run("sources", "set", "bank", "max_event_bytes=300")
    page = {"id": "p1", "type": "page.viewed", "occurred_at": AT, "identifiers": {"login": "l-1"}}
    platform.until("sources", "list", holds=lambda rows: rows[0]["max_event_bytes"] == 300)
    big = {**page, "attributes": {"page": "/" + "x" * 180, "product_family": "credit_card"}}
    while not platform.run("dead-letters", "list", "--reason", "event_too_large", "--json").json:
        send(platform, tmp_path / "e.ndjson", big)  # a changed source takes effect within a second
    platform.run("sources", "set", "bank", "max_event_bytes=65536")
    letter = platform.run("dead-letters", "list", "--reason", "event_too_large", "--json").json[0]
    shown = platform.run("dead-letters", "show", letter["letter_id"], "--json").json
    assert (shown["state"], shown["event_id"], shown["body"]["type"]) == ("open", "p1", "page.viewed")
    while platform.run("dead-letters", "list", "--reason", "event_too_large", "--json").json:
        platform.run("dead-letters", "replay", "--all", "--reason", "event_too_large")
    platform.until("customers", "timeline", "login=l-1", holds=lambda events: [one["id"] for one in events] == ["p1"])
    assert platform.run("dead-letters", "replay", letter["letter_id"]).out.endswith("was replayed before\n")
    assert len([one for one in platform.run("keys", "list", "--json").json if one["revoked_at"] is None]) == 1


def test_what_is_refused_again_is_a_new_letter(platform: Platform, tmp_path: Path) -> None:
    send(platform, tmp_path / "e.ndjson", {"id": "u1", "type": "no.such", "occurred_at": AT, "identifiers": {}})
    letter = letters(platform, "--reason", "unknown_type")[0]
    said = platform.run("dead-letters", "replay", letter["letter_id"], "--json")
    assert (said.code, said.json[0]["outcome"]) == (1, "rejected")
    new = platform.until(
        "dead-letters", "list", "--reason", "unknown_type", holds=lambda found: found and found[0] != letter
    )
    assert len(new) == 1


def test_all_letters_of_a_source_are_sent_again_with_one_key(platform: Platform, tmp_path: Path) -> None:
    early = {"type": "login.succeeded", "occurred_at": "2999-01-01T00:00:00Z", "identifiers": {"login": "l-3"}}
    send(platform, tmp_path / "e.ndjson", *({"id": f"n{number}", **early} for number in range(3)))
    letters(platform, "--reason", "in_the_future", count=3)
    before = len(platform.run("keys", "list", "--json").json)
    said = platform.run("dead-letters", "replay", "--all", "--reason", "in_the_future")
    assert said.out.count("refused again; it is now a new letter (occurred_at: ") == 3
    assert len(platform.run("keys", "list", "--json").json) == before + 1


def test_a_conflict_and_what_could_not_be_parsed_are_not_sent_again(platform: Platform, tmp_path: Path) -> None:
    one = {"id": "same", "type": "page.viewed", "occurred_at": AT, "identifiers": {"login": "l-2"}}
    send(platform, tmp_path / "e.ndjson", {**one, "attributes": {"page": "/a"}}, {**one, "attributes": {"page": "/b"}})
    letter = letters(platform, "--reason", "conflict")[0]
    said = platform.run("dead-letters", "replay", letter["letter_id"])
    assert said.code == 1
    assert "let bank send it under an id of its own" in said.out
    assert letters(platform, "--reason", "conflict") == [letter]


def test_of_what_could_not_be_read_the_length_the_hash_and_an_excerpt_without_values_are_shown(
    platform: Platform,
) -> None:
    sent = b'{"id": "torn-1", "identifiers": {"phone": "13912345678"'
    said = platform.credentials
    key = {"Authorization": f"Bearer {said['ingest_key']}", "Content-Type": "application/json"}
    assert httpx.post(f"{said['base_url']}/v1/events", content=sent, headers=key).status_code == 400
    letter = letters(platform, "--reason", "malformed")[0]
    shown = platform.run("dead-letters", "show", letter["letter_id"], "--json").json
    assert (shown["length"], len(shown["sha256"])) == (len(sent), 64)
    assert shown["body"].startswith('{"id": "')
    assert "13912345678" not in shown["body"]


def test_a_parked_event_is_taken_over_with_its_personal_values(tmp_path: Path) -> None:
    data = tmp_path / "var"
    who = {"customer_no": "c-9", "phone": "+8613912345678"}
    poison = {
        "id": "poison-1",
        "type": "customer.registered",
        "occurred_at": AT,
        "identifiers": who,
        "attributes": {"name": "赵六"},
    }
    with running(data, str(Path(__file__).with_name("faulty_platform.py"))) as broken:
        send(broken, tmp_path / "e.ndjson", poison, {**poison, "id": "fine-1", "attributes": {"city": "成都"}})
        letter = letters(broken, "--reason", "bug")[0]
        shown = broken.run("dead-letters", "show", letter["letter_id"]).out
        assert ("赵六" not in shown, "sha256" in shown, '"customer.registered"' in shown) == (True, True, True)
    with running(data) as mended:
        said = mended.run("dead-letters", "replay", letter["letter_id"])
        assert (said.code, said.out) == (0, f"{letter['letter_id']}: accepted\n")
        found = mended.until("customers", "find", "phone=+8613912345678", "--name", "赵六", holds=bool)
        assert found[0]["person"]["name"]["value"] == "赵六"
        happened = mended.until("customers", "timeline", "customer_no=c-9", holds=lambda events: len(events) >= 2)
        assert sorted(one["id"] for one in happened) == ["fine-1", "poison-1"]
        assert mended.run("dead-letters", "list", "--json").json == []


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("replay",), 2, "name letters, or say --all"),
        (("show", "nobody"), 1, "there is no letter nobody"),
        (("replay", "--all"), 1, "say where the platform is: --url"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    counterpoint: Command, deployment: Path, arguments: tuple[str, ...], code: int, told: str
) -> None:
    said = counterpoint("dead-letters", *arguments)
    assert said.code == code
    assert said.err.startswith(f"error: {told}")
