"""Apache Kafka 4.1.0 in KRaft mode: one node is broker and controller. Jars come through Maven, once per machine."""

import re
import signal
import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.local_servers.system import SetupError, cache_dir, find_program, free_port, locked

VERSION = "4.1.0"
_HERE = Path(__file__).parent
_LOGGING = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
)
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
num.partitions=4
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
"""


class Kafka:
    """`properties`: lines that overrule the usual ones, with `{port}` and `{controller}` for its ports. `formatting`:
    options beside the usual ones, such as the users that it is to know."""

    name = "kafka"
    stop_signal = signal.SIGTERM
    user = None

    def __init__(self, properties: str = "", formatting: Sequence[str] = ()) -> None:
        self._properties, self._formatting = _PROPERTIES + properties, formatting

    def prepare(self, home: Path, port: int) -> None:
        properties, data = home / "server.properties", home / "data"
        if not properties.exists():
            properties.write_text(self._properties.format(port=port, controller=free_port(), data=data))
        if not (data / "meta.properties").exists():
            cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
            # with "=": one id in 64 begins with a dash
            options = ["--standalone", f"--cluster-id={cluster}", f"--config={properties}", *self._formatting]
            tool = [*java(), "kafka.tools.StorageTool", "format", *options]
            done = subprocess.run(tool, capture_output=True, text=True, check=False)  # noqa: S603 - fixed argv
            if done.returncode != 0:
                raise SetupError(f"formatting Kafka's storage failed: {(done.stderr or done.stdout)[-1000:]}")

    def command(self, home: Path, port: int) -> list[str]:
        return [*java("-Xms256m", "-Xmx512m"), "kafka.Kafka", str(home / "server.properties")]

    def ready(self, home: Path, port: int, log: str) -> bool:
        return "Kafka Server started" in log

    def url(self, port: int) -> str:
        return f"kafka://127.0.0.1:{port}"


def java(*options: str) -> list[str]:
    program = find_program("java", ("default-jre-headless",))
    # it lives for minutes or hours: compiled for weeks, it would take a third of a core for the first of them
    brief = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
    return [program, *options, *brief, *_LOGGING, "-cp", f"{_jars()}/*"]


def _jars() -> Path:
    home = cache_dir() / f"kafka-{VERSION}"
    if home.exists():
        return home
    with locked(cache_dir() / "kafka.lock"):
        if not home.exists():
            _check_java()
            _download(home)
    return home


def _check_java() -> None:
    java = find_program("java", ("default-jre-headless",))
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr  # noqa: S603 - fixed argv
    version = re.search(r'version "(\d+)', told)
    if version is None or int(version[1]) < 17:
        raise SetupError(
            f"Kafka {VERSION} needs Java 17 or newer, {java} is {told.splitlines()[0] if told else 'unknown'}"
        )


def _download(home: Path) -> None:
    maven = find_program("mvn", ("maven", "default-jre-headless"))
    command = [maven, "-q", "-B", "-f", str(_HERE / "pom.xml"), "dependency:copy-dependencies"]
    with TemporaryDirectory(prefix=f"{home.name}.", dir=home.parent) as name:
        jars = Path(name) / home.name
        done = subprocess.run(  # noqa: S603 - fixed argv
            [*command, f"-DoutputDirectory={jars}"], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise SetupError(f"Maven could not fetch Kafka {VERSION}: {(done.stdout + done.stderr)[-1500:]}")
        jars.rename(home)  # a half-filled directory never gets the name that others trust
