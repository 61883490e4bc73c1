"""What a deployment stands on, checked in the order in which one thing stands on another."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from redis.exceptions import RedisError

from schemas.catalogue import CatalogueError, load_catalogue
from schemas.topics import CHANNEL_EVENTS
from services.alerts.adapters.rule_files import PRODUCT
from services.alerts.settings import read_choices as read_alert_choices
from services.cli.beside import log_to_read, opened, settings_of
from services.cli.doctor.busy import but_busy
from services.cli.doctor.checks import CHECKS, Check
from services.cli.doctor.findings import Finding, Patient, failed, ok, warning, wrong
from services.cli.doctor.secrets import passwords, secret
from services.cli.doctor.server import OF_THE_DATABASE
from services.cli.output import at
from services.cli.refusals import Refusal
from services.cli.rules.checking import loaded_rules
from services.clock import SystemClock
from services.declared_files import PolicyError, directories
from services.failures import Unavailable
from services.ingest.domain.examples import refuse_bad_examples
from services.log import EventLog, UnknownTopic
from services.profile.adapters.policies import COUNTED, declarations_of, files_of
from services.profile.domain.reference.calendar import iso
from services.profile.domain.reference.tables import Reference
from services.profile.settings import read_choices
from services.redis import connect
from services.settings import Settings, SettingsError
from services.sql.one_secret import OtherSecret

LITTLE_DISK, TOO_LITTLE_DISK = 1 << 30, 200 << 20
SOON_DAYS = 45
"""Before the last day that a calendar knows: a year's holidays are announced in November."""
REDIS_PATIENCE_S = 2.0


async def examine(data: Path | None, patience: float) -> AsyncIterator[Finding]:
    """The dependencies in the order in which they stand on each other."""
    try:
        settings = settings_of(data)
    except Exception as error:
        yield failed("settings", error)
        return
    yield ok("settings", _in_words(settings))
    yield _disk(settings)
    for finding in (secret(settings), *passwords(settings), *_declared(settings), _rules(), await _redis(settings)):
        yield finding
    async with AsyncExitStack() as closing:
        try:
            beside = await closing.enter_async_context(opened(settings))
        except OtherSecret as other:
            yield wrong("secret", str(other))
            return
        except SettingsError:
            return  # of the secret, which was looked at first
        except Exception as error:
            yield failed("database", error)
            return
        yield ok("database", f"{beside.database.dialect} answers, and its schema is that of this release")
        if beside.clock == "event":
            now = await beside.now_ms()
            stands = f"and stands at {at(now)}" if now else "of which none has come yet"
            yield ok("clock", f"follows the time of the events, {stands}")
        log, told = await _log(settings, closing)
        yield told
        patient = Patient(beside, log, data, patience)
        for what, check in (*OF_THE_DATABASE, *CHECKS):
            for finding in await checked(what, check, patient):
                yield finding


def _in_words(settings: Settings) -> str:
    """Schemes only: a URL may hold a password."""
    log, database = settings.log.partition(":")[0], settings.database.partition(":")[0]
    return f"log {log}, database {database}, data in {settings.data}"


async def checked(what: str, check: Check, patient: Patient) -> Sequence[Finding]:
    """What does not answer in time is asked a second time: it may only be slow, which is told."""
    try:
        return await check(patient)
    except Unavailable as slow:
        late = str(slow)
        await asyncio.sleep(patient.patience)
    except Exception as error:
        return [failed(what, error)]
    try:
        return [*await check(patient), warning(what, f"answered only when asked a second time; first: {late}")]
    except Exception as error:
        told = failed(what, error)
        return [told._replace(told=told.told + but_busy())]


def _disk(settings: Settings) -> Finding:
    path = Path(settings.data)
    while not path.exists():
        path = path.absolute().parent
    free = shutil.disk_usage(path).free
    told = f"{free / (1 << 30):.1f} GiB are free below {path}"
    if free < TOO_LITTLE_DISK:
        return wrong("disk", f"{told}: make room, or nothing more is accepted")
    return warning("disk", f"{told}: make room soon") if free < LITTLE_DISK else ok("disk", told)


def _declared(settings: Settings) -> Iterator[Finding]:
    choices = read_choices(os.environ)
    try:
        types, written = load_catalogue(settings.event_types), files_of(choices.catalogue, choices.reference).texts()
        refuse_bad_examples(types)
        declared = declarations_of(written, None, types)
        own_types = ", ".join(sorted(types.keys() - load_catalogue().keys()))
        own = "; ".join([*([f"event types add {own_types}"] if own_types else []), *written.own_in_words()]) or "none"
    except (CatalogueError, PolicyError) as error:
        yield wrong("declarations", f"{error}: mend it; what runs goes on with what it read before, and nothing starts")
    except Exception as error:
        yield failed("declarations", error)
    else:
        taken = f"reloaded while processes run, except event types, {' and '.join(COUNTED)} (read at their start)"
        yield ok("declarations", f"{taken}; the bank's own: {own}")
        yield _calendar(declared.policy.reference)


def _rules() -> Finding:
    try:
        files, mistakes = directories(PRODUCT, read_alert_choices(os.environ).catalogue), loaded_rules({}).mistakes
        own = "; ".join(files.texts({"rules": "id"}).own_in_words()) or "none"
    except Exception as error:
        return failed("rule files", error)
    if mistakes:
        return wrong("rule files", f"{mistakes[0]}; `counterpoint rules check` tells all that is to be mended")
    return ok("rule files", f"reloaded while processes run; the bank's own: {own}")


def _calendar(reference: Reference) -> Finding:
    """After its last known day a holiday would pass for a working day, and service levels run through it."""
    calendar, today = reference.calendar, reference.day_of(SystemClock().now_ms())
    told = f"{calendar.name} knows its holidays until {iso(calendar.known_until)}"
    fix = f"put those that follow into calendar.{calendar.name}.yaml in the directory of COUNTERPOINT_PROFILE_REFERENCE"
    if calendar.known_until < today:
        return wrong("calendar", f"{told}: since then only weekends are free; {fix}")
    return warning("calendar", f"{told}: {fix}") if calendar.known_until < today + SOON_DAYS else ok("calendar", told)


async def _redis(settings: Settings) -> Finding:
    if not settings.redis:
        return ok("redis", "none: live screens are notified within one process, others poll")
    try:
        client = connect(settings.redis, REDIS_PATIENCE_S)
    except SettingsError as refused:
        return wrong("redis", str(refused))
    try:
        await client.ping()
    except (RedisError, OSError) as error:
        return warning("redis", f"does not answer ({type(error).__name__}): live screens are slower, nothing is lost")
    finally:
        await client.aclose()
    return ok("redis", "answers")


async def _log(settings: Settings, closing: AsyncExitStack) -> tuple[EventLog | None, Finding]:
    try:
        log = log_to_read(settings)
        closing.push_async_callback(log.close)
        await log.ends(CHANNEL_EVENTS.name)
    except Refusal as refusal:
        return None, wrong("log", str(refusal))
    except UnknownTopic:
        pass  # the log answers; what is missing in it is another check's
    except Unavailable as away:
        why = None if settings.embedded else await _why_refused(log)
        told = failed("log", away)
        return None, told._replace(told=f"{told.told}; {why}") if why else told
    return log, ok("log", "embedded, in files" if settings.embedded else "Kafka answers")


async def _why_refused(log: EventLog) -> str | None:
    from services.kafka.log import KafkaLog  # brings Faust along

    assert isinstance(log, KafkaLog)  # noqa: S101 - the other kind is asked nothing
    return await log.why_refused()
