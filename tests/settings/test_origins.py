"""Origins of pages as people write them into the settings."""

import pytest

from service.settings.groups import CorsSettings


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://a.example/", "https://a.example"),
        ("https://A.Example", "https://a.example"),
        ("HTTPS://a.example:443/", "https://a.example"),
        ("http://a.example:80", "http://a.example"),
        ("http://a.example:443", "http://a.example:443"),
        ("http://[::1]:3000/", "http://[::1]:3000"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://a.example/, https://a.example, http://b.example", "https://a.example,http://b.example"),
        ("*,", "*"),
        ("", ""),
    ],
)
def test_origins_as_people_write_them(given: str, expected: str) -> None:
    """Capitals, a port that goes without saying and a slash mean the origin that browsers send."""
    assert expected == CorsSettings(allowed_origins=given).allowed_origins


@pytest.mark.parametrize(
    ("origins", "said"),
    [
        ("*, https://a.example", "other origins"),
        ("https://a.example/path", "did you mean https://a.example?"),
        ("https://a.example?x=1", "did you mean https://a.example?"),
        ("https://a.example#x", "did you mean https://a.example?"),
        ("https://user:pass@a.example", "did you mean https://a.example?"),
        ("https://*.a.example", "each origin"),
        ("ftp://a.example", "no origin"),
        ("a.example", "did you mean https://a.example?"),
        ("localhost:3000", "did you mean http://localhost:3000?"),
        ("127.0.0.1:3000", "did you mean http://127.0.0.1:3000?"),
        ("//a.example", "no origin"),
        ("https://", "no origin"),
        ("https://a.example:99999", "no origin"),
        ("null", "every sandboxed page"),
    ],
)
def test_what_is_no_origin(origins: str, said: str) -> None:
    """A list that no browser's Origin could equal is refused at start, with what may be meant."""
    with pytest.raises(ValueError, match="origin") as caught:
        CorsSettings(allowed_origins=origins)
    assert said in str(caught.value)
