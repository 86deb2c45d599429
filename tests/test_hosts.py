"""Where to listen, as people write it into TRACKING_HOST."""

import pytest

from service.hosts import at, is_loopback, read_host
from service.settings.load import Settings, SettingsError, load_settings


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]", "::1"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("::ffff:127.0.0.1", "127.0.0.1"),
        ("FE80::1%eth0", "fe80::1%eth0"),
        ("[::]", "::"),
        ("LocalHost", "localhost"),
        ("tracking-1.research_a.example.", "tracking-1.research_a.example."),
    ],
)
def test_an_address_or_a_name(given: str, expected: str) -> None:
    """Each is taken in its one form."""
    assert expected == read_host(given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("0.0.0.0:8080", "did you mean TRACKING_HOST=0.0.0.0 and TRACKING_PORT=8080?"),
        ("[::1]:8080", "did you mean TRACKING_HOST=::1 and TRACKING_PORT=8080?"),
        ("localhost:8080", "did you mean TRACKING_HOST=localhost and TRACKING_PORT=8080?"),
        ("http://localhost:8080", "did you mean TRACKING_HOST=localhost and TRACKING_PORT=8080?"),
        ("http://example.com/x", "did you mean 'example.com'?"),
        ("tcp://10.0.0.1:80", "did you mean TRACKING_HOST=10.0.0.1 and TRACKING_PORT=80?"),
        ("*", "did you mean :: (IPv4 and IPv6)"),
        ("8080", "no address"),
        ("0", "no address"),
        ("127.1", "no address"),
        ("256.0.0.1", "no address"),
        ("10.0.0.0/8", "neither an address nor"),
        ("a b", "neither an address nor"),
        (":::1", "neither an address nor"),
        ("[::1", "neither an address nor"),
        ("-x", "neither an address nor"),
        ("x" * 300 + "!", "neither an address nor"),
    ],
)
def test_what_is_neither(given: str, said: str) -> None:
    """It is refused with what may be meant."""
    with pytest.raises(ValueError, match=r"address|port") as caught:
        read_host(given)
    assert said in str(caught.value)


def test_the_refusal_names_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong host among good ones is one line that names TRACKING_HOST."""
    for value in ("127.0.0.1,*", ",", "127.0.0.1:80"):
        monkeypatch.setenv("TRACKING_HOST", value)
        with pytest.raises(SettingsError, match=r"^TRACKING_HOST: "):
            load_settings()


def test_several() -> None:
    """Hosts stand with commas between them, each once."""
    assert ("127.0.0.1", "::1") == Settings(host="127.0.0.1 ,[::1],, ::1").hosts


@pytest.mark.parametrize(
    ("host", "others"),
    [
        ("127.0.0.1,0.0.0.0", "0.0.0.0"),  # noqa: S104 - nothing listens
        ("::1,::", "::"),
        ("localhost,tracking.example", "tracking.example"),
        ("10.0.0.1,127.0.0.1,10.0.0.2", "10.0.0.1, 10.0.0.2"),
        ("localhost.", "localhost."),
    ],
)
def test_each_host_that_others_reach_needs_a_choice(host: str, others: str) -> None:
    """One address that others can reach is enough for the service to want to know who may ask."""
    with pytest.raises(ValueError, match=f"TRACKING_HOST is {others}: whoever reaches it"):
        Settings(host=host)
    assert host == Settings(host=host, allow_anonymous=True).host
    assert Settings(host="localhost,127.0.0.2,::1").hosts


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("::", False)],
)
def test_loopback(host: str, *, expected: bool) -> None:
    """All of 127/8, ::1 and localhost are for this machine alone."""
    assert expected is is_loopback(host)


def test_an_address_with_its_port() -> None:
    """IPv6 stands in brackets."""
    assert ("h:1", "[::1]:80") == (at("h", 1), at("::1", 80))
