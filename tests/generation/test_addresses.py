"""Where an endpoint may point, and where not."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.endpoints import addresses


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/v1",
        "http://127.1/v1",
        "http://2130706433/v1",
        "http://0x7f000001/v1",
        "http://0177.0.0.1/v1",
        "http://localhost:8000/v1",
        "http://LOCALHOST./v1",
        "http://foo.localhost/v1",
        "http://10.1.2.3/v1",
        "http://172.16.0.1/v1",
        "http://192.168.1.1/v1",
        "http://100.64.0.1/v1",
        "http://169.254.169.254/latest",
        "http://0.0.0.0/v1",
        "http://224.0.0.1/v1",
        "http://[::1]/v1",
        "http://[::]/v1",
        "http://[fe80::1]/v1",
        "http://[fd00::1]/v1",
        "http://[::ffff:127.0.0.1]/v1",
        "http://[::ffff:a9fe:a9fe]/v1",
        "http://[64:ff9b::7f00:1]/v1",
        "http://[::7f00:1]/v1",
        "http://[fec0::1]/v1",
        "http://[fe80::1%25eth0]/v1",
        "http://127.0.0\u30021/v1",
        "http://127.0.0\uff0e1/v1",
        "http://127.0.0.%31/v1",
        "http://[2002:7f00:1::]/v1",
        "http://[::ffff:0:7f00:1]/v1",
        "http://[::ffff:0:169.254.169.254]/v1",
        "http://[64:ff9b::10.1.2.3]/v1",
        "http://[64:ff9b:1::7f00:1]/v1",
        "http://[64:ff9b:1:2::5db8:d822]/v1",
        "http://[2001:0:7f00:1::a347:27dd]/v1",
        "http://[2001:0:4136:e378::80ff:fffe]/v1",
        "http://[2606:4700::5efe:7f00:1]/v1",
        "http://[2606:4700::200:5efe:a00:1]/v1",
        "http://[4000::1]/v1",
        "http://[5f00::1]/v1",
        "http://metadata.google.internal/v1",
        "http://printer/v1",
        "https://user:secret@api.example.org/v1",
        "https://user@api.example.org/v1",
        "ftp://api.example.org/v1",
        "file:///etc/passwd",
        "gopher://api.example.org/",
        "//api.example.org/v1",
        "api.example.org/v1",
        "https://api.example.org/v1?key=1",
        "https://api.example.org/v1#x",
        "https://api.example.org:notaport/v1",
        "https://api.example.org/v 1",
        "https://api.example.org\\@127.0.0.1/v1",
        "https:///v1",
        "",
    ],
)
def test_an_address_inside_or_odd_is_refused_in_words(url: str) -> None:
    problem = addresses.problem(url, [])
    assert problem is not None
    assert problem.endswith(".")


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.org/v1",
        "http://93.184.216.34:8080/v1",
        "https://[2606:4700::1]/",
        "https://[::ffff:93.184.216.34]/",
        "https://[64:ff9b::93.184.216.34]/",
        "https://[2002:5db8:d822::1]/",
        "https://[2606:4700::5efe:5db8:d822]/",
    ],
)
def test_a_public_address_is_taken(url: str) -> None:
    assert addresses.problem(url, []) is None


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://127.0.0.1:9000/v1", ["127.0.0.1:9000"]),
        ("http://127.0.0.1:9000/v1", ["127.0.0.1"]),
        ("http://llm.lan/v1", ["other", "LLM.lan"]),
        ("http://[::1]:80/v1", ["[::1]:80"]),
    ],
)
def test_an_operator_can_name_a_host(url: str, allowed: list[str]) -> None:
    assert addresses.problem(url, allowed) is None


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://127.0.0.1:9001/v1", ["127.0.0.1:9000"]),
        ("http://127.0.0.10/v1", ["127.0.0.1"]),
        ("http://127.0.0.1.evil.lan/v1", ["127.0.0.1"]),
        ("http://x@127.0.0.1:9000/v1", ["127.0.0.1:9000"]),
        ("http://127.0.0.1/v1", [""]),
    ],
)
def test_a_named_host_opens_no_other(url: str, allowed: list[str]) -> None:
    assert addresses.problem(url, allowed) is not None


def test_the_origin_tells_hosts_schemes_and_ports_apart() -> None:
    assert addresses.origin("https://API.example.org/v1") == addresses.origin("https://api.example.org:443/other")
    different = ["https://a.org/", "http://a.org/", "https://a.org:8443/", "https://b.org/"]
    assert len({addresses.origin(url) for url in different}) == 4


# Every form of RFC 4291, 2765, 6052, 3056, 5214 and 4380 that carries an IPv4 address, by the bits around it.
HOLDERS = {
    "compatible": lambda ip: ip,
    "mapped": lambda ip: 0xFFFF << 32 | ip,
    "translated": lambda ip: 0xFFFF << 48 | ip,
    "NAT64": lambda ip: 0x64FF9B << 96 | ip,
    "6to4": lambda ip: 0x2002 << 112 | ip << 80,
    "ISATAP": lambda ip: 0x2606_4700 << 96 | 0x5EFE << 32 | ip,
    "Teredo client": lambda ip: 0x2001_0000_5DB8_D822 << 64 | (ip ^ 0xFFFF_FFFF),
    "Teredo server": lambda ip: 0x2001 << 112 | ip << 64 | (0x5DB8_D822 ^ 0xFFFF_FFFF),
}


@pytest.mark.parametrize("form", HOLDERS)
@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_in_every_form_that_carries_one(form: str, address: IPv4Address) -> None:
    carried = str(IPv6Address(HOLDERS[form](int(address))))
    assert (addresses.ip_problem(carried) is None) == (addresses.ip_problem(str(address)) is None)


@given(st.text(max_size=60))
def test_no_text_breaks_the_check(text: str) -> None:
    assert addresses.problem(text, ["127.0.0.1"]) is None or text is not None
    assert isinstance(addresses.origin(text), str)
