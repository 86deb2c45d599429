"""Which proxy and which CAs the variables of curl and requests mean for a server."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from yarl import URL

from service.outbound import authorities, proxy_for, trusted, trusting
from tests.certificates import write_certificate

MLFLOW = "https://mlflow.example.com:5000/x"
PROXY = "http://proxy:3128"


def reached(url: str, **environment: str) -> str | None:
    """The proxy through which an address is reached."""
    found = proxy_for(URL(url), environment)
    return None if found is None else str(found.url)


@pytest.mark.parametrize(
    ("url", "environment", "expected"),
    [
        (MLFLOW, {}, None),
        (MLFLOW, {"HTTPS_PROXY": PROXY}, PROXY),
        (MLFLOW, {"https_proxy": PROXY}, PROXY),
        (MLFLOW, {"https_proxy": PROXY, "HTTPS_PROXY": "http://other:1"}, PROXY),
        (MLFLOW, {"https_proxy": "", "HTTPS_PROXY": "http://other:1"}, None),
        (MLFLOW, {"HTTP_PROXY": PROXY}, None),
        (MLFLOW, {"ALL_PROXY": PROXY}, PROXY),
        (MLFLOW, {"all_proxy": PROXY, "HTTPS_PROXY": "http://other:1"}, "http://other:1"),
        (MLFLOW, {"HTTPS_PROXY": "proxy:3128"}, PROXY),
        (MLFLOW, {"HTTPS_PROXY": " http://proxy:3128 "}, PROXY),
        (MLFLOW, {"HTTPS_PROXY": "http://u:p%40ss@proxy:3128"}, "http://u:p%40ss@proxy:3128"),
        ("http://mlflow.example.com", {"HTTP_PROXY": PROXY}, PROXY),
        ("http://mlflow.example.com", {"HTTPS_PROXY": PROXY}, None),
    ],
)
def test_chooses_the_proxy_by_scheme(url: str, environment: dict[str, str], expected: str | None) -> None:
    """The scheme decides which variable counts; lower-case names take precedence, even if empty."""
    assert (None if expected is None else str(URL(expected))) == reached(url, **environment)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:5000", "http://localhost:5000", "http://[::1]:5000", "http://a.localhost"]
)
def test_reaches_loopback_directly(url: str) -> None:
    """A loopback address is reached directly, whatever is set."""
    assert None is reached(url, HTTP_PROXY=PROXY, ALL_PROXY=PROXY)


EXEMPT = [
    ("*", MLFLOW),
    ("mlflow.example.com", MLFLOW),
    ("MLflow.Example.COM", MLFLOW),
    ("mlflow.example.com:5000", MLFLOW),
    ("example.com", MLFLOW),
    (".example.com", MLFLOW),
    ("*.example.com", MLFLOW),
    ("other.org, example.com", MLFLOW),
    ("other.org example.com", MLFLOW),
    ("example.com:5000", MLFLOW),
    ("10.0.0.0/8", "https://10.1.2.3"),
    ("10.1.2.3", "https://10.1.2.3:5000"),
    ("10.1.2.3:5000", "https://10.1.2.3:5000"),
    ("10.1.2.3/8", "https://10.9.9.9"),
    ("fd00::/8", "https://[fd00::5]:5000"),
    ("[fd00::5]:5000", "https://[fd00::5]:5000"),
    ("fd00::5", "https://[fd00:0::5]:5000"),
    ("mlflow.example.com", "https://mlflow.example.com./"),
]
NOT_EXEMPT = [
    ("", MLFLOW),
    ("ample.com", MLFLOW),
    ("mlflow.example.com:443", MLFLOW),
    ("mlflow.example.com.org", MLFLOW),
    ("com.", "https://mlflow.org"),
    ("10.0.0.0/8", "https://11.1.2.3"),
    ("10.0.0.0/8", MLFLOW),
    ("10.1.2.3:80", "https://10.1.2.3:5000"),
    ("10.0.0.0/99", "https://10.1.2.3"),
    ("[fd00::5]:80", "https://[fd00::5]:5000"),
    (".", MLFLOW),
]


@pytest.mark.parametrize(("no_proxy", "url"), EXEMPT)
@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_no_proxy_exempts_hosts(no_proxy: str, url: str, name: str) -> None:
    """NO_PROXY holds names, domains, addresses and networks, with or without a port."""
    assert None is reached(url, HTTPS_PROXY=PROXY, **{name: no_proxy})


@pytest.mark.parametrize(("no_proxy", "url"), NOT_EXEMPT)
def test_no_proxy_exempts_no_similar_hosts(no_proxy: str, url: str) -> None:
    """A host that only resembles an entry of NO_PROXY is not exempt."""
    assert str(URL(PROXY)) == reached(url, HTTPS_PROXY=PROXY, NO_PROXY=no_proxy)


@pytest.mark.parametrize(
    "proxy", ["socks5://u:s3cret@proxy:1080", "socks5h://proxy", "https://proxy", "ftp://proxy", '"http://p"']
)
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "all_proxy"])
def test_rejects_unsupported_proxies(proxy: str, name: str) -> None:
    """SOCKS and https proxies are errors that name the variable and two ways out, and no secret."""
    with pytest.raises(ValueError, match=rf"^{name}: .*NO_PROXY") as caught:
        reached(MLFLOW, **{name: proxy})
    assert "s3cret" not in str(caught.value)
    assert None is reached(MLFLOW, **{name: proxy, "NO_PROXY": "example.com"})


@pytest.mark.parametrize("proxy", ["http://", "http://h:99999999", "http://[::1"])
def test_rejects_malformed_proxies(proxy: str) -> None:
    """A malformed address of a proxy is an error that names the variable."""
    with pytest.raises(ValueError, match=r"^HTTPS_PROXY: "):
        reached(MLFLOW, HTTPS_PROXY=proxy)


def test_shows_a_proxy_without_credentials() -> None:
    """A proxy is shown without user and password, with the variable that names it."""
    found = proxy_for(URL(MLFLOW), {"https_proxy": "http://u:s3cret@proxy:3128"})
    assert found is not None
    assert ("http://proxy:3128", "https_proxy") == (found.shown, found.variable)


def test_chooses_the_bundle(tmp_path: Path) -> None:
    """REQUESTS_CA_BUNDLE takes precedence over CURL_CA_BUNDLE; empty variables do not count."""
    assert None is authorities({"REQUESTS_CA_BUNDLE": ""})
    assert ("CURL_CA_BUNDLE", tmp_path) == authorities({"CURL_CA_BUNDLE": str(tmp_path)})
    both = {"CURL_CA_BUNDLE": "/x", "REQUESTS_CA_BUNDLE": str(tmp_path)}
    assert ("REQUESTS_CA_BUNDLE", tmp_path) == authorities(both)
    assert None is trusted({})


def test_trusts_only_the_bundle(tmp_path: Path) -> None:
    """The CAs of a bundle are trusted, and those of the system are not."""
    pem = write_certificate(tmp_path / "ca.pem")
    context = trusted({"REQUESTS_CA_BUNDLE": str(pem)})
    assert context is not None
    assert 1 == len(context.get_ca_certs())


def test_trusts_a_folder_of_hashed_certificates(tmp_path: Path) -> None:
    """In a folder, certificates are named by their hash; a folder without such files is an error."""
    write_certificate(tmp_path / "ca.pem")
    with pytest.raises(ValueError, match=r"CURL_CA_BUNDLE: .*openssl rehash"):
        trusting("CURL_CA_BUNDLE", tmp_path)
    (tmp_path / "0a1b2c3d.0").symlink_to("ca.pem")
    assert trusting("CURL_CA_BUNDLE", tmp_path).check_hostname


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_rejects_an_unusable_bundle(tmp_path: Path, content: str | None) -> None:
    """A bundle that is missing or not PEM is an error that names the variable."""
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ValueError, match=r"^REQUESTS_CA_BUNDLE: "):
        trusted({"REQUESTS_CA_BUNDLE": str(file)})


def test_chooses_the_same_proxy_as_requests() -> None:
    """For the forms that `requests` knows, it chooses the same proxy."""
    ours_alone = {"10.1.2.3:5000", "*.example.com", "[fd00::5]:5000", "fd00::/8", "fd00::5"}
    cases = [(no_proxy, url, True) for no_proxy, url in EXEMPT if no_proxy not in ours_alone]
    cases = [case for case in cases if " example" not in case[0] and not case[1].endswith("./")]
    cases += [(no_proxy, url, False) for no_proxy, url in NOT_EXEMPT]
    program = (
        "import json, sys\nfrom requests.utils import should_bypass_proxies\n"
        "print(json.dumps([should_bypass_proxies(url, no_proxy=no) for no, url, _ in json.load(sys.stdin)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(cases),
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [expected for *_, expected in cases] == json.loads(done.stdout)
