"""The deployment's secret, with which card tokens and customer ids are made: read, or made where that does no harm."""

import os
import secrets
from pathlib import Path

from schemas.naming import Naming
from schemas.tokens import TokenKey
from services.settings import PREFIX, Settings, SettingsError, card_ranges_of, given, text_of

MINIMUM_SECRET_LENGTH = 32


def load_naming(settings: Settings) -> Naming:
    """Raises `SettingsError` as `load_secret` does."""
    return Naming(TokenKey(load_secret(settings), ranges=card_ranges_of(settings)), settings.region)


def load_secret(settings: Settings) -> bytes:
    """The deployment's secret. Reads or makes the secret file; raises `SettingsError` where none may be made up."""
    if settings.secret:
        return _checked(given(settings, "secret"), f"{PREFIX}SECRET")
    if not settings.secret_file and not settings.embedded:
        # every process of a bank must make the same tokens: a secret made up here would not be the others'
        raise SettingsError(f"set {PREFIX}SECRET or {PREFIX}SECRET_FILE: services on Kafka share one secret")
    path, name = secret_path(settings), f"{PREFIX}{'SECRET_FILE' if settings.secret_file else 'DATA'}"
    try:
        if lost := lost_secret(settings):
            raise SettingsError(lost)
        if not path.exists():
            _make_secret(path)
    except OSError as error:
        raise SettingsError(f"{name}: {path} cannot be used: {error.strerror}") from None
    return _checked(text_of(path, name), f"the file {path}")


def secret_path(settings: Settings) -> Path:
    return Path(settings.secret_file or f"{settings.data}/secret")


def lost_secret(settings: Settings) -> str | None:
    """What to do where the file is gone with which a log of this machine was written: it is made before the log is."""
    path, written = secret_path(settings), Path(settings.log.removeprefix("embedded:"))
    if not settings.embedded or path.exists() or not written.exists():
        return None
    return f"{path} is gone, with which {written} was written: restore it; by another one every customer is another"


def _checked(secret: str, where: str) -> bytes:
    if len(secret) < MINIMUM_SECRET_LENGTH:
        raise SettingsError(f"{where} must hold at least {MINIMUM_SECRET_LENGTH} characters")
    return secret.encode()


def _make_secret(path: Path) -> None:
    """Complete or not there at all; of two processes that make it at once, one wins and both read the winner's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
