"""Which addresses a message may go to."""

import pytest

from services.outbound.addresses import may_be_reached


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "172.16.3.4", "192.168.1.1", "127.0.0.1", "169.254.169.254", "100.100.100.200", "0.0.0.1",
     "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00:ec2::254", "ff02::1", "::ffff:10.0.0.1",
     "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::f5ff:fffe", "::127.0.0.1", "::10.0.0.1",
     "::ffff:0:169.254.169.254", "fec0::1", "64:ff9b:1::8.8.8.8", "3fff::1", "5f00::1", "192.88.99.1"],
)  # fmt: skip
def test_what_is_not_public_is_not_reached(address: str) -> None:
    assert not may_be_reached(address)


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e", "::8.8.8.8"]
)
def test_what_is_public_is_reached(address: str) -> None:
    assert may_be_reached(address)


def test_a_network_that_is_allowed_is_reached_and_no_other() -> None:
    assert may_be_reached("10.1.2.3", ["10.1.2.0/24"])
    assert may_be_reached("fd12::7", ["10.1.2.0/24", "fd12::/16"])
    assert not may_be_reached("10.1.3.3", ["10.1.2.0/24"])
