"""The language in which a reader wants titles and reasons (RFC 9110, 12.5.4)."""

from typing import Annotated

from litestar.di import NamedDependency
from litestar.params import HeaderParameter

from services.alerts.domain.rules import Language

_DESCRIBED = HeaderParameter(name="Accept-Language", description="`zh` or `en`; English where neither is wanted more")


def language(accept_language: Annotated[str | None, _DESCRIBED] = None) -> Language:
    wanted: dict[str, float] = {}
    for one in (accept_language or "").split(","):
        tag, _, parameters = one.partition(";")
        wanted.setdefault(tag.strip().lower().partition("-")[0], _weight(parameters))
    return "zh" if wanted.get("zh", 0.0) > wanted.get("en", 0.0) else "en"


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0


def told_in(language: Language) -> dict[str, str]:
    """Headers of an answer that reads otherwise in another language."""
    return {"Vary": "Accept-Language", "Content-Language": language}


Reading = NamedDependency[Language]
