"""The words that leave the house, against files that a person has read; and what must not leave it."""

import json
from pathlib import Path

import msgspec
import pytest

from schemas.alerts import Text
from services.alerts.domain.alert import Outcome
from services.alerts.domain.destinations import Happening
from services.alerts.domain.messages import (
    HEADLINES,
    MAX_WECOM,
    News,
    as_data,
    digest,
    dingtalk,
    mail_text,
    notice_message,
    single,
    webhook_body,
    webhook_notice,
    wecom,
)  # fmt: skip
from services.alerts.domain.messages import (
    test_message as message_of_a_test,
)
from services.alerts.domain.notices import Notice
from services.alerts.domain.rules import Text as InBoth
from tests.alerts.destined import HOUR, NOON, alert, closed, mail

GOLDEN = Path(__file__).parent / "messages"
LINK = "https://alerts.bank.example/{alert_id}"
ROUTED = News(alert("open", "route"), "routed", NOON)
DAY = [
    ROUTED,
    News(alert("open", "route", "raise", severity=3), "raised", NOON + HOUR),
    News(alert("route", alert_id="al_2", severity=3, title=Text("Outflow", "大额流出"), due_at=0), "routed", NOON),
    News(closed(alert_id="al_3", kind="upsell", title=Text("Bonus", "奖金")), "closed", NOON),
]  # fmt: skip


def golden(name: str, told: str) -> None:
    assert told == (GOLDEN / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_mail_on_one_alert(language: str) -> None:
    message = single(mail(language=language), ROUTED, LINK)
    golden(f"mail.{language}.txt", mail_text(message))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_digest_of_a_day_names_each_alert_once(language: str) -> None:
    golden(f"digest.{language}.txt", mail_text(digest(mail(language=language), reversed(DAY))))


def test_a_group_bot_of_wecom() -> None:
    golden("wecom.json", wecom(single(mail(language="zh"), ROUTED, LINK)).decode())


def test_a_group_bot_of_dingtalk() -> None:
    golden("dingtalk.json", dingtalk(single(mail(language="zh"), ROUTED, LINK)).decode())


def test_a_webhook_tells_the_alert_as_the_api_does() -> None:
    told = webhook_body(News(closed(), "closed", NOON), "en")
    golden("webhook.json", msgspec.json.format(told, indent=2).decode() + "\n")


def test_an_outcome_without_money_tells_no_amount() -> None:
    saved = as_data(alert("open", outcome=Outcome(result="saved")), "en")
    assert saved["outcome"] == {"result": "saved", "product": "", "amount": None}


def test_what_people_wrote_does_not_leave_the_house() -> None:
    assert "Ms Li" not in json.dumps(as_data(closed(), "en"))


def test_people_are_told_titles_and_ids_alone() -> None:
    """Mail and bots pass through other companies' servers."""
    told = mail_text(single(mail(), ROUTED, "")) + mail_text(digest(mail(), DAY))
    assert "9,000" not in told
    assert "Call and ask" not in told


def test_evidence_that_has_ended_is_not_told() -> None:
    ended = msgspec.structs.replace(ROUTED.alert.evidence[0], ended_at=NOON)
    assert as_data(msgspec.structs.replace(ROUTED.alert, evidence=[ended]), "en")["evidence"] == []


@pytest.mark.parametrize("happening", HEADLINES["en"])
def test_every_happening_has_words_in_both_languages(happening: Happening) -> None:
    english, chinese = (
        single(mail(language=one), News(alert("x"), happening, NOON), "").lines[0] for one in ("en", "zh")
    )
    assert english.isascii()
    assert not chinese.isascii()


def test_what_came_from_a_channel_cannot_pass_for_markup() -> None:
    sly = alert("route", owner="[pay](https://evil.example)\n# **now** <font>")
    text = json.loads(wecom(single(mail(), News(sly, "routed", NOON), "")))["markdown"]["content"]
    assert "](" not in text
    assert "\n#" not in text
    assert "<font" not in text


def test_a_digest_that_is_too_long_says_how_many_are_left_out() -> None:
    many = [
        News(alert("route", alert_id=f"al_{n}", title=Text("工" * 200, "工" * 200)), "routed", NOON) for n in range(50)
    ]
    content = json.loads(wecom(digest(mail(), many)))["markdown"]["content"]
    assert len(content.encode()) <= MAX_WECOM
    assert content.count("al_") + int(content.rpartition("and ")[2].split()[0]) == 50


def test_a_test_says_that_it_is_one() -> None:
    assert "test of the destination managers" in mail_text(message_of_a_test(mail()))


def test_whoever_answers_for_a_stopped_rule_is_told_what_it_met() -> None:
    stopped = Notice(
        rule="R4", name=InBoth("Salary", "工资"), matter="stopped", began=True, at=NOON, note="No such overload"
    )
    message = notice_message(mail(), stopped)
    assert message.title == "Rule R4 (Salary) was stopped: it does not fit the values it meets"
    assert message.lines[-1] == "No such overload"
    for owner in ("", "M-1"):
        told = json.loads(webhook_notice(msgspec.structs.replace(stopped, owner=owner), "en"))["data"]
        assert (told["why"], told["owner"]) == ("No such overload", owner or None)
    ended = msgspec.structs.replace(stopped, began=False, actor="Mei", note="mended")
    assert json.loads(webhook_notice(ended, "en"))["data"]["why"] is None
