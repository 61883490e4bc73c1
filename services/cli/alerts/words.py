"""What stands around the texts of alerts on a terminal, in the language of these texts."""

from services.cli.words import OF_TABLES, Words

NO_SUCH_ALERT = (
    "no such alert: `--state all` shows what has ended, too, and `counterpoint rules explain CUSTOMER` why a rule "
    "does not speak"
)
MORE_ALERTS = "there are more: narrow it, raise --limit, or say --all"
NOTHING_TODAY = "nothing is due today, and nothing is new since yesterday"
MORE_ANOTHER_DAY = "{count} more are open, for another day: `counterpoint alerts list`"
OF_WHEN = "What was closed is of {month}; what is open, of now"
_WORDS = Words({
    **OF_TABLES,
    "Alert": "告警", "Grade": "评级", "Title": "标题", "Owner": "负责人", "State": "状态", "Due": "时限",
    "Customer": "客户", "Customer id": "客户编号", "Rule": "规则", "Evidence": "证据", "Seen": "所见的值",
    "When": "时间", "Ended": "结束于", "Who": "何人", "Step": "步骤", "Note": "备注", "Reason": "原因",
    "Suggested": "建议", "May be said": "可以说", "Must not be said": "不可以说", "Kind": "类别",
    "Severity": "严重程度",
    "At stake": "涉及金额", "Claimed by": "认领人", "Outcome": "结果", "unknown": "未知", "grade": "评级",
    "Today": "今日", "overdue": "已超时",
    "visit": "拜访或电话", "comes back": "推迟到期", "due": "今日到期", "new": "新增", "all": "合计", "Open": "未结",
    "Overdue": "超时", "Waiting": "等待中", "Unclaimed": "未认领", "In hand": "处理中", "Planned": "已安排或推迟",
    "Saved": "挽留成功", "Lost": "流失", "Sold": "成交", "Sold for": "成交金额", "Relevant": "相关率",
    "Not relevant": "不相关", "Unreachable": "联系不上",
    "Service only: nothing may be offered": "仅限服务，不得推介",  # noqa: RUF001 - Chinese punctuation
    "Nothing may be offered by a channel that the customer refused": "不得通过客户拒绝的渠道推介",
    MORE_ALERTS: "还有更多：请缩小范围、加大 --limit 或使用 --all",  # noqa: RUF001 - Chinese punctuation
    NO_SUCH_ALERT:
        "没有这样的告警：`--state all` 也显示已结束的，`counterpoint rules explain CUSTOMER` 说明规则为何没有触发",  # noqa: RUF001 - Chinese punctuation
    NOTHING_TODAY: "今天没有到期的事项，昨天以来也没有新增",  # noqa: RUF001 - Chinese punctuation
    MORE_ANOTHER_DAY: "另有 {count} 条未结，不在今天：`counterpoint alerts list`",  # noqa: RUF001 - Chinese punctuation
    OF_WHEN: "已关闭的为 {month} 的数据，未结的为当前数据",  # noqa: RUF001 - Chinese punctuation
})  # fmt: skip
worded, headed = _WORDS.worded, _WORDS.headed
