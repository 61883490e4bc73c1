"""What must hold of alerts at rest: what the last statement of each customer says stands, once, and nothing else."""

from collections.abc import Mapping

from schemas.changes import GONE, ProfileChange
from schemas.codec import decode_alert, decode_change
from schemas.topics import ALERTS, PROFILE_CHANGES
from services.alerts.adapters.cel import Cel
from services.alerts.adapters.rows import alert_of, notice_of, standing_of
from services.alerts.adapters.rule_files import PRODUCT, load_rules
from services.alerts.adapters.sql_transaction import NOTICES
from services.alerts.domain.alert import Alert
from services.alerts.domain.compiled import RuleSet
from services.alerts.domain.judging import HOLDS, judge
from services.alerts.domain.notices import paused
from services.alerts.domain.standing import Standing
from services.cli.declared import known_of
from services.declared_files import directories
from services.profile.adapters.policies import load_declarations
from services.sql.database import Database
from services.sql.session import reading
from tests.chaos.verdict import MOST, Verdict, read_topic

EXPRESSIONS = Cel()


async def verdict_on_alerts(servers: str, database: Database) -> Verdict:
    rules = load_rules(directories(PRODUCT, ""), known_of(load_declarations()), EXPRESSIONS, {}).rule_set
    last: dict[str, ProfileChange] = {}
    for value in (await read_topic(servers, PROFILE_CHANGES.name)).values():
        change = decode_change(value)
        if change.customer_id not in last or last[change.customer_id].version < change.version:
            last[change.customer_id] = change
    async with reading(database) as session:
        standings = {row[0]: standing_of(row[1]) for row in await session.rows(_STANDINGS)}
        alerts = {(one := alert_of(row[0])).alert_id: one for row in await session.rows(_ALERTS)}
        resting = paused([notice_of(row[0]) for row in await session.rows(NOTICES)], {})
    wrong: list[str] = []
    for customer, change in sorted(last.items()):
        wrong += differences(change, standings.get(customer, Standing()), alerts, rules, resting)
    wrong = wrong[:MOST] + await _untold(servers, alerts)
    standing = [one for one in alerts.values() if one.is_open]
    return Verdict(
        wrong,
        f"last statements of {len(last)} customers, {len(alerts)} alerts, {len(standing)} of them open,"
        f" {sum(len(one.firings) for one in standings.values())} rules that hold"
        f"{', paused: ' if resting else ''}{', '.join(sorted(resting))}",
    )


_STANDINGS = "select customer_id, standing from alert_customers"
_ALERTS = "select body from alerts"


def differences(
    change: ProfileChange,
    standing: Standing,
    alerts: Mapping[str, Alert],
    rules: RuleSet,
    resting: frozenset[str] = frozenset(),
) -> list[str]:
    """Two open alerts of one situation the database refuses; all else is told here. `resting`: rules that a burst has
    paused: that they hold is not acted on. What held on facts stays said for as long as its rule declares."""
    who = f"{change.customer_id} at version {change.version}"
    if standing.version != change.version:
        return [f"{who}: the alert service stands at version {standing.version}"]
    still_open = [one for one in alerts.values() if one.is_open and one.customer_id == change.customer_id]
    if change.kind == GONE:
        return [f"{who}: {one.alert_id} is open for nobody" for one in still_open]
    verdicts = [one for one in judge(change, rules, EXPRESSIONS) if one.rule.declared.situation]
    unjudged = {one.rule.id for one in verdicts if one.outcome != HOLDS} | resting
    due = {one.key for one in verdicts if one.outcome == HOLDS and one.rule.id not in resting}
    found = {key for key, firing in standing.firings.items() if firing.rule not in unjudged}
    wrong = [f"{who}: {key} holds and was not acted on" for key in sorted(due - found)]
    staying = {key for key in found if key.endswith("|") and change.changed_at < standing.firings[key].window_until}
    wrong += [f"{who}: {key} was acted on and holds no longer" for key in sorted(found - due - staying)]
    for key in sorted(due & found):
        firing = standing.firings[key]
        alert = alerts.get(firing.alert_id)
        if firing.alert_id and (alert is None or not any(one.key == key for one in alert.evidence)):
            wrong.append(f"{who}: {key} is not among the evidence of {firing.alert_id}")
    for alert in still_open:
        told = [one.key for one in alert.evidence if not one.ended_at and not one.origin]
        wrong += [
            f"{alert.alert_id}: {key} is told twice" for key in sorted({key for key in told if told.count(key) > 1})
        ]
        keys = [one.key for one in alert.current_evidence()]
        if standing.firings.keys().isdisjoint(keys):
            wrong.append(f"{alert.alert_id} ({alert.state}) stands without a cause: {keys}")
    return wrong


async def _untold(servers: str, alerts: Mapping[str, Alert]) -> list[str]:
    """Every alert was told as it stands now, no revision with two contents."""
    told: dict[str, dict[int, bytes]] = {}
    wrong: list[str] = []
    for value in (await read_topic(servers, ALERTS.name)).values():
        alert = decode_alert(value)
        if told.setdefault(alert.alert_id, {}).setdefault(alert.revision, value) != value:
            wrong.append(f"{alert.alert_id}: revision {alert.revision} was told with two contents")
    for alert_id, one in sorted(alerts.items()):
        if max(told.get(alert_id, {}), default=0) != one.revision:
            wrong.append(f"{alert_id} stands at revision {one.revision}, told were {sorted(told.get(alert_id, {}))}")
    wrong += [f"{alert_id} was told and does not exist" for alert_id in sorted(told.keys() - alerts.keys())]
    return wrong[:MOST]
