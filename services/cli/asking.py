"""Asks a running platform over HTTP, as a person with a token, and says in a sentence why it did not answer."""

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import httpx
import typer

from services.cli.beside import address_of, credential, unknown_asker
from services.cli.refusals import Refusal, only

URL = "COUNTERPOINT_URL"
Url = Annotated[str | None, typer.Option(envvar=URL, help="Address of the running platform.")]
Token = Annotated[
    str | None,
    typer.Option(envvar="COUNTERPOINT_TOKEN", help="Token of a person; by default the platform's first one."),
]
PATIENCE_S = 30


class Asking(NamedTuple):
    """Where a platform runs, and whose token is shown."""

    url: str
    token: str

    def get(self, path: str, language: str = "en", **parameters: Any) -> Any:
        """Raises `Refusal`."""
        return self._asked("GET", path, language, params={k: v for k, v in parameters.items() if v is not None})

    def post(self, path: str, body: Any, language: str = "en") -> Any:
        """Raises `Refusal`."""
        return self._asked("POST", path, language, json=body)

    def customer(self, who: str) -> str:
        """The id of whom an identifier names; an id stays as it is. Raises `Refusal` where that is not one customer."""
        kind, equals, value = who.partition("=")
        if not equals:
            return who
        return only([one["customer_id"] for one in self.post("/v1/customers/search", {kind: value})["customers"]], who)

    def _asked(self, method: str, path: str, language: str, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Accept-Language": language}
        try:
            answer = httpx.request(method, self.url + path, headers=headers, timeout=PATIENCE_S, **more)
        except (httpx.HTTPError, httpx.InvalidURL):
            raise _nobody(self.url) from None
        if answer.is_success:
            return answer.json()
        raise Refusal(f"{answer.status_code}: {_why(answer, self.url)}")


def knock(url: str) -> None:
    """Before much is sent, which would be tried for long. Raises `Refusal` where nobody answers."""
    try:
        httpx.get(url + "/health/live", timeout=PATIENCE_S)
    except (httpx.HTTPError, httpx.InvalidURL):
        raise _nobody(url) from None


def _nobody(url: str) -> Refusal:
    return Refusal(f"nobody answers at {url}: is it running? --url or {URL} names another one")


def _why(answer: httpx.Response, url: str) -> str:
    from services.web.asgi import NOTHING_HERE

    try:
        told = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        told = answer.reason_phrase
    if told == NOTHING_HERE:
        return f"{url} does not answer this: --url or {URL} names the service that does"
    return str(told)


def asking(data: Path | None, url: str | None, token: str | None, role: str = "agent") -> Asking:
    """`role`: of the first token of that deployment, where none is given. Raises `Refusal`."""
    known = token or credential(data, f"{role}_token")
    if not known:
        raise unknown_asker(data)
    return Asking(address_of(data, url), known)
