"""The address that a request comes from, as the log shows it."""

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from service.app import build
from service.http.access_record import AccessRecord
from service.http.client_address import ClientAddresses
from tests.api.serving import Client, make_settings
from tests.fakes.mlflow import FakeMlflow

PROXY, OTHER_PROXY = "10.0.0.1", "10.255.0.2"
TRUSTED = ("10.0.0.0/8", "fd00::/8")
NETWORKS = [ip_network(each) for each in TRUSTED]
CALLER = "203.0.113.7"


def address(remote: str, *forwarded: str, trusted: tuple[str, ...] = TRUSTED) -> str:
    """The address of a request from there that has these X-Forwarded-For lines."""
    headers = CIMultiDict([("X-Forwarded-For", line) for line in forwarded])
    return ClientAddresses(trusted).of(make_mocked_request("GET", "/", headers).clone(remote=remote))


class TestWhoIsBelieved:
    def test_nobody_by_default(self) -> None:
        """Without trusted proxies it is the address of who connects."""
        assert PROXY == address(PROXY, CALLER, trusted=())

    def test_not_who_is_no_proxy(self) -> None:
        """A caller's own word counts for nothing."""
        assert CALLER == address(CALLER, "198.51.100.1")

    def test_a_proxy(self) -> None:
        """A trusted proxy names its caller."""
        assert CALLER == address(PROXY, CALLER)

    def test_a_proxy_that_names_nobody(self) -> None:
        """It asks itself, as for a health check."""
        assert PROXY == address(PROXY)
        assert PROXY == address(PROXY, "")

    def test_a_row_of_proxies(self) -> None:
        """Each named by the next, up to the nearest that is not trusted; what that one wrote is not read."""
        assert CALLER == address(PROXY, f"198.51.100.1, {CALLER}, {OTHER_PROXY}")

    def test_several_lines(self) -> None:
        """They are one list, in their order."""
        assert CALLER == address(PROXY, "198.51.100.1", CALLER, OTHER_PROXY)

    def test_a_caller_among_the_proxies(self) -> None:
        """Where all are trusted it is the farthest."""
        assert "10.0.0.9" == address(PROXY, f"10.0.0.9,{OTHER_PROXY}")


class TestTheLog:
    @pytest.mark.parametrize(("trusted", "shown"), [("", "127.0.0.1"), ("127.0.0.0/8, ::1", CALLER)])
    async def test_an_answered_request(self, fake: FakeMlflow, trusted: str, shown: str) -> None:
        """Its line shows the address of who connected, or of whom a trusted proxy names."""
        lines: list[AccessRecord] = []
        app = build(make_settings(trusted_proxies=trusted), fake.url, [lines.append])
        async with Client(app) as api:
            await api.get("/livez", headers={"X-Forwarded-For": f"198.51.100.1, {CALLER}"})
        assert [shown] == [line.client for line in lines]


class TestHowAddressesAreWritten:
    @pytest.mark.parametrize(
        ("written", "shown"),
        [
            ("2001:DB8:0:0::7", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[2001:db8::7]:1234", "2001:db8::7"),
            (f"{CALLER}:1234", CALLER),
            (f"  {CALLER}\t", CALLER),
            ("fe80::7%eth0", "fe80::7"),
            ("[fe80::7%25eth0]:1234", "fe80::7"),
            (f"::ffff:{CALLER}", CALLER),
            (f"[::ffff:{CALLER}]:1234", CALLER),
        ],
    )
    def test_by_a_proxy(self, written: str, shown: str) -> None:
        """With and without brackets, port and zone, they have one form in the log."""
        assert shown == address(PROXY, written)

    @pytest.mark.parametrize("proxy", [f"::ffff:{PROXY}", "fd00::1", "fd00::1%eth0"])
    def test_of_a_proxy(self, proxy: str) -> None:
        """A proxy is known in each of its forms, as where the service listens on IPv6 for both."""
        assert CALLER == address(proxy, CALLER)

    @pytest.mark.parametrize(
        "rubbish",
        [
            "unknown",
            "_hidden",
            "203.0.113",
            "203.0.113.7:",
            "203.0.113.7:99999999",
            "203.0.113.7 evil",
            "2001:db8::7]:1",
            "[203.0.113.7",
            "203.0.113.007",
            "２０３.0.113.7",
            "é",
            "fe80::7%" + "x" * 10_000,
            "1" * 10_000,
        ],
    )
    def test_what_is_none(self, rubbish: str) -> None:
        """What lies behind it is not read: it is the address of who wrote it."""
        assert PROXY == address(PROXY, f"{CALLER}, {rubbish}")
        assert OTHER_PROXY == address(PROXY, f"{CALLER}, {rubbish}, {OTHER_PROXY}")

    def test_who_has_none(self) -> None:
        """A caller without an address, as on a local socket, is unknown."""
        assert "unknown" == address("", CALLER)


def is_outside(each: IPv4Address | IPv6Address) -> bool:
    """Whether no trusted network has it, in whichever form."""
    plain = (isinstance(each, IPv6Address) and each.ipv4_mapped) or each
    return not any(plain in network for network in NETWORKS)


OUTSIDE = st.ip_addresses().filter(is_outside).map(str)
WRITTEN = st.one_of(st.ip_addresses().map(str), st.sampled_from([PROXY, OTHER_PROXY]), st.text(max_size=20))
LINES = st.lists(st.lists(WRITTEN, max_size=4).map(",".join), max_size=4)


class TestNobodyElse:
    @given(OUTSIDE, LINES)
    def test_who_connects_from_outside(self, caller: str, lines: list[str]) -> None:
        """Whoever is not behind a trusted proxy changes nothing by whatever it writes."""
        assert address(caller, *lines) == address(caller)

    @given(OUTSIDE, LINES, st.sampled_from(["", f", {OTHER_PROXY}"]))
    def test_who_comes_through_a_proxy(self, caller: str, lines: list[str], way: str) -> None:
        """Nor does who comes through proxies that add the address of whom they answer."""
        assert address(caller) == address(PROXY, *lines, f"{caller}{way}")
