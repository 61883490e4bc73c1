"""Brokers that ask for TLS and a name, as those of a bank do."""

import asyncio
import logging
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import NamedTuple

import pytest

from deploy.local_servers.kafka import Kafka
from deploy.local_servers.process import ServerProcess
from deploy.local_servers.system import free_port
from schemas.topics import Topic
from services.clock import SystemClock
from services.deployment import open_log
from services.failures import Unavailable
from services.kafka.log import KafkaLog
from services.kafka.security import security_of
from services.log import Message
from services.settings import SettingsError, read_settings
from tests.certificates import make_certificates
from tests.patience import HANG_S
from tests.ports.log_places import Applied, consuming

NAME, PASSWORD = "counterpoint", "a password of the test"
_LISTENERS = "PLAINTEXT://127.0.0.1:{{port}},NAMED://127.0.0.1:{named},SIGNED://127.0.0.1:{signed}"
_SECURED = f"""\
listeners={_LISTENERS},CONTROLLER://127.0.0.1:{{{{controller}}}}
advertised.listeners={_LISTENERS}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,NAMED:SASL_SSL,SIGNED:SSL
ssl.keystore.type=PEM
ssl.keystore.location={{directory}}/broker.store
ssl.truststore.type=PEM
ssl.truststore.location={{directory}}/authority.pem
listener.name.signed.ssl.client.auth=required
sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
listener.name.named.scram-sha-512.sasl.jaas.config=\
  org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.named.plain.sasl.jaas.config=\
  org.apache.kafka.common.security.plain.PlainLoginModule required user_{NAME}="{PASSWORD}";
"""
SCRAM = f"--add-scram=SCRAM-SHA-512=[name={NAME},password={PASSWORD}]"


class Secured(NamedTuple):
    """`named` asks for a name and a password, `signed` for a certificate. `directory`: PEM files."""

    named: int
    signed: int
    directory: Path

    def settings(self, **given: str) -> Mapping[str, str]:
        port = self.signed if given["security_protocol"] == "SSL" else self.named
        told = {"ssl_cafile": str(self.directory / "authority.pem"), **given}
        variables = {f"COUNTERPOINT_KAFKA_{name.upper()}": value for name, value in told.items()}
        return {"COUNTERPOINT_LOG": f"kafka://127.0.0.1:{port}", **variables}

    def by_name(self, **given: str) -> Mapping[str, str]:
        told = {"security_protocol": "SASL_SSL", "sasl_username": NAME, "sasl_password": PASSWORD, **given}
        return self.settings(**told)

    def by_certificate(self, **given: str) -> Mapping[str, str]:
        own = {"ssl_certfile": str(self.directory / "client.pem"), "ssl_keyfile": str(self.directory / "client.key")}
        return self.settings(**{"security_protocol": "SSL", **own, **given})


@pytest.fixture(scope="module")
def secured() -> Iterator[Secured]:
    home = Path(mkdtemp(prefix="counterpoint-test-"))
    ports = Secured(free_port(), free_port(), home / "certificates")
    _make_certificates(ports.directory)
    lines = _SECURED.format(**ports._asdict())
    broker = ServerProcess(Kafka(lines, [SCRAM]), home / "kafka", free_port())
    try:
        broker.start()
        yield ports
    finally:
        broker.stop()
        rmtree(home)


def _make_certificates(directory: Path) -> None:
    make_certificates(directory, {"broker": "IP:127.0.0.1", "client": "IP:127.0.0.1"})
    both = [(directory / name).read_text() for name in ("broker.key", "broker.pem")]
    (directory / "broker.store").write_text("".join(both))


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "PLAIN", "a certificate"])
async def test_what_is_appended_arrives_over_tls(secured: Secured, mechanism: str) -> None:
    told = secured.by_certificate() if " " in mechanism else secured.by_name(sasl_mechanism=mechanism)
    log, topic, applied = open_log(read_settings(told), SystemClock()), Topic(f"t-{uuid.uuid4().hex}", 1), Applied()
    try:
        await log.ensure_topics([topic])
        await log.append(topic.name, [Message(b"key", b"one"), Message(b"key", b"two")])
        async with consuming(log, topic.name, applied):
            await applied.reaches(2)
        assert applied.values[topic.name, 0] == [b"one", b"two"]
    finally:
        await log.close()


async def test_who_is_refused_or_not_trusted_finds_the_reason_in_the_log(
    secured: Secured, caplog: pytest.LogCaptureFixture
) -> None:
    """aiokafka tells its caller only that it has tried every broker."""
    caplog.set_level(logging.ERROR, "aiokafka")  # commands of other tests have silenced it for this process
    for told, why in (
        (secured.by_name(sasl_password="another"), "SaslAuthenticationFailed"),
        (secured.by_certificate(ssl_certfile="", ssl_keyfile=""), ""),
        (secured.by_name(ssl_cafile=""), "CERTIFICATE_VERIFY_FAILED"),
    ):
        log = open_log(read_settings(told), SystemClock())
        caplog.clear()
        try:
            with pytest.raises(Unavailable):
                await asyncio.wait_for(log.append("any", [Message(b"key", b"one")]), HANG_S)
        finally:
            await log.close()
        assert why in caplog.text
        assert PASSWORD not in caplog.text


async def test_the_doctor_says_in_words_why_no_broker_lets_it_in(secured: Secured) -> None:
    for told, why in (
        (
            secured.by_name(sasl_password="another"),
            "refuses the name or its password",
        ),
        (secured.by_name(sasl_mechanism="SCRAM-SHA-256"), "SASL_MECHANISM"),
        (secured.by_certificate(ssl_certfile="", ssl_keyfile=""), "SSL_CERTFILE"),
        (secured.by_name(ssl_cafile=""), "SSL_CAFILE"),
        ({"COUNTERPOINT_LOG": f"kafka://127.0.0.1:{secured.named}"}, "SECURITY_PROTOCOL"),
        ({"COUNTERPOINT_LOG": "kafka://127.0.0.1:9"}, "127.0.0.1:9: nobody listens"),
    ):
        log = open_log(read_settings(told), SystemClock())
        assert isinstance(log, KafkaLog)
        refused = await log.why_refused()
        assert refused is not None
        assert why in refused
        assert PASSWORD not in refused
        await log.close()
    log = open_log(read_settings(secured.by_name()), SystemClock())
    assert isinstance(log, KafkaLog)
    assert await log.why_refused() is None
    await log.close()


BY_NAME = {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_USERNAME": NAME, "SASL_PASSWORD": PASSWORD}


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ({"SASL_USERNAME": NAME}, "SASL_USERNAME: nothing comes of it: .*SECURITY_PROTOCOL is PLAINTEXT"),
        ({"SECURITY_PROTOCOL": "SASL_PLAINTEXT", "SSL_CAFILE": "ca.pem"}, "SSL_CAFILE: nothing comes of it"),
        ({"SECURITY_PROTOCOL": "SASL_SSL"}, "SASL_USERNAME: SASL_SSL needs a name"),
        ({**BY_NAME, "SASL_PASSWORD": ""}, "SASL_PASSWORD_FILE: set it"),
        ({**BY_NAME, "SASL_PASSWORD": "", "SASL_PASSWORD_FILE": "/nowhere"}, "SASL_PASSWORD_FILE: .* No such file"),
        ({**BY_NAME, "SSL_CAFILE": "/nowhere"}, "SSL_CAFILE: the file cannot be used: No such file"),
        ({**BY_NAME, "SSL_CAFILE": __file__}, "SSL_CAFILE: the file cannot be used"),
        ({**BY_NAME, "SSL_CERTFILE": __file__}, "SSL_CERTFILE: it cannot be used with its key"),
        ({**BY_NAME, "SSL_KEYFILE": __file__}, "SSL_CERTFILE: a key without its certificate"),
    ],
    ids=lambda told: str(told)[:40],
)
def test_a_mistake_names_its_variable_and_no_secret(told: Mapping[str, str], wrong: str) -> None:
    variables = {f"COUNTERPOINT_KAFKA_{name}": value for name, value in told.items()}
    with pytest.raises(SettingsError, match=wrong) as raised:
        open_log(read_settings({"COUNTERPOINT_LOG": "kafka://127.0.0.1:1", **variables}), SystemClock())
    assert str(raised.value).startswith("COUNTERPOINT_KAFKA_")
    assert PASSWORD not in str(raised.value)


def test_a_password_may_stand_in_a_file(tmp_path: Path, secured: Secured) -> None:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    settings = read_settings(secured.by_name(sasl_password="", sasl_password_file=str(file)))
    assert security_of(settings)["sasl_plain_password"] == PASSWORD
