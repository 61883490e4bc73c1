"""A team leader's view from a terminal."""

from tests.cli.conftest import Platform


def test_a_team_is_shown_with_all_together_last(platform: Platform) -> None:
    said = platform.credentials
    asked = ("alerts", "team", "--url", said["base_url"], "--token", said["manager_token"])
    told = platform.run(*asked, "--owner", "M-404,M-405", "--month", "2026-11", "--json").json
    assert [one["owner"] for one in told["members"]] == ["M-404", "M-405"]
    shown = platform.run(*asked, "--owner", "M-404").out
    assert [line.split()[1] for line in shown.splitlines() if line.startswith("│")] == ["M-404", "all"]
    assert shown.splitlines()[-1].startswith("What was closed is of 20")
    assert platform.run(*asked, "--month", "soon").err == ("error: 400: month: a month such as 2026-11 is expected\n")
