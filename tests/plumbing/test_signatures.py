"""How a message is signed."""

import pytest

from services.failures import Rejected
from services.outbound.signatures import dingtalk_signed, webhook_headers

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_a_signature_is_that_of_the_specification() -> None:
    """The vector of the reference libraries of Standard Webhooks."""
    headers = webhook_headers(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-id"] == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert headers["webhook-timestamp"] == "1614265330"


def test_while_one_secret_replaces_another_both_sign() -> None:
    other = "whsec_" + "QUJD" * 8
    first, second = (webhook_headers(one, "m", 1, b"x")["webhook-signature"] for one in (SECRET, other))
    assert webhook_headers(f"{SECRET} {other}", "m", 1, b"x")["webhook-signature"] == f"{first} {second}"


@pytest.mark.parametrize("secret", ["whsec_c2hvcnQ=", "whsec_***", "whsec_" + "QUJD" * 40])
def test_a_secret_that_is_none_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(Rejected) as raised:
        webhook_headers(secret, "m", 1, b"x")
    assert secret not in str(raised.value)


def test_the_signature_of_a_dingtalk_robot() -> None:
    """Worked out with OpenSSL: `openssl dgst -sha256 -hmac 'this is secret'` over time, line feed and secret."""
    signed = dingtalk_signed("https://oapi.dingtalk.com/robot/send?access_token=t", "this is secret", 1_577_262_236_757)
    assert signed == (
        "https://oapi.dingtalk.com/robot/send?access_token=t&timestamp=1577262236757&sign="
        "hmPWwU%2B7lVdm3ZZz0r9tSfx0L4Q26jWOZr9%2BGs6EZQM%3D"
    )
    assert dingtalk_signed("https://robot.bank.example/send", "s", 1).startswith(
        "https://robot.bank.example/send?timestamp=1&sign="
    )
