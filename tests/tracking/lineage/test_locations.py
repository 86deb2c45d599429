"""Artifact URIs of every store: whose they may be, and which root holds them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tracking.lineage.locations import candidates_in, holds

RUN = "0123456789abcdef" * 2
OTHER = "fedcba9876543210" * 2
MODEL = f"m-{OTHER}"
AZURE = "research@quant.blob.core.windows.net"

# By store: the root of a run as MLflow has it, and other spellings of it.
STORES: dict[str, tuple[str, list[str]]] = {
    "S3": (
        "s3://bucket/exp/1/{}/artifacts",
        [
            "s3a://bucket/exp/1/{}/artifacts",
            "s3n://bucket//exp/1/{}/artifacts",
            "https://bucket.s3.amazonaws.com/exp/1/{}/artifacts",
            "https://bucket.s3.eu-west-1.amazonaws.com/exp/1/{}/artifacts",
            "https://s3.eu-west-1.amazonaws.com/bucket/exp/1/{}/artifacts",
            "https://s3.amazonaws.com/bucket/exp/1/{}/artifacts",
        ],
    ),
    "MinIO": (
        "s3://bucket/1/{}/artifacts",
        ["http://minio:9000/bucket/1/{}/artifacts", "https://minio.example.com/bucket/1/{}/artifacts"],
    ),
    "Azure blobs": (
        f"wasbs://{AZURE}/mlflow/1/{{}}/artifacts",
        [
            f"wasb://{AZURE}/mlflow/1/{{}}/artifacts",
            "abfss://research@quant.dfs.core.windows.net/mlflow/1/{}/artifacts",
            "https://quant.blob.core.windows.net/research/mlflow/1/{}/artifacts",
        ],
    ),
    "Google": (
        "gs://bucket/1/{}/artifacts",
        [
            "https://storage.googleapis.com/bucket/1/{}/artifacts",
            "https://storage.cloud.google.com/bucket/1/{}/artifacts",
            "https://bucket.storage.googleapis.com/1/{}/artifacts",
        ],
    ),
    "DBFS": (
        "dbfs:/databricks/mlflow-tracking/1/{}/artifacts",
        [
            "dbfs:///databricks/mlflow-tracking/1/{}/artifacts",
            "dbfs://profile@databricks/databricks/mlflow-tracking/1/{}/artifacts",
            "/dbfs/databricks/mlflow-tracking/1/{}/artifacts",
        ],
    ),
    "files": (
        "file:///home/ada/ml runs/1/{}/artifacts",
        [
            "/home/ada/ml runs/1/{}/artifacts",
            "file:/home/ada/ml%20runs/1/{}/artifacts",
            "file://localhost/home/ada/ml%20runs/1/{}/artifacts",
            "ml runs/1/{}/artifacts",
            "./1/{}/artifacts",
        ],
    ),
    "a plain path": ("/mlruns/1/{}/artifacts", ["file:///mlruns/1/{}/artifacts", "mlruns/1/{}/artifacts"]),
    "a relative path": ("./mlruns/1/{}/artifacts", ["/home/ada/mlruns/1/{}/artifacts", "1/{}/artifacts"]),
    "Windows": (
        "file:///C:/mlruns/1/{}/artifacts",
        ["C:\\mlruns\\1\\{}\\artifacts", "C:/mlruns/1/{}/artifacts"],
    ),
    "the server's proxy": (
        "mlflow-artifacts:/1/{}/artifacts",
        [
            "mlflow-artifacts:///1/{}/artifacts",
            "mlflow-artifacts://mlflow:5000/1/{}/artifacts",
            "http://mlflow:5000/api/2.0/mlflow-artifacts/artifacts/1/{}/artifacts",
            "https://h/prefix/ajax-api/2.0/mlflow-artifacts/artifacts/1/{}/artifacts",
        ],
    ),
    "HTTP": ("https://files.example.com/1/{}/artifacts", ["https://FILES.example.com/1/{}/artifacts"]),
    "HDFS": ("hdfs://nn:8020/1/{}/artifacts", ["hdfs:/1/{}/artifacts"]),
    "another store": ("oss://bucket/1/{}/artifacts", ["OSS://bucket/1/{}/artifacts"]),
}
SPELLINGS = [(root, one) for root, others in STORES.values() for one in (root, *others)]
each_spelling = pytest.mark.parametrize(("root", "uri"), SPELLINGS)


@each_spelling
def test_a_root_holds_its_artifacts_however_they_are_written(root: str, uri: str) -> None:
    """Every spelling of a place leads to the run, and the run's own root holds what is below it."""
    uri, root = uri.format(RUN), root.format(RUN)
    assert (RUN,) == candidates_in(uri).run_ids
    for written in (uri, f"{uri}/", f"{uri}/model/MLmodel", f"{uri}//a%20b/", uri.removesuffix("/artifacts")):
        assert holds(root, written, RUN), written


@each_spelling
def test_the_root_of_another_run_does_not_hold_them(root: str, uri: str) -> None:
    """A run whose root is at another place did not make an artifact, whatever its path says."""
    assert not holds(root.format(OTHER), uri.format(RUN), RUN)
    assert not holds(root.format(OTHER), uri.format(RUN), OTHER)
    assert not holds(root.format(RUN + "0"), uri.format(RUN), RUN)


@pytest.mark.parametrize(
    ("root", "uri"),
    [
        (f"s3://bucket/1/{RUN}/artifacts", f"s3://other/1/{RUN}/artifacts/model"),
        (f"s3://bucket/1/{RUN}/artifacts", f"gs://bucket/1/{RUN}/artifacts/model"),
        (f"s3://bucket/1/{RUN}/artifacts", f"s3:/1/{RUN}/artifacts/model"),
        (f"s3://bucket/1/{RUN}/artifacts", f"https://other.s3.amazonaws.com/1/{RUN}/artifacts/model"),
        (f"s3://bucket/1/{RUN}/artifacts", f"http://minio:9000/other/1/{RUN}/artifacts/model"),
        (f"s3://bucket/1/{RUN}/artifacts", f"s3://bucket/2/{RUN}/artifacts/model"),
        (f"s3://bucket/1/{RUN}/artifacts", f"s3://bucket/1/{RUN}/artifacts2/model"),
        (f"s3://bucket/1/{RUN}/artifacts", "s3://bucket/1"),
        (f"s3://bucket/1/{RUN}/artifacts", "s3://bucket"),
        (f"s3://bucket/1/{RUN}/artifacts", f"/1/{RUN}/artifacts/model"),
        (f"s3://bucket/1/{RUN}/artifacts", f"1/{RUN}/artifacts/model"),
        (
            f"wasbs://a@quant.blob.core.windows.net/1/{RUN}/artifacts",
            f"wasbs://b@quant.blob.core.windows.net/1/{RUN}",
        ),
        (
            f"wasbs://a@quant.blob.core.windows.net/1/{RUN}/artifacts",
            f"wasbs://a@other.blob.core.windows.net/1/{RUN}",
        ),
        (f"mlflow-artifacts://one/1/{RUN}/artifacts", f"mlflow-artifacts://two/1/{RUN}/artifacts"),
        (f"mlflow-artifacts:/1/{RUN}/artifacts", f"s3://bucket/1/{RUN}/artifacts"),
        (f"https://a.example.com/1/{RUN}/artifacts", f"https://b.example.com/1/{RUN}/artifacts"),
        (f"/mlruns/1/{RUN}/artifacts", f"/other/1/{RUN}/artifacts"),
        (f"/1/{RUN}/artifacts", f"mlruns/1/{RUN}/artifacts"),
        (f"/mlruns/1/{RUN}/artifacts", "mlruns/1"),
        (f"dbfs:/1/{RUN}/artifacts", f"dbfs:/2/{RUN}/artifacts"),
        ("", f"s3://bucket/1/{RUN}/artifacts"),
        ("", f"1/{RUN}/artifacts"),
        ("s3://[x/1", f"s3://bucket/1/{RUN}/artifacts"),
    ],
)
def test_the_same_path_at_another_place_is_not_held(root: str, uri: str) -> None:
    """Bucket, container, account, host and all of the path count, and so does where a name ends."""
    assert not holds(root, uri, RUN)


def test_names_with_signs_of_urls_are_names_in_a_store() -> None:
    """A store's names may have ?, # and %: they are no query, no fragment and, decoded, the same name."""
    root = f"s3://bucket/a?b#c/100%25 é/{RUN}/artifacts"
    assert holds(root, f"s3://bucket/a%3Fb%23c/100%25%20%C3%A9/{RUN}/artifacts/model", RUN)
    assert (RUN,) == candidates_in(f"{root}/x").run_ids


def test_a_signed_address_is_read_without_its_signature() -> None:
    """Of an address by HTTP the query does not count."""
    uri = f"https://bucket.s3.amazonaws.com/1/{RUN}/artifacts/x?X-Amz-Signature={OTHER}#top"
    assert ((RUN,), ()) == candidates_in(uri)
    assert holds(f"s3://bucket/1/{RUN}/artifacts", uri, RUN)


def test_the_innermost_id_comes_first() -> None:
    """What stands before `artifacts` is the likeliest, and no more than four ids are looked for."""
    assert (OTHER, RUN) == candidates_in(f"s3://b/{RUN}/runs/{OTHER}/artifacts/x").run_ids
    many = "/".join(f"{number:032x}" for number in range(9))
    assert 4 == len(candidates_in(f"s3://b/{many}/artifacts").run_ids)


def test_a_logged_model_is_no_run() -> None:
    """The id of a logged model is not looked for among the runs."""
    uri = f"mlflow-artifacts:/1/models/{MODEL}/artifacts/MLmodel"
    assert ((), (MODEL,)) == candidates_in(uri)
    assert holds(f"mlflow-artifacts:/1/models/{MODEL}/artifacts", uri, MODEL)


def test_an_id_of_another_server_is_told_by_its_place() -> None:
    """Where no part looks like MLflow's ids, what stands before `artifacts` may be one."""
    assert ("my-run_1",) == candidates_in("/data/my-run_1/artifacts/model").run_ids
    assert () == candidates_in("/data/my run!/artifacts/model").run_ids
    assert () == candidates_in("s3://bucket/model.pkl").run_ids


PARTS = st.lists(st.sampled_from(["a", "b", RUN, OTHER, "artifacts", "1", " ", "é"]), min_size=1, max_size=6)


@given(PARTS, PARTS, st.sampled_from(["s3://b/", "/", "dbfs:/", "mlflow-artifacts:/", "gs://b/"]))
def test_what_is_held_begins_with_the_root_or_is_the_owners_folder(
    outer: list[str], inner: list[str], begin: str
) -> None:
    """In one store a root holds just what its path begins, and the folders from its owner's on above it."""
    is_below = outer == inner[: len(outer)]
    is_folder = inner == outer[: len(inner)] and RUN in inner
    assert (is_below or is_folder) == holds(begin + "/".join(outer), begin + "/".join(inner) + "/", RUN)
