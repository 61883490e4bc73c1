"""The file of destinations: the product's is empty, a bank's own replaces it, and every mistake is told."""

from pathlib import Path

import pytest

from services.alerts.adapters.destination_files import Destinations, load_destinations
from services.alerts.adapters.rule_files import PRODUCT
from services.declared_files import Directories, directories

GOOD = """
link: https://alerts.bank.example/{alert_id}
destinations:
  - id: crm
    kind: webhook
    url: https://crm.bank.example/hook
    secret: CRM_SECRET
    severity_at_least: 2
    steps: [routed, withdrawn]
"""


@pytest.fixture
def files(tmp_path: Path) -> Directories:
    (tmp_path / "destinations.yaml").write_text(GOOD)
    return directories(PRODUCT, str(tmp_path))


def write(files: Directories, text: str) -> None:
    assert files.own is not None
    (files.own / "destinations.yaml").write_text(text)


def test_the_product_tells_nobody() -> None:
    loaded = load_destinations(directories(PRODUCT, ""), {})
    assert (loaded.declared.destinations, loaded.mistakes) == ((), [])


def test_what_the_product_shows_as_an_example_is_sound(files: Directories) -> None:
    lines = (PRODUCT / "destinations.yaml").read_text().splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("# link"))
    write(files, "\n".join(line.removeprefix("# ").removeprefix("#") for line in lines[start:-1]))
    names = ("CRM_WEBHOOK_SECRET", "SMTP_PASSWORD", "WECOM_KEY", "DINGTALK_TOKEN", "DINGTALK_SECRET")
    loaded = load_destinations(files, dict.fromkeys(names, "x"))
    assert loaded.mistakes == []
    assert {one.kind for one in loaded.declared.destinations} == {"webhook", "mail", "wecom", "dingtalk"}


def test_a_destination_is_read_as_it_is_written(files: Directories) -> None:
    loaded = load_destinations(files, {"CRM_SECRET": "x"})
    [one] = loaded.declared.destinations
    assert (one.id, one.severity_at_least, one.steps, loaded.mistakes) == ("crm", 2, ("routed", "withdrawn"), [])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GOOD.replace("CRM_SECRET", "NOBODY"), "destinations.yaml:7: crm secret: the environment variable NOBODY"),
        (GOOD.replace("https://crm", "ftp://crm"), "destinations.yaml:6: crm url: https:// or http:// is expected"),
        (GOOD + GOOD.partition("destinations:")[2], "another destination has this id"),
        (
            GOOD.replace("severity_at_least", "severity"),
            "destinations.yaml:8: crm: Object contains unknown field `severity`; did you mean",
        ),
        (GOOD + "link: x\n", "link: is written twice"),
        ("destinations: &a [*a]", "anchors and aliases are not taken"),
        ("", "is empty"),
    ],
)
def test_a_mistake_is_told_with_its_place(files: Directories, text: str, told: str) -> None:
    write(files, text)
    assert told in "\n".join(load_destinations(files, {"CRM_SECRET": "x"}).mistakes)


def test_who_changed_the_file_is_told_and_else_its_owner_on_this_machine_did(files: Directories) -> None:
    environment = {"CRM_SECRET": "x"}
    assert load_destinations(files, environment).author == files.path("destinations.yaml").owner()
    write(files, "changed_by: Wang Lei" + GOOD)
    assert load_destinations(files, environment).author == "Wang Lei"
    write(files, "changed_by: [Wang, Lei]" + GOOD)
    assert load_destinations(files, environment).mistakes == [
        "destinations.yaml:1: changed_by: a person's name is expected"
    ]


def test_what_was_read_is_written_down_once_unless_it_has_changed_meanwhile(files: Directories) -> None:
    destinations = Destinations(files, {"CRM_SECRET": "x"})
    destinations.read()
    first = destinations.unwritten
    assert first is not None
    write(files, GOOD.replace("id: crm", "id: crm-2"))
    destinations.read()
    destinations.written_down(first)
    second = destinations.unwritten
    assert second is not None
    assert [one.id for one in second.declared.destinations] == ["crm-2"]
    destinations.written_down(second)
    write(files, GOOD.replace("id: crm", "id: Not Good"))
    destinations.read()
    assert destinations.unwritten is None


def test_a_changed_file_is_taken_up_and_a_bad_one_never_replaces_a_good_one(files: Directories) -> None:
    destinations = Destinations(files, {"CRM_SECRET": "x"})
    assert destinations.read() == []
    write(files, GOOD.replace("id: crm", "id: Not Good"))
    assert len(destinations.read()) == 1
    assert destinations.find("crm") is not None
    write(files, GOOD.replace("id: crm", "id: crm-2"))
    assert destinations.read() == []
    assert (destinations.find("crm"), destinations.find("crm-2") is None) == (None, False)
    assert destinations.read() == ()
