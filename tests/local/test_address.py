"""What MLFLOW_TRACKING_URI means, and the errors for values that mean nothing."""

import pytest
from mlflow.utils.file_utils import local_file_uri_to_path
from sqlalchemy.engine import make_url

from service.local.address import DatabaseAddress, FolderAddress, ServerAddress, parse

SECRET = "s3cret"  # noqa: S105 - it opens nothing


def nowhere(_: str) -> bool:
    """No folder exists."""
    return False


def there(*names: str) -> object:
    """Only folders of these names exist."""
    return lambda name: name in names


def refusal(text: str) -> str:
    """The error for a text, where no folder exists."""
    with pytest.raises(ValueError, match=r"^\w") as caught:
        parse(text, nowhere)
    return str(caught.value)


class TestServers:
    @pytest.mark.parametrize(
        "text",
        [
            "http://h",
            "https://h:5000/prefix/",
            "http://127.0.0.1:5000",
            "http://[::1]:5000/",
            "http://mlflow_server:5000",
            "https://research.example.com/a/api",
        ],
    )
    def test_accepts_server_addresses(self, text: str) -> None:
        """http://… and https://… are kept as they are, with their path."""
        assert ServerAddress(text) == parse(text, nowhere)

    def test_the_scheme_may_be_in_capitals(self) -> None:
        """HTTP:// becomes http:// (RFC 3986, 3.1)."""
        assert ServerAddress("http://Host:5000/X") == parse("HTTP://Host:5000/X", nowhere)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("localhost:5000", "http://localhost:5000"),
            ("mlflow.example.com:5000", "http://mlflow.example.com:5000"),
            ("mlflow.example.com", "http://mlflow.example.com"),
            ("mlflow.example.com/mlflow", "http://mlflow.example.com/mlflow"),
            ("mlflow:5000/", "http://mlflow:5000"),
            ("10.0.0.7", "http://10.0.0.7"),
            ("[::1]:5000", "http://[::1]:5000"),
            ("//mlflow:5000", "http://mlflow:5000"),
            ("http:/host", "http://host"),
            ("http//host", "http://host"),
            ("http:host:5000", "http://host:5000"),
            ("htp://host:5000", "http://host:5000"),
            ("https;//host", "https://host"),
            ("http:\\\\host:5000", "http://host:5000"),
            ("http://http://host", "http://host"),
            ("http://host:", "http://host:5000"),
            ("http://host:5000/#/experiments/1", "http://host:5000"),
            ("localhost:5000/#/experiments/1/runs/2", "http://localhost:5000"),
            ("http://host/mlflow/?o=1#/x", "http://host/mlflow"),
            ("http://host/mlflow/api/2.0/mlflow/", "http://host/mlflow"),
            ("https://host/ajax-api/2.0/mlflow/runs/search", "https://host"),
            ('"http://host:5000"', "http://host:5000"),
            ("'https://host'", "https://host"),
            ("http://host ", "http://host"),
            ("http://host\r", "http://host"),
        ],
    )
    def test_suggests_the_address_of_a_server(self, text: str, expected: str) -> None:
        """A misspelt or pasted address is an error that suggests the right one."""
        assert f"did you mean {expected}" in refusal(text)
        assert ServerAddress(expected) == parse(expected, nowhere)

    @pytest.mark.parametrize(
        "text",
        [
            "http://",
            "http:///path",
            "http://:5000",
            "http://h:99999999",
            "http://h:x",
            "http://[::1",
            "http://${MLFLOW_HOST}:5000",
            "http://<host>:5000",
            "http://a b",
            "http://h/a b",
            "http://h\n/x",
            "",
            "  ",
            '""',
        ],
    )
    def test_rejects_incomplete_server_addresses(self, text: str) -> None:
        """An address without host, with a wrong port or with a placeholder is an error."""
        assert "did you mean" not in refusal(text)


class TestStores:
    @pytest.mark.parametrize(
        "uri",
        [
            "file:/abs/mlruns",
            "file:mlruns",
            "file:./mlruns",
            "file:///a/My%20Runs/mlruns",
            "file:///a/100%25/mlruns",
            "file:///a/what%3F/mlruns",
            "file://localhost/a/mlruns",
        ],
    )
    def test_a_file_address_is_read_as_mlflow_reads_it(self, uri: str) -> None:
        """file:… is a folder, percent-decoded as by MLflow."""
        address = parse(uri, nowhere)
        assert FolderAddress((local_file_uri_to_path(uri),), is_uri=True) == address

    @pytest.mark.parametrize(
        "uri",
        [
            "sqlite:///x.db",
            "sqlite:////abs/x.db",
            "sqlite:///x.db?timeout=30",
            "sqlite:////a/My Runs/x.db",
            "sqlite:////a/My%20Runs/x.db",
            "sqlite:////a/100%25/x.db",
            "sqlite:////a/x#1.db",
            "sqlite+pysqlite:////abs/x.db?timeout=30&isolation_level=IMMEDIATE",
        ],
    )
    def test_a_sqlite_address_is_read_as_sqlalchemy_reads_it(self, uri: str) -> None:
        """sqlite:/// is followed by a path, which may be percent-encoded, and perhaps by a query."""
        address = parse(uri, nowhere)
        assert isinstance(address, DatabaseAddress)
        assert make_url(uri).database == address.paths[-1]
        assert uri.partition("?")[2] == address.query

    def test_a_name_with_a_percent_sign_has_two_readings(self) -> None:
        """A path with a percent sign may be meant as written or, as MLflow reads it, percent-decoded."""
        assert FolderAddress(("/a/100%25", "/a/100%")) == parse("/a/100%25", nowhere)
        assert DatabaseAddress(("a%20b.db", "a b.db")) == parse("sqlite:///a%20b.db", nowhere)

    @pytest.mark.parametrize("text", ["/a/b", "./a", "../a", "~/a", "~", ".", "..", "a/b", "data.v2/mlruns"])
    def test_a_path_is_a_folder(self, text: str) -> None:
        """A text that starts like a path or has a slash is a folder, whether it exists or not."""
        assert FolderAddress((text,)) == parse(text, nowhere)

    @pytest.mark.parametrize("name", ["mlruns", "localhost", "databricks-runs", "my.example.com", "x.db"])
    def test_a_word_is_a_folder_only_if_it_exists(self, name: str) -> None:
        """A bare word is a folder only if a folder of this name exists."""
        assert FolderAddress((name,)) == parse(name, there(name))  # type: ignore[arg-type]
        assert f"./{name} for a new folder" in refusal(name) or "sqlite:///x.db" in refusal(name)

    def test_a_path_that_starts_like_a_host(self) -> None:
        """research.example/mlruns is a folder if research.example is one; otherwise a server is suggested."""
        text = "research.example/mlruns"
        assert FolderAddress((text,)) == parse(text, there("research.example"))  # type: ignore[arg-type]
        assert f"did you mean http://{text}, or ./{text} for a new folder?" in refusal(text)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("mlrun", "did you mean ./mlrun for a new folder, or http://mlrun:5000?"),
            ("my runs", "did you mean ./my runs for a new folder?"),
            ("mlflow.db", "did you mean sqlite:///mlflow.db?"),
            ("sqlite://x.db", "did you mean sqlite:///x.db?"),
            ("sqlite:x.db", "did you mean sqlite:///x.db?"),
            ("sqlite:/x.db", "did you mean sqlite:///x.db, or sqlite:////x.db?"),
            ("sqlite:///a/", "did you mean sqlite:///a/mlflow.db?"),
            ("sqlite:///~/x.db", "write the full path"),
            ("sqlite:///file:x.db?mode=ro&uri=true", "write sqlite:////absolute/path/mlflow.db"),
            ("sqlite:///x.db?uri=true", "write sqlite:////absolute/path/mlflow.db"),
            ("sqlite+aiosqlite:///x.db", "write sqlite:///…"),
            ("sqlite:///:memory:", "in memory"),
            ("sqlite://", "in memory"),
            ("sqlite:///", "in memory"),
            ("file:", "has no path"),
            ("file:///", "has no path"),
            ("file://mlruns", "did you mean file:mlruns?"),
            ("file://./mlruns", "did you mean file:./mlruns?"),
            ("file://host/share/mlruns", "has a host"),
            ("file:///a?b", "%3F"),
            ("file:///a/mlflow.db", "did you mean sqlite:////a/mlflow.db?"),
        ],
    )
    def test_suggests_the_address_of_a_store(self, text: str, expected: str) -> None:
        """A misspelt address of a store is an error that suggests the right one."""
        assert expected in refusal(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("databricks", "Databricks"),
        ("databricks-uc", "Databricks"),
        ("databricks://profile", "Databricks"),
        ("uc:http://h", "Databricks"),
        ("arn:aws:sagemaker:us-east-1:1:mlflow-tracking-server/x", "SageMaker"),
        ("arn:aws-cn:sagemaker:cn-north-1:1:mlflow-tracking-server/x", "SageMaker"),
        (f"postgresql://u:{SECRET}@h/db", "mlflow server --backend-store-uri"),
        (f"postgres+psycopg2://u:{SECRET}@h/db", "mlflow server --backend-store-uri"),
        (f"mysql+pymysql://u:{SECRET}@h/db", "mlflow server --backend-store-uri"),
        (f"mssql+pyodbc://u:{SECRET}@h/db", "mlflow server --backend-store-uri"),
        ("s3://bucket/mlruns", "artifacts"),
        ("gs://bucket", "artifacts"),
        ("dbfs:/mlruns", "artifacts"),
        ("mlflow-artifacts:/0", "artifacts"),
        ("azureml://x", "address of an MLflow server"),
        ("C:\\mlruns", "Windows"),
        ("D:/mlruns", "Windows"),
        ("\\\\server\\mlruns", "Windows"),
    ],
)
def test_rejects_addresses_of_other_clients(text: str, expected: str) -> None:
    """An address that other clients of MLflow accept is an error that says what to give instead."""
    said = refusal(text)
    assert expected in said
    assert SECRET not in said


@pytest.mark.parametrize(
    "text",
    [
        f"http://u:{SECRET}@h",
        f"http://u:{SECRET}@h:5000/#/x",
        f"http:/u:{SECRET}@h",
        f"u:{SECRET}@h:5000",
        f"{SECRET}@h/mlflow",
        f'"http://u:{SECRET}@h"',
        f"sqlite://u:{SECRET}@h/x.db",
        f"file://u:{SECRET}@h/x",
    ],
)
def test_errors_repeat_no_password(text: str) -> None:
    """The error repeats nothing that may be a password."""
    assert SECRET not in refusal(text)
