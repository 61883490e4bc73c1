"""What a deployment may choose, and how it is told that it chose wrong."""

import stat
from pathlib import Path

import msgspec
import pytest

from schemas.issuers import ISSUER_RANGES, IssuerRange
from services.deployment import open_tables
from services.ingest.settings import read_choices as read_ingest_choices
from services.ingest.settings import read_limits
from services.profile.settings import read_choices as read_profile_choices
from services.secret import load_naming, load_secret
from services.settings import Settings, SettingsError, read_settings

SECRET = {"COUNTERPOINT_SECRET": "s" * 32}


def test_nothing_set_means_one_machine() -> None:
    settings = read_settings({})
    assert (settings.log, settings.database, settings.redis) == ("embedded:var/log", "sqlite:var/counterpoint.db", "")


def test_the_data_directory_moves_everything_that_was_not_named() -> None:
    settings = read_settings({"COUNTERPOINT_DATA": "/srv/cp", "COUNTERPOINT_DATABASE": "postgresql://bank@db/cp"})
    assert (settings.log, settings.database) == ("embedded:/srv/cp/log", "postgresql://bank@db/cp")


def test_every_field_has_its_variable() -> None:
    settings = read_settings({"COUNTERPOINT_PORT": "9000", "COUNTERPOINT_HOST": "bank"})
    assert (settings.port, settings.host) == (9000, "bank")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("BATCH_EVENTS", "0"),
        ("LOG", "kafka:hunter2"),
        ("DATABASE", "mysql://u:hunter2@host/x"),
        ("REDIS", "http://hunter2"),
        ("LOG_LEVEL", "hunter2"),
        ("CARD_RANGES", "hunter2"),
    ],
)
def test_an_error_names_the_variable_and_never_its_value(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"COUNTERPOINT_{name}") as caught:
        read_settings({f"COUNTERPOINT_{name}": value})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"COUNTERPOINT_PORT": "eighty"}, "COUNTERPOINT_PORT: a whole number is expected"),
        ({"COUNTERPOINT_BATCH_EVENTS": "0"}, "COUNTERPOINT_BATCH_EVENTS: a whole number >= 1 is expected"),
        ({"COUNTERPOINT_REGION": "x"}, "COUNTERPOINT_REGION: text like '^[A-Z]{2}$' is expected"),
        ({"COUNTERPOINT_LOG_LEVEL": "x"}, "LOG_LEVEL: one of debug, info, warning, error is expected"),
        ({"COUNTERPOINT_INGEST_ACCEPT_UNKNOWN_TYPES": "x"}, "UNKNOWN_TYPES: true or false is expected"),
        ({"COUNTERPOINT_INGEST_BODY_TIMEOUT_S": "0"}, "BODY_TIMEOUT_S: a number > 0.0 is expected"),
        ({"COUNTERPOINT_PROFILE_LATENESS_S": "x"}, "COUNTERPOINT_PROFILE_LATENESS_S: a whole number is expected"),
    ],
)
def test_an_error_says_what_is_expected_in_words(variables: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        for read in (read_settings, read_limits, read_ingest_choices, read_profile_choices):
            read(variables)
    assert told in str(caught.value)


def test_card_ranges_are_those_of_the_schemes_until_a_bank_says_otherwise() -> None:
    assert load_naming(read_settings(SECRET)).key.ranges == ISSUER_RANGES
    said = {"COUNTERPOINT_CARD_RANGES": "622200-622299:19, 4:16", "COUNTERPOINT_REGION": "CZ"}
    naming = load_naming(read_settings({**SECRET, **said}))
    assert naming.key.ranges == (IssuerRange("622200", "622299", (19,)), IssuerRange("4", "4", (16,)))
    assert naming.region == "CZ"


def test_a_misspelt_variable_is_refused_with_the_right_one() -> None:
    with pytest.raises(SettingsError, match="did you mean COUNTERPOINT_DATABASE"):
        read_settings({"COUNTERPOINT_DATABSE": "sqlite:x"})


def test_variables_of_other_tools_are_left_alone() -> None:
    assert read_settings({"COUNTERPOINT_TEST_KAFKA": "kafka://host:1", "PATH": "/bin"}) == read_settings({})


def test_settings_never_print_a_password() -> None:
    assert "hunter2" not in repr(read_settings({"COUNTERPOINT_DATABASE": "postgresql://u:hunter2@host/x"}))


def test_a_secret_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    settings = read_settings({"COUNTERPOINT_DATA": str(tmp_path / "new")})
    first = load_secret(settings)
    assert len(first) >= 32
    assert load_secret(settings) == first
    assert stat.S_IMODE((tmp_path / "new/secret").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["secret"]


def test_a_secret_with_which_a_log_was_written_is_not_made_up_anew(tmp_path: Path) -> None:
    settings = read_settings({"COUNTERPOINT_DATA": str(tmp_path)})
    first = load_secret(settings)
    (tmp_path / "log").mkdir()
    assert load_secret(settings) == first
    kept = (tmp_path / "secret").rename(tmp_path / "elsewhere")
    with pytest.raises(SettingsError, match="restore it"):
        load_secret(settings)
    assert load_secret(msgspec.structs.replace(settings, secret_file=str(kept))) == first


def test_two_deployments_have_two_secrets(tmp_path: Path) -> None:
    one, two = (read_settings({"COUNTERPOINT_DATA": str(tmp_path / name)}) for name in ("one", "two"))
    assert load_secret(one) != load_secret(two)


def test_services_on_kafka_make_up_no_secret(tmp_path: Path) -> None:
    settings = read_settings({"COUNTERPOINT_DATA": str(tmp_path), "COUNTERPOINT_LOG": "kafka://host:9092"})
    with pytest.raises(SettingsError, match="COUNTERPOINT_SECRET_FILE"):
        load_secret(settings)
    assert load_secret(msgspec.structs.replace(settings, secret="s" * 32)) == b"s" * 32


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(SettingsError, match="at least 32"):
        load_secret(Settings(secret="short"))


def test_a_directory_that_is_none_is_named_by_what_named_it(tmp_path: Path) -> None:
    (file := tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=r"^COUNTERPOINT_DATA: .*file/secret cannot be used"):
        load_secret(read_settings({"COUNTERPOINT_DATA": str(file)}))


def test_a_secret_file_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="COUNTERPOINT_SECRET_FILE"):
        load_secret(Settings(secret_file=str(tmp_path)))


@pytest.mark.parametrize(("name", "url", "told"), [
    ("DATABASE", "postgresql://bank:hunter2@db:port/cp", "cannot be read"),
    ("DATABASE", "postgresql://bank:hunter2?x@db/cp", "cannot be read"),
    ("DATABASE", "postgresql://[::1/hunter2", "cannot be read"),
    ("DATABASE", "postgresql:///hunter2", "names no host"),
    ("DATABASE", "postgresql://bank:hunter2@db/cp?sslmode=require", "`sslmode` is `ssl` here"),
    ("DATABASE", "sqlite:", "names no file"),
    ("REDIS", "redis://:hunter2@cache:port/0", "cannot be read"),
    ("LOG", "kafka://one:9092,two:hunter2", "cannot be read"),
    ("LOG", "kafka://", "cannot be read"),
])  # fmt: skip
def test_a_url_that_cannot_be_used_is_refused_by_its_variable_and_never_repeated(
    name: str, url: str, told: str
) -> None:
    with pytest.raises(SettingsError, match=told) as caught:
        read_settings({f"COUNTERPOINT_{name}": url})
    assert str(caught.value).startswith(f"COUNTERPOINT_{name} ")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", [
    "postgresql://bank:p%40ss@[::1]:5432/cp?ssl=verify-full", "postgresql://bank@/cp?host=/run/postgresql",
    "postgresql:///cp?host=one:5432&host=two:5432&target_session_attrs=read-write",
])  # fmt: skip
def test_a_server_may_be_named_by_an_address_a_socket_or_as_several(url: str) -> None:
    assert open_tables(read_settings({"COUNTERPOINT_DATABASE": url})).dialect == "postgresql"


@pytest.mark.parametrize("url", ["kafka://one", "kafka://one:9092,two:9092", "kafka://[::1]:9092"])
def test_brokers_are_named_with_commas_between(url: str) -> None:
    assert read_settings({"COUNTERPOINT_LOG": url}).log == url


DATABASE, REDIS = "postgresql://bank@db:5432/cp?ssl=verify-full", "redis://cache:6379/0"


@pytest.mark.parametrize(("field", "url", "reached"), [
    ("database", DATABASE, "postgresql://bank:hunt%40%2F2@db:5432/cp?ssl=verify-full"),
    ("database", "postgresql://bank@/cp?host=/run/postgresql", "postgresql://bank:hunt%40%2F2@/cp?host=/run/postgresql"),
    ("redis", REDIS, "redis://:hunt%40%2F2@cache:6379/0"),
    ("redis", "rediss://bank@[::1]:6379", "rediss://bank:hunt%40%2F2@[::1]:6379"),
    ("redis", "unix:///run/redis.sock?db=1", "unix://:hunt%40%2F2@/run/redis.sock?db=1"),
])  # fmt: skip
def test_a_password_stands_in_a_file_or_a_variable_apart_from_the_url(
    tmp_path: Path, field: str, url: str, reached: str
) -> None:
    (file := tmp_path / "password").write_text("hunt@/2\n")
    name = f"COUNTERPOINT_{field.upper()}"
    for given in ({f"{name}_PASSWORD": "hunt@/2"}, {f"{name}_PASSWORD_FILE": str(file)}):
        assert getattr(read_settings({name: url, **given}), field) == reached


@pytest.mark.parametrize(("variables", "told"), [
    ({"DATABASE": DATABASE, "DATABASE_PASSWORD_FILE": "/nowhere"}, "_PASSWORD_FILE: /nowhere cannot be used: No such"),
    ({"DATABASE": DATABASE, "DATABASE_PASSWORD_FILE": "EMPTY"}, "DATABASE_PASSWORD_FILE: .* is empty"),
    ({"DATABASE": DATABASE, "DATABASE_PASSWORD_FILE": "BINARY"}, "DATABASE_PASSWORD_FILE: .* it is no text"),
    ({"DATABASE": DATABASE, "DATABASE_PASSWORD_FILE": "EMPTY", "DATABASE_PASSWORD": "hunter2"}, "only one of them"),
    ({"DATABASE": "postgresql://u:hunter2@db/cp", "DATABASE_PASSWORD": "hunter2"}, "only one can be meant"),
    ({"DATABASE": "postgresql://db/cp", "DATABASE_PASSWORD": "hunter2"}, "names no role"),
    ({"DATABASE_PASSWORD": "hunter2"}, "DATABASE_PASSWORD: nothing comes of it"),
    ({"REDIS_PASSWORD": "hunter2"}, "REDIS_PASSWORD: nothing comes of it"),
    ({"REDIS": "redis://:hunter2@cache", "REDIS_PASSWORD": "hunter2"}, "only one can be meant"),
])  # fmt: skip
def test_a_password_that_cannot_be_meant_is_refused_and_never_repeated(
    tmp_path: Path, variables: dict[str, str], told: str
) -> None:
    for name, content in (("EMPTY", b"\n"), ("BINARY", b"hunter2\xff")):
        (tmp_path / name).write_bytes(content)
    given = {f"COUNTERPOINT_{name}": str(tmp_path / value) if value.isupper() else value
             for name, value in variables.items()}  # fmt: skip
    with pytest.raises(SettingsError, match=told) as caught:
        read_settings(given)
    assert "hunter2" not in str(caught.value)


def test_a_secret_said_twice_is_refused(tmp_path: Path) -> None:
    """With the other one every customer would be another."""
    with pytest.raises(SettingsError, match="COUNTERPOINT_SECRET_FILE: COUNTERPOINT_SECRET is set, too"):
        load_secret(Settings(secret="s" * 32, secret_file=str(tmp_path / "secret")))
