"""`Counterpoint-Receipt` and `Prefer: wait=2` (RFC 7240): a reader that wants to see what it has just sent."""

import re
from collections.abc import Mapping
from typing import Annotated, NamedTuple

from litestar.di import NamedDependency
from litestar.params import HeaderParameter

from schemas.receipt import decode_receipt
from services.log import PositionStore
from services.profile.receipts import LONGEST_S, until_updated
from services.profile.web.backend import Injected
from services.web.asgi import Problem

RECEIPT = "Counterpoint-Receipt"
_WAIT = re.compile(r"(?:^|,)\s*wait\s*=\s*\"?(\d{1,6})\"?\s*(?=$|[,;])", re.IGNORECASE)


class Preference(NamedTuple):
    """`seconds` is None if the reader did not ask to wait, or named nothing to wait for."""

    store: PositionStore
    receipt: Mapping[int, int]
    seconds: int | None

    async def honoured(self) -> dict[str, str]:
        """Waits, and returns the headers that say so: none if the time ran out first."""
        if self.seconds is None or not await until_updated(self.store, self.receipt, float(self.seconds)):
            return {}
        return {"Preference-Applied": f"wait={self.seconds}"}


def preference(
    backend: Injected,
    receipt: Annotated[str | None, HeaderParameter(name=RECEIPT, description="As `POST /v1/events` gave it")] = None,
    prefer: Annotated[
        str | None,
        HeaderParameter(
            name="Prefer", description=f"`wait=2`: wait up to 2 seconds (at most {LONGEST_S:g}) for the view"
        ),
    ] = None,
) -> Preference:
    """Raises `Problem` for a receipt that is none of ours."""
    try:
        positions = decode_receipt(receipt) if receipt else {}
    except ValueError:
        raise Problem(400, f"{RECEIPT} is none of ours", field=RECEIPT) from None
    wait = _WAIT.search(prefer or "") if receipt else None
    return Preference(backend.read.reader, positions, int(wait[1]) if wait else None)


Preferred = NamedDependency[Preference]
