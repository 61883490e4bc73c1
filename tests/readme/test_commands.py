"""Every command of the front door and of the pages behind it, run as it stands there: what is copied must work."""

import json
import re
import secrets
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from deploy.topology import SERVICES
from tests.patience import HANG_S
from tests.readme.pages import ENGLISH, ROOT, Block, blocks, english_pages
from tests.readme.terminal import Terminal, until
from tests.replay.berka_bank import write_berka_bank

OF_SERVERS = "Kafka"
"""In the heading of the section whose commands need Kafka, PostgreSQL and Redis."""

ELSEWHERE = re.compile(r"(make|docker) ")
"""Checked by their own tests below: they start what the test starts in its own way, or all tests anew."""

STORY = "10000218"
TITLE = r"│ Complaint( open +│| +│.*\n.*│ open +│)"
"""Of an alert, as a table has it: on one line, or below one another in the same column."""
EVENT = {"id": "own-1", "type": "page.viewed", "channel": "online", "occurred_at": "2026-11-20T09:00:00+08:00",
         "identifiers": {"login": "somebody"}, "attributes": {"page": "/loans"}}  # fmt: skip


def commands(of_servers: bool) -> list[Block]:
    found = [block for page in english_pages() for block in blocks(page)]
    return [b for b in found if (OF_SERVERS in b.section) is of_servers and not ELSEWHERE.match(b.text)]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal(tmp_path)
    yield opened
    assert set(opened.stop()) <= {0}


def test_the_commands_of_one_machine_work_one_after_the_other(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "events.ndjson").write_text(json.dumps(EVENT) + "\n")
    (tmp_path / "berka").mkdir()
    write_berka_bank(tmp_path / "berka")
    address = terminal.start(".venv/bin/counterpoint run --port 8080 --months 1")  # what `make run` starts, but shorter
    until(lambda: manager_is_told(address, tmp_path / "var" / "credentials.json"), "the planted story is not visible")
    for block in commands(of_servers=False):
        said = terminal.run(block.text)
        assert '{"customers":[]}' not in said, f"{block.page}, line {block.line}: nobody was found"
        if "CASE-17" in block.text:
            assert re.search(TITLE, said)
        if "Prefer: wait" in block.text:
            assert "preference-applied: wait=2" in said


def manager_is_told(address: str, credentials: Path) -> bool:
    if not credentials.exists():  # written once it serves
        return False
    token = json.loads(credentials.read_text())["agent_token"]
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=HANG_S) as http:
        found = http.get("/v1/customers", params={"customer_no": STORY}).json()["customers"]
        told = [http.get("/v1/alerts", params={"customer": one["customer_id"]}).json()["alerts"] for one in found]
    return {"leaving", "service_trouble"} <= {alert["situation"] for alerts in told for alert in alerts}


def test_the_commands_on_servers_work_one_after_the_other(
    terminal: Terminal, tmp_path: Path, kafka_url: str, postgres_url: str, redis_url: str
) -> None:
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    secret.write_text(secrets.token_hex(32))
    own = {
        r"kafka://kafka\.example:\d+": kafka_url,
        r"postgresql://\S+": postgres_url,
        r"redis://\S+": redis_url,
        r"/etc/counterpoint/secret": str(secret),
    }
    terminal.run('PATH="$PWD/.venv/bin:$PATH"')
    for block in commands(of_servers=True):
        text = block.text
        for example, real in own.items():
            text = re.sub(example, real, text)
        assert "example" not in text, f"{block.page}, line {block.line}: a server that the test does not know"
        terminal.run(text)


def test_every_make_target_of_the_pages_is_one() -> None:
    asked = [block.text for page in english_pages() for block in blocks(page) if block.text.startswith("make ")]
    assert {"make run", "make test", "make bench"} <= set(asked)
    for command in asked:
        done = subprocess.run([*command.split(), "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}"


def test_make_test_is_what_is_run_on_every_change() -> None:
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith("exec make test")


def test_the_containers_of_the_page_are_in_the_compose_file() -> None:
    (asked,) = (block.text for block in blocks(ENGLISH) if block.text.startswith("docker "))
    words = asked.split()
    file, profile = words[words.index("-f") + 1], words[words.index("--profile") + 1]
    services = yaml.safe_load((ROOT / file).read_text())["services"]
    started = {name for name, service in services.items() if profile in service.get("profiles", [profile])}
    workers = Counter(name.rstrip("-0123456789") for name in SERVICES)
    assert {"kafka", "postgres", "redis", *workers} <= started
    assert all(services[name].get("deploy", {}).get("replicas", 1) == many for name, many in workers.items())
    for name in started:
        built = services[name].get("build")
        if built:
            assert ((ROOT / file).parent / built["context"] / built["dockerfile"]).exists(), name
