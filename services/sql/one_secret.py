"""One database, one secret: a process with another one would make another customer of each card and each person, and
nothing else would tell. The database keeps a fingerprint, which gives nothing of the secret away."""

from schemas.identifiers import keyed_hash
from services.clock import ClockKind
from services.sql.database import Database
from services.sql.session import read, writing

_KEEP = "insert into deployment (one, secret_fingerprint, clock) values (1, $1, $2) on conflict do nothing"
_KEPT = "select secret_fingerprint from deployment"


class OtherSecret(Exception):  # noqa: N818 - a state of the deployment, told to an operator; not a programming error
    """The message says what to do."""


async def settle_on_secret(database: Database, secret: bytes, clock: ClockKind = "system") -> None:
    """Of the first process it becomes the database's, with its kind of clock. Raises `OtherSecret`, `Unavailable`."""
    async with writing(database) as session:
        await session.run(_KEEP, _fingerprint(secret), clock)
    await refuse_other_secret(database, secret)


async def refuse_other_secret(database: Database, secret: bytes) -> None:
    """Raises `OtherSecret`, `Unavailable`."""
    kept = await read(database, _KEPT)
    if kept and kept[0][0] != _fingerprint(secret):
        raise OtherSecret(
            "the secret of this process is not the one with which the database was written: give every process and "
            "shell that one, by COUNTERPOINT_SECRET_FILE; by another one every card and every customer is another"
        )


def _fingerprint(secret: bytes) -> str:
    return keyed_hash(secret, "fingerprint", "")
