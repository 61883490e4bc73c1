"""`users`: staff who may read and decide."""

from typing import Annotated

import typer

from services.access import Role, User, checked_user, create_user
from services.cli.beside import Beside, Data, Json, in_deployment
from services.cli.output import show_rows, tell, when
from services.cli.refusals import Refusal, judged_by_the_line
from services.clock import SystemClock

app = typer.Typer(no_args_is_help=True, help="People who may read and decide, and their tokens.")


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="The name that decisions are recorded under.")],
    role: Annotated[Role, typer.Option(help="agent reads, manager merges and splits, admin does everything.")],
    manager_id: Annotated[str | None, typer.Option(help="Id of the manager's portfolio; by default all.")] = None,
    expires: Annotated[
        int | None,
        typer.Option(min=1, max=3650, metavar="DAYS", help="How long it is valid; by default until it is revoked."),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Create a token for a person. It is shown once; only a hash is stored. A person may have several."""
    with judged_by_the_line():
        checked_user(name, role, manager_id)

    async def work(beside: Beside) -> dict[str, object]:
        token, user = await create_user(beside.users, name, role, SystemClock().now_ms(), manager_id, expires)
        told = ("user_id", "name", "role", "manager_id", "expires_at")
        return {"token": token, **{one: what for one, what in _row(user).items() if one in told}}

    made = in_deployment(data, work)
    until = f", until {made['expires_at']}" if made["expires_at"] else ""
    told = f"{made['token']}\n\nThis is {made['user_id']}, {role} {name}{until}. It is not shown again: keep it now."
    tell(made, told, as_json=as_json)


@app.command("list")
def list_users(data: Data = None, as_json: Json = False) -> None:
    """List the owner and role of every token, revoked and expired ones included."""

    async def work(beside: Beside) -> list[dict[str, object]]:
        return [_row(one) for one in await beside.users.users()]

    columns = {
        "user_id": "Id",
        "name": "Name",
        "role": "Role",
        "manager_id": "Portfolio",
        "created_at": "Created",
        "expires_at": "Expires",
        "revoked_at": "Revoked",
    }
    nothing = "nobody may read yet: make a token with `counterpoint users create`"
    show_rows(in_deployment(data, work), columns, as_json=as_json, nothing=nothing)


@app.command()
def revoke(
    user_id: Annotated[str, typer.Argument(help="As `users list` shows it.")], data: Data = None, as_json: Json = False
) -> None:
    """Revoke a token: running platforms refuse it within a second."""

    async def work(beside: Beside) -> dict[str, object]:
        if not await beside.users.revoke(user_id, SystemClock().now_ms()):
            raise Refusal(f"there is no token {user_id} in force: `counterpoint users list` shows them")
        return next(_row(one) for one in await beside.users.users() if one.user_id == user_id)

    tell(in_deployment(data, work), f"{user_id} is revoked", as_json=as_json)


def _row(user: User) -> dict[str, object]:
    return {
        "user_id": user.user_id, "name": user.name, "role": user.role, "manager_id": user.manager_id,
        "created_at": when(user.created_at), "expires_at": when(user.expires_at), "revoked_at": when(user.revoked_at),
    }  # fmt: skip
