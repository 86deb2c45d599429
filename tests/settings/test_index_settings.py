"""TRACKING_INDEX__…: which experiments are held, and bounds that are told in one line."""

import pytest

from service.settings.load import SettingsError, load_settings


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ()),
        ("*", ("*",)),
        ("*,", ("*",)),
        ("alpha", ("alpha",)),
        ("alpha, beta,alpha ,", ("alpha", "beta")),
        ("/Users/a@b.c/x,the hedge fund", ("/Users/a@b.c/x", "the hedge fund")),
    ],
)
def test_experiments_are_named_with_commas_between(
    monkeypatch: pytest.MonkeyPatch, text: str, names: tuple[str, ...]
) -> None:
    """Each name is kept once, without the spaces around it; no name means the default experiment."""
    monkeypatch.setenv("TRACKING_INDEX__EXPERIMENTS", text.strip())
    assert names == load_settings().index.names


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("EXPERIMENTS", "*,alpha", "every experiment"),
        ("EXPERIMENTS", "alpha, *", "every experiment"),
        ("EXPERIMENTS", '"alpha"', "quotes"),
        ("EXPERIMENTS", 'alpha,"beta"', "leave them out"),
        ("EXPERIMENTS", "alpha,'beta',gamma", "leave them out"),
        ("ENABLED", "maybe", "boolean"),
        ("MAX_BYTES", "512M", "integer"),
        ("MAX_BYTES", "1000", "1048576"),
        ("TICK", "0", "0.1"),
        ("TICK", "nan", "finite"),
        ("TICK", "3601", "3600"),
        ("SHARE", "0", "greater than 0"),
        ("SHARE", "1.1", "less than or equal to 1"),
        ("FIRST_SHARE", "-1", "greater than 0"),
        ("FIRST_SHARE", "25%", "number"),
        ("SNAPSHOT_MAX_AGE", "-1", "greater than or equal to 0"),
        ("SNAPSHOT_MAX_AGE", "1e9", "less than"),
    ],
)
def test_a_wrong_value_says_what_is_right(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    """A value that cannot be meant is one line with the setting's name and what it has to be."""
    monkeypatch.setenv(f"TRACKING_INDEX__{name}", value)
    with pytest.raises(SettingsError, match=rf"^TRACKING_INDEX__{name}: .*{words}"):
        load_settings()


def test_the_index_is_on_and_has_bounds() -> None:
    """Without any setting the default experiment is held in 512 MiB, for a tenth of an MLflow worker."""
    index = load_settings().index
    assert (True, (), 512 * 2**20) == (index.enabled, index.names, index.max_bytes)
    assert (2.0, 0.1, 0.25) == (index.tick, index.share, index.first_share)
    assert (None, 86_400.0) == (index.snapshot_dir, index.snapshot_max_age)
