"""The managers and branch queues that an alert may be given to."""

from collections.abc import Awaitable, Callable

from services.access import UserStore
from services.alerts.domain.routing import QUEUE, Staff
from services.alerts.domain.rules import Desk
from services.alerts.ports import AlertStore


async def staff_of(
    store: AlertStore, users: UserStore, desk: Desk, of_profile: Callable[[], Awaitable[Staff]]
) -> Staff:
    """Managers who have customers or alerts, stand in the roster or on the desk, or have a token of their own. Raises
    `Unavailable`."""
    known, owners = await of_profile(), await store.owners()
    signed_in = {one.manager_id for one in await users.users() if one.manager_id and one.revoked_at is None}
    at_desk = {*desk.capacities, *desk.superiors, *desk.superiors.values(), *desk.roles.values()}
    named = {*owners, *signed_in, *at_desk}
    managers = {one for one in named if one and not one.startswith(QUEUE)}
    branches = {one.removeprefix(QUEUE) for one in named if one.startswith(QUEUE)}
    return Staff(known.managers | (managers - known.left), known.branches | branches, known.left)
