"""A broker that keeps a group from its members, as those of a bank do by their access control lists."""

import asyncio
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import pytest
from structlog.testing import capture_logs

from deploy.local_servers.kafka import Kafka, java
from deploy.local_servers.process import ServerProcess
from deploy.local_servers.system import free_port
from schemas.topics import Topic
from services.clock import SystemClock
from services.deployment import open_log
from services.log import Message, TopicPartition
from services.settings import read_settings
from tests.patience import HANG_S
from tests.ports.log_places import Applied, consuming

_LISTED = """\
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
"""


@pytest.fixture(scope="module")
def broker() -> Iterator[int]:
    home, port = Path(mkdtemp(prefix="counterpoint-test-")), free_port()
    server = ServerProcess(Kafka(_LISTED), home / "kafka", port)
    try:
        server.start()
        yield port
    finally:
        server.stop()
        rmtree(home)


def _deny(port: int, group: str, *, granted: bool = False) -> None:
    change = ["--remove", "--force"] if granted else ["--add"]
    rule = ["--deny-principal", "User:ANONYMOUS", "--operation", "Read", "--group", group]
    tool = [*java(), "org.apache.kafka.tools.AclCommand", "--bootstrap-server", f"127.0.0.1:{port}", *change, *rule]
    subprocess.run(tool, check=True, capture_output=True)


async def test_a_consumer_kept_from_its_group_says_so_and_goes_on_once_it_may(broker: int) -> None:
    log = open_log(read_settings({"COUNTERPOINT_LOG": f"kafka://127.0.0.1:{broker}"}), SystemClock())
    topic, applied = Topic(f"t-{uuid.uuid4().hex}", 2), Applied()
    group = f"group-{topic.name}"
    await asyncio.to_thread(_deny, broker, group)
    try:
        await log.ensure_topics([topic])
        await log.append(topic.name, [Message(b"key", b"one")])
        with capture_logs() as lines:
            async with consuming(log, topic.name, applied):
                async with asyncio.timeout(HANG_S):
                    while len(log.waiting()) < 2:  # noqa: ASYNC110 - no event of ours
                        await asyncio.sleep(0.1)
                assert log.waiting()[TopicPartition(topic.name, 0)] == "Kafka: the broker refuses this process"
                assert applied.count == 0
                await asyncio.to_thread(_deny, broker, group, granted=True)
                await applied.reaches(1)
                async with asyncio.timeout(HANG_S):
                    while log.waiting():  # noqa: ASYNC110 - no event of ours
                        await asyncio.sleep(0.1)
        told = [(line["event"], line.get("cause")) for line in lines if line.get("group") == group]
        assert told == [("consumer waits", "GroupAuthorizationFailedError"), ("consumer goes on", None)]
    finally:
        await log.close()
