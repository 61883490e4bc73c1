"""Commands beside a running platform: what goes in by one comes out of another."""

import json
import time
from pathlib import Path
from typing import Any

from tests.cli.conftest import Platform

OWNER = {"customer_no": "c-1", "account_no": "a-1"}


def write(path: Path, *events: dict[str, Any]) -> str:
    path.write_text("\n".join(json.dumps(event) for event in events))
    return str(path)


def event(
    name: str, kind: str, identifiers: dict[str, str], at: str = "2026-03-01T09:00:00+08:00", **more: Any
) -> dict[str, Any]:
    return {"id": name, "type": kind, "occurred_at": at, "identifiers": identifiers, **more}


def known(platform: Platform, *identifiers: str) -> Any:
    """Once somebody is known by all of it."""
    return platform.until("customers", "find", *identifiers, holds=bool)[0]


def numbers(views: Any) -> set[str]:
    """The customer numbers of what was found."""
    return {one["value"] for view in views for one in view["identifiers"] if one["kind"] == "customer_no"}


def test_the_banner_names_the_credentials_file_that_was_asked_for(platform: Platform) -> None:
    while "readable by you only" not in (banner := platform.data.with_suffix(".out").read_text()):
        time.sleep(0.05)
    assert f"They are stored in {platform.data.with_suffix('.credentials')}," in banner


def test_a_file_is_replayed_and_its_customer_found(platform: Platform, tmp_path: Path) -> None:
    person = event(
        "r1", "customer.registered", {"customer_no": "c-1", "phone": "+8613912345678"}, attributes={"name": "王小明"}
    )
    money = {"value": "12.50", "currency": "CNY"}
    paid = event("t1", "card.paid", {"account_no": "a-1"}, "2026-03-02T09:00:00+08:00", amount=money)
    file = write(
        tmp_path / "events.ndjson", person, event("o1", "account.opened", OWNER), paid, event("x", "no.such", OWNER)
    )
    said = platform.run("replay", "ndjson", file, "--json")
    assert (said.code, said.json["accepted"], said.json["rejected"]) == (1, 3, 1)
    assert "refused: x: type the catalogue has no such event type" in said.err
    again = platform.run("replay", "ndjson", write(tmp_path / "again.ndjson", person, paid))
    assert (again.code, again.out.split(",")[0]) == (0, "2 sent")
    found = platform.until("customers", "find", "account_no=a-1", holds=lambda views: views and "person" in views[0])[0]
    assert found["accounts"][0]["account_no"] == "a-1"
    assert (
        platform.run("customers", "find", "phone=+86 139 1234 5678", "--json").json[0]["customer_id"]
        == found["customer_id"]
    )
    assert (
        platform.run("customers", "find", "--name", "王小明", "--json").json[0]["customer_id"] == found["customer_id"]
    )
    shown = platform.run("customers", "show", found["customer_id"])
    assert "王小明" in shown.out
    assert "a-1" in shown.out
    happened = platform.run("customers", "timeline", "customer_no=c-1", "--json").json
    assert [one["id"] for one in happened] == ["t1", "o1", "r1"] or {one["id"] for one in happened} == {
        "t1",
        "o1",
        "r1",
    }
    cards = platform.run("customers", "timeline", "customer_no=c-1", "--type", "card.paid")
    assert "-12.50 CNY" in cards.out
    assert "account.opened" not in cards.out
    chinese = {"LC_ALL": "zh_CN.UTF-8"}
    for asked, heading in ((("find", "account_no=a-1"), "姓名"), (("show", "customer_no=c-1"), "类别: person"),
                           (("timeline", "customer_no=c-1"), "金额"),
                           (("timeline", "customer_no=c-1", "--type", "card.issued"), "没有这类事件"),
                           (("find", "account_no=a-9"), "没有匹配的客户")):  # fmt: skip
        assert heading in platform.run("customers", *asked, env=chinese).out
        assert heading not in platform.run("customers", *asked, "--language", "en", env=chinese).out


def test_customers_are_merged_and_split_with_a_reason(platform: Platform, tmp_path: Path) -> None:
    persons = [
        event(f"m{n}", "customer.registered", {"customer_no": f"m-{n}"}, attributes={"name": f"M {n}"}) for n in (1, 2)
    ]
    assert platform.run("replay", "ndjson", write(tmp_path / "e.ndjson", *persons)).code == 0
    left, right = (known(platform, f"customer_no=m-{n}")["customer_id"] for n in (1, 2))
    made = platform.run(
        "customers", "merge", left, "customer_no=m-2", "--reason", "one passport", "--actor", "li", "--json"
    ).json
    assert (made["kind"], made["actor"], made["reason"]) == ("merge", "li", "one passport")
    for number in (1, 2):
        platform.until(
            "customers", "find", f"customer_no=m-{number}", holds=lambda views: numbers(views) == {"m-1", "m-2"}
        )
    refused = platform.run("customers", "merge", left, right, "--reason", "again")
    assert (refused.code, refused.err) == (1, "error: customer_ids: these are one customer already\n")
    undone = platform.run("customers", "split", "customer_no=m-1", "--reason", "two people after all", "--json").json
    assert undone["undoes"] == made["decision_id"]
    for number in (1, 2):
        platform.until("customers", "find", f"customer_no=m-{number}", holds=lambda views: len(numbers(views)) == 1)
    assert known(platform, "customer_no=m-2")["customer_id"] == right
    nobody = platform.run("customers", "split", "--reason", "x")
    assert nobody.err == "error: give the customer to split, or the --decision to undo\n"
    twice = platform.run("customers", "split", "--decision", made["decision_id"], "--reason", "x")
    assert twice.err == "error: decision_id: another decision has undone this one\n"


def test_a_customer_is_erased_only_where_somebody_says_yes(platform: Platform, tmp_path: Path) -> None:
    identifiers = {"customer_no": "f-1", "phone": "+8613912345679"}
    person = event("f1", "customer.registered", identifiers, attributes={"name": "Fang Erased"})
    assert platform.run("replay", "ndjson", write(tmp_path / "e.ndjson", person)).code == 0
    customer_id = known(platform, "customer_no=f-1")["customer_id"]
    unasked = platform.run("customers", "erase", customer_id, "--reason", "asked for it")
    assert (unasked.code, unasked.err) == (2, "error: this cannot be undone: say --yes where nobody can be asked\n")
    made = platform.run(
        "customers", "erase", "phone=+8613912345679", "--reason", "asked for it", "--yes", "--json"
    ).json
    assert (made["kind"], made["reason"]) == ("erase", "asked for it")
    shown = platform.run("customers", "show", customer_id)
    assert "nothing personal from before is shown" in shown.out
    happened = platform.run("customers", "timeline", customer_id)
    assert "customer.registered" in happened.out
    assert not [word for word in ("Fang", "13912345679") if word in shown.out + happened.out]
    assert platform.run("customers", "find", "--name", "Fang Erased").out.startswith("no customer matches")
    undone = platform.run("customers", "split", "--decision", made["decision_id"], "--reason", "x")
    assert undone.err == "error: decision_id: what was erased is gone for good\n"


def test_nobody_is_found_by_what_nobody_has(platform: Platform) -> None:
    assert platform.run("customers", "find", "customer_no=nobody").out.startswith("no customer matches: a customer")
    for arguments, code, told in (
        (("show", "cus_nobody"), 1, "no customer has this id\n"),
        (("show", "10000017"), 2, "give the identifier with its kind, such as customer_no="),
        (("show", "customer_no=nobody"), 1, "no customer has customer_no=nobody"),
        (("show", "phone=13912345670"), 1, "no customer has this phone\n"),
        (
            ("timeline", "customer_no=nobody", "--channel", "fax"),
            2,
            "channel: a channel is one of counter, atm, online",
        ),
        (("find", "shoe_size=44"), 2, "KIND=VALUE is expected"),
        (("find",), 2, "give an identifier such as"),
        (("find", "customer_no=c-1", "customer_no=c-2"), 2, "each kind of identifier once"),
        (("split", "customer_no=nobody", "--reason", "x"), 1, "no customer has customer_no=nobody"),
        (("timeline", "customer_no=nobody", "--since", "soon"), 2, "--since: a time such as"),
        (
            ("timeline", "customer_no=nobody", "--since", "2026-02-01", "--until", "2026-01-01"),
            2,
            "until: a time after `since`",
        ),
    ):
        said = platform.run("customers", *arguments)
        assert said.code == code
        assert said.err.startswith(f"error: {told}")


def test_nothing_is_shown_of_a_known_customer_that_cannot_have_been(platform: Platform, tmp_path: Path) -> None:
    person = event("k1", "customer.registered", {"customer_no": "k-1"}, attributes={"name": "K"})
    assert platform.run("replay", "ndjson", write(tmp_path / "e.ndjson", person)).code == 0
    known(platform, "customer_no=k-1")
    mistyped = platform.run("customers", "timeline", "customer_no=k-1", "--type", "card.payed")
    assert mistyped.code == 1
    assert mistyped.err.startswith("error: type: the catalogue has no such event type (GET")
    unmerged = platform.run("customers", "split", "customer_no=k-1", "--reason", "x")
    assert (unmerged.code, unmerged.err.startswith("error: ")) == (1, True)


def test_the_doctor_finds_nothing_wrong(platform: Platform) -> None:
    said = platform.run("doctor", "--patience", "5", "--json")
    states = {one["what"]: one["state"] for one in said.json}
    assert said.code == 0, said.json
    assert {
        "settings",
        "secret",
        "log",
        "topics",
        "database",
        "positions",
        "workers",
        "marks",
        "platform",
    } <= states.keys()
    assert states["workers"] == states["positions"] == states["platform"] == "ok"


def test_the_board_shows_rates_lag_and_sources(platform: Platform) -> None:
    said = platform.run("watch", "--once", "--every", "0.3")
    assert said.code == 0, said.err
    for told in (
        "accepted",
        "lag by partition",
        "workers that refresh 1",
        "Latest events",
        "Latest views",
        "sources heard of",
    ):
        assert told in said.out


def test_a_script_has_one_look_at_the_board(platform: Platform) -> None:
    seen = platform.run("watch", "--once", "--every", "0.3", "--json").json
    told = platform.run("positions", "show", "--json").json
    assert [one["partition"] for one in seen["partitions"]] == [
        one["partition"] for one in told if one["topic"] == "channel-events"
    ]
    assert (seen["workers"], seen["counts"]["dead_letters"] >= 0) == (1, True)
    said = platform.run("watch", "--json")
    assert (said.code, said.err) == (2, "error: --json needs --once: a script has one look\n")


def test_the_board_says_that_nobody_answers_where_it_was_told_to_ask_and_shows_what_it_can(platform: Platform) -> None:
    look = ("watch", "--once", "--every", "0.3", "--url", "http://127.0.0.1:9")
    said = platform.run(*look)
    assert said.code == 0, said.err
    assert "nobody answers at http://127.0.0.1:9: how soon events are visible is not known" in said.out
    assert "lag by partition" in said.out
    assert platform.run(*look, "--json").json["unheard"] == "nobody answers at http://127.0.0.1:9"
    assert platform.run("watch", "--once", "--every", "0.3", "--json").json["unheard"] is None


def test_a_simulated_bank_goes_in_by_the_front_door_and_its_truth_is_kept(platform: Platform, tmp_path: Path) -> None:
    truth = tmp_path / "truth.ndjson"
    said = platform.run("simulate", "--customers", "12", "--days", "2", "--seed", "3", "--truth", str(truth))
    assert said.code == 0, said.err
    assert ", 0 refused" in said.out
    stories = [json.loads(line) for line in truth.read_text().splitlines()]
    assert {"drifting_to_competitor", "salary_redirected"} <= {story["kind"] for story in stories}
    known(platform, "customer_no=10000003")
    again = platform.run("simulate", "--customers", "12", "--days", "2", "--seed", "3", "--json").json
    assert (again["sent"], again["rejected"], again["days"]) == (again["accepted"], 0, 2)


def test_an_empty_directory_of_the_czech_bank_is_named(platform: Platform, tmp_path: Path) -> None:
    said = platform.run("replay", "berka", str(tmp_path))
    assert said.code == 1
    assert "Traceback" not in said.err
    assert str(tmp_path) in said.err


def test_a_wrong_key_and_a_wrong_address_are_one_sentence(platform: Platform, tmp_path: Path) -> None:
    file = write(tmp_path / "e.ndjson", event("w1", "page.viewed", {"login": "l"}, attributes={"page": "/"}))
    said = platform.run("replay", "ndjson", file, "--key", "cpk_wrong")
    assert (said.code, said.out) == (1, "")
    assert "error: 401 Unauthorized: the key is unknown or was revoked" in said.err


def test_nothing_is_sent_for_long_where_nobody_answers(platform: Platform, tmp_path: Path) -> None:
    file = write(tmp_path / "e.ndjson", event("n1", "page.viewed", {"login": "l"}, attributes={"page": "/"}))
    for url in ("http://127.0.0.1:9", "nonsense", "http://[bad"):
        for command in (("replay", "ndjson", file), ("simulate", "--customers", "1", "--days", "1")):
            said = platform.run(*command, "--url", url, "--key", "k")
            told = f"error: nobody answers at {url}: is it running? --url or COUNTERPOINT_URL names another one\n"
            assert (said.code, said.err) == (1, told)


def test_a_simulation_of_nothing_says_what_to_say(platform: Platform) -> None:
    said = platform.run("simulate", "--days", "0")
    assert (said.code, said.err) == (2, "error: nothing is to be sent: say --days, --live or both\n")
