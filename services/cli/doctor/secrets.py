"""What only the bank's own processes may know: the secret and the passwords, and who else can read their files."""

import stat
from collections.abc import Sequence
from pathlib import Path

from services.cli.doctor.findings import Finding, ok, warning, wrong
from services.secret import load_secret, lost_secret, secret_path
from services.settings import Settings, SettingsError

_PASSWORD_FILES = tuple(name for name in Settings.__struct_fields__ if name.endswith("_password_file"))


def secret(settings: Settings) -> Finding:
    try:
        return _secret(settings)
    except SettingsError as error:
        return wrong("secret", str(error))


def _secret(settings: Settings) -> Finding:
    if settings.secret:
        load_secret(settings)
        return ok("secret", "given by COUNTERPOINT_SECRET; a file would not show in the environment of the process")
    if not settings.secret_file and not settings.embedded:
        return wrong("secret", "set COUNTERPOINT_SECRET_FILE: services on Kafka share one secret")
    path = secret_path(settings)
    if lost := lost_secret(settings):
        return wrong("secret", lost)
    if not path.exists():
        fix = "it is made at the first start" if settings.embedded else "set COUNTERPOINT_SECRET_FILE, the same for all"
        return (warning if settings.embedded else wrong)("secret", f"there is no {path}: {fix}")
    load_secret(settings)
    return _kept("secret", [path])


def passwords(settings: Settings) -> Sequence[Finding]:
    """Whether they can be read and used was seen when the settings were read."""
    files = [Path(path) for name in _PASSWORD_FILES if (path := getattr(settings, name))]
    return [_kept("passwords", files)] if files else []


def _kept(what: str, files: Sequence[Path]) -> Finding:
    """A cluster mounts its secrets for the group of the processes that use them, owned by root."""
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in files}
    if opened := [str(path) for path, mode in modes.items() if mode & stat.S_IRWXO]:
        return wrong(what, f"{', '.join(opened)} can be read by everybody here: chmod o= {' '.join(opened)}")
    readers = "its owner and its group" if any(mode & stat.S_IRWXG for mode in modes.values()) else "its owner alone"
    return ok(what, f"in {', '.join(map(str, files))}, for {readers}")
