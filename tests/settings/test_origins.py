"""TRACKING_CORS__ALLOWED_ORIGINS: origins are normalised, and values that are not origins are rejected."""

import pytest

from service.settings.groups import CorsSettings


@pytest.mark.parametrize(
    ("text", "expected"),
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
def test_normalises_origins(text: str, expected: str) -> None:
    """Origins are kept as browsers send them: in lower case, without default port, slash and repetition."""
    assert expected == CorsSettings(allowed_origins=text).allowed_origins


@pytest.mark.parametrize(
    ("origins", "message"),
    [
        ("*, https://a.example", "other origins"),
        ("https://a.example/path", "did you mean https://a.example?"),
        ("https://a.example?x=1", "did you mean https://a.example?"),
        ("https://a.example#x", "did you mean https://a.example?"),
        ("https://user:pass@a.example", "did you mean https://a.example?"),
        ("https://*.a.example", "each origin"),
        ("ftp://a.example", "not an origin"),
        ("a.example", "did you mean https://a.example?"),
        ("localhost:3000", "did you mean http://localhost:3000?"),
        ("127.0.0.1:3000", "did you mean http://127.0.0.1:3000?"),
        ("//a.example", "not an origin"),
        ("https://", "not an origin"),
        ("https://a.example:99999", "not an origin"),
        ("null", "every sandboxed page"),
    ],
)
def test_rejects_what_is_not_an_origin(origins: str, message: str) -> None:
    """A value that no browser sends as Origin is rejected, with a suggestion where there is one."""
    with pytest.raises(ValueError, match="origin") as caught:
        CorsSettings(allowed_origins=origins)
    assert message in str(caught.value)
