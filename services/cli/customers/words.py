"""What stands around the values of a customer on a terminal, in the language of whoever reads it."""

from services.cli.words import OF_TABLES, Words

NOBODY = (
    "no customer matches: a customer exists once an event that names it was accepted "
    "(`counterpoint dead-letters list` shows what was refused)"
)
OTHERS = "others match, too: ask for more of what you know"
NOTHING_SUCH = "nothing of that kind has happened: without --type, --channel, --since and --until there may be more"
NOTHING = "nothing is kept: what is older than COUNTERPOINT_PROFILE_TIMELINE_MONTHS stands in the view alone"
ERASED = "erased {at}: nothing personal from before is shown"
BEHIND = "not up to date: what is known since cannot be shown; `counterpoint doctor` says more"
MEMBERS = "{number}, {members} members"
SALARY, NEXT_DUE = "{period} from {payer}", ", next due {day}"
SPREAD, EVERY = "a month, give or take {spread}", "every {days} days"
SILENT = "Silent beyond their rhythm: {sources}"
_WORDS = Words({
    **OF_TABLES,
    "Customer": "客户", "Name": "姓名", "Kind": "类别", "Tier": "等级", "Owner": "负责人", "Accounts": "账户",
    "When": "时间", "What": "事件", "Amount": "金额", "Channel": "渠道", "Details": "详情", "About": "主体",
    "Cases": "工单", "Case": "工单", "Status": "状态", "Overdue": "超期", "Due": "时限", "Reason": "原因",
    "Contacts": "联系记录", "Outcome": "结果", "Account": "账户", "Balance": "余额", "As of": "截至", "Role": "角色",
    "Until": "止于", "Other holders": "其他持有人", "Products": "产品", "Id": "编号", "Product": "产品",
    "Mandates": "支付授权", "Mandate": "授权", "Applications": "申请", "Application": "申请",
    "Signatories": "授权签字人", "Members": "成员", "Identifiers": "标识", "Value": "值", "Since": "始于",
    "Flags": "标记", "Person": "个人信息", "Source": "来源", "Channels": "渠道", "First": "首次", "Last": "最近",
    "Events": "事件数", "Consent": "授权同意", "Given": "已同意", "Preference": "偏好", "Worth": "价值",
    "Points of 100": "百分制得分", "Weight": "权重", "Behaviour": "行为习惯", "Usually": "通常", "More": "说明",
    "Measures other than 0": "非零指标", "No rate for": "无汇率", "Complete up to": "数据完整至", "Time": "时间",
    "Score": "评分", "Assets": "资产", "No balance told of": "余额未知", "Private banking": "私人银行",
    "Direction": "走势", "Household": "家庭", "Together": "家庭合计",
    "salary": "工资", "inflow": "流入", "outflow": "流出", "sign-ins": "登录",
    NOBODY: "没有匹配的客户：有事件提到并被接收之后，客户才存在（`counterpoint dead-letters list` 显示被拒收的事件）",  # noqa: RUF001 - Chinese punctuation
    OTHERS: "还有其他匹配的客户：请给出更多已知信息",  # noqa: RUF001 - Chinese punctuation
    NOTHING_SUCH: "没有这类事件：去掉 --type、--channel、--since 和 --until 或许能看到更多",  # noqa: RUF001 - Chinese punctuation
    NOTHING: "没有保留任何事件：早于 COUNTERPOINT_PROFILE_TIMELINE_MONTHS 的只体现在客户视图中",  # noqa: RUF001 - Chinese punctuation
    ERASED: "已于 {at} 擦除：此前的个人信息不再显示",  # noqa: RUF001 - Chinese punctuation
    BEHIND: "不是最新：此后的信息暂时无法显示，详见 `counterpoint doctor`",  # noqa: RUF001 - Chinese punctuation
    MEMBERS: "{number}，{members} 名成员",  # noqa: RUF001 - Chinese punctuation
    SALARY: "{period}，付款方 {payer}", NEXT_DUE: "，下次应在 {day}",  # noqa: RUF001 - Chinese punctuation
    SPREAD: "每月，上下浮动 {spread}", EVERY: "每 {days} 天",  # noqa: RUF001 - Chinese punctuation
    SILENT: "无数据的时间超出其节奏：{sources}",  # noqa: RUF001 - Chinese punctuation
})  # fmt: skip
worded, headed = _WORDS.worded, _WORDS.headed
