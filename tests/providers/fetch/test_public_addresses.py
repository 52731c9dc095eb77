"""Public addresses, and those that an operator's entries add."""

import ipaddress

import pytest

from app.providers.fetch.public_addresses import AllowedAddresses, is_public

PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "93.184.216.34",
    "11.0.0.1",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2001:4860:4860::8888",
    "2a00:1450::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2a00::5efe:8.8.8.8",
]
NOT_PUBLIC = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "192.0.0.192",
    "168.63.129.16",
    "fd00:ec2::254",  # clouds' metadata
    "100.64.0.1",
    "100.127.255.255",
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "198.18.0.1",
    "192.88.99.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "fe80::1",
    "fec0::1",
    "fc00::1",
    "fd12:3456::1",
    "ff02::1",
    "100::1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::8.8.8.8",
    "2002:7f00:1::1",
    "2002:808:808::1",
    "2001::1",
    "2001:0:4136:e378::1",
    "2001:db8::1",
    "3fff::1",
    "5f00::1",
    "2a00::5efe:127.0.0.1",
    "2a00::200:5efe:10.0.0.1",
    "fe80::5efe:8.8.8.8",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_these_are_public(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_these_are_not(address):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    ("port", "allowed"),
    [(80, True), (443, True), (1024, True), (65_535, True), (22, False), (25, False), (1023, False)],
)
def test_a_public_machines_other_services_are_not_asked(port, allowed):
    assert AllowedAddresses().allows("mail.example", "8.8.8.8", port) is allowed


@pytest.mark.parametrize(
    ("entry", "host", "address", "port"),
    [
        ("127.0.0.1", "127.0.0.1", "127.0.0.1", 25),
        ("127.0.0.1:8000", "localhost", "127.0.0.1", 8000),
        ("10.1.0.0/16", "files.corp", "10.1.2.3", 80),
        ("fd00::/8", "files.corp", "fd00::5", 80),
        ("::1", "localhost", "::1", 80),
        ("[::1]:8000", "localhost", "::1", 8000),
        ("files.corp", "FILES.corp", "10.9.9.9", 443),
        ("files.corp:8443", "files.corp", "10.9.9.9", 8443),
        ("fe80::/10", "fe80::1%eth0", "fe80::1%eth0", 80),
    ],
)
def test_an_entry_opens_the_way(entry, host, address, port):
    assert not AllowedAddresses().allows(host, address, port)
    assert AllowedAddresses([entry]).allows(host, address, port)


@pytest.mark.parametrize(
    ("entry", "host", "address", "port"),
    [
        ("127.0.0.1:8000", "127.0.0.1", "127.0.0.1", 8001),
        ("127.0.0.1:8000", "127.0.0.2", "127.0.0.2", 8000),
        ("10.1.0.0/16", "files.corp", "10.2.0.1", 80),
        ("files.corp", "evil-files.corp", "10.9.9.9", 80),
        ("files.corp", "files.corp.evil", "10.9.9.9", 80),
        ("files.corp:8443", "files.corp", "10.9.9.9", 443),
    ],
)
def test_an_entry_opens_no_other_way(entry, host, address, port):
    assert not AllowedAddresses([entry]).allows(host, address, port)


@pytest.mark.parametrize(
    "entry",
    ["", "http://files.corp", "*.corp", "10.0.0.1/8", "files.corp:0", "files.corp:x", ":80", "user@files.corp", "a b"],
)
def test_an_invalid_entry_is_named(entry):
    with pytest.raises(ValueError, match="neither a network nor"):
        AllowedAddresses([entry])
