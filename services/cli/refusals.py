"""Why a command did not do what it was told: one sentence that names the thing and the fix."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module

from services.failures import Contended, Rejected, Unavailable

FAILED, MISUSED, INTERRUPTED = 1, 2, 130
"""How a command ends that did not do what it was told: it could not, or found what it looks for (`doctor`,
`rules check`); it was not told so that it can be understood, as typer has it; somebody stopped it."""


class Refusal(Exception):  # noqa: N818 - told to a person; not a programming error
    """The message is the sentence."""

    code = FAILED


class Misuse(Refusal):
    """Of a command line that is wrong whatever the deployment holds."""

    code = MISUSED


@contextmanager
def judged_by_the_line() -> Iterator[None]:
    """What a room refuses inside, it would refuse beside any deployment. Raises `Misuse`."""
    try:
        yield
    except Rejected as error:
        raise Misuse(sentence_of(error)) from None


def only(customer_ids: Sequence[str], who: str) -> str:
    """The one whom `who` (an id, or an identifier such as customer_no=10000017) names. Raises `Refusal`."""
    if len(customer_ids) == 1:
        return customer_ids[0]
    # a phone or card number belongs into no message, nor does whatever was typed in place of an id
    kind, equals, _ = who.partition("=")
    named = who if kind in ("customer_no", "account_no") else f"this {kind}" if equals else "this id"
    if customer_ids:
        raise Refusal(f"{named} stands for several customers: {', '.join(customer_ids)}")
    raise Refusal(f"no customer has {named}")


# Looked up by name: to import them all here would be to load every driver for every command.
_TELLING = {
    "schemas.catalogue.loading": ("CatalogueError",),
    "services.settings": ("SettingsError",),
    "services.sql.migrations": ("WrongSchema",),
    "services.sql.one_clock": ("OtherClock",),
    "services.sql.one_secret": ("OtherSecret",),
    "services.embedded.damage": ("OtherFormat",),
    "services.embedded.files": ("DirectoryInUse",),
    "services.replay.send": ("NotAccepted",),
    "services.declared_files": ("PolicyError",),
}


def sentence_of(error: BaseException) -> str | None:
    """None for a bug: that keeps its traceback. An error group is as telling as the first of its parts."""
    if isinstance(error, BaseExceptionGroup):
        return next((told for part in error.exceptions if (told := sentence_of(part))), None)
    if isinstance(error, Refusal | Contended) or type(error) in _telling(type(error).__module__):
        return str(error)
    if isinstance(error, Unavailable):
        return f"{error} ({error.setting} says where it is)" if error.setting else str(error)
    if isinstance(error, Rejected):
        return f"{error.field}: {error}" if error.field else str(error)
    if _is(error, "services.log", "UnknownTopic"):
        return f"the log holds no topic {error}: start the platform once, it makes its topics"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return None


def _telling(module: str) -> Iterator[type]:
    return (getattr(import_module(module), name) for name in _TELLING.get(module, ()))


def _is(error: BaseException, module: str, name: str) -> bool:
    return type(error).__module__ == module and type(error).__name__ == name
