"""The platform with a mistake in its fold: one event makes it raise. A release that a test mends."""

from schemas.events import ChannelEvent
from services.cli import main
from services.profile.domain.states.fold import Fold
from services.profile.domain.states.state import State

whole = Fold.add


def faulty(self: Fold, state: State, event: ChannelEvent, original: State | None = None) -> bool:
    if event.id.startswith("poison"):
        raise ZeroDivisionError
    return whole(self, state, event, original)


if __name__ == "__main__":
    Fold.add = faulty  # type: ignore[method-assign]  # the mistake itself
    main()
