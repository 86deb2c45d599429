"""python -m service.local.sample TRACKING_URI EXPERIMENT_NAME: log the sample, if the experiment is empty."""

from __future__ import annotations

import argparse
import os
import sys

from service.local.sample.session import session

_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",  # its own 7 take minutes where no server is
}
_EVERY = 10


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0 where the sample is there or not needed, 1 where MLflow failed, 130 at Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m service.local.sample", description=__doc__)
    parser.add_argument("tracking_uri", metavar="TRACKING_URI")
    parser.add_argument("experiment_name", metavar="EXPERIMENT_NAME")
    parser.add_argument("--resume", action="store_true", help="complete a sample that broke off")
    options = parser.parse_args(arguments)

    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    from service.local.sample.record import (  # noqa: PLC0415  # MLflow reads its environment when it is imported
        NotEmptyError,
        WriteError,
        connect,
        record,
    )

    runs = session()

    def progress(count: int) -> None:
        if count % _EVERY == 0 or count == len(runs):
            print(f"sample: logged {count} of {len(runs)} runs", flush=True)

    try:
        client = connect(options.tracking_uri)
        record(client, options.experiment_name, runs, progress, resume=options.resume)
    except NotEmptyError as reason:
        print(f"sample: nothing logged, {reason}", flush=True)
    except WriteError as error:
        print(f"sample: MLflow failed: {error}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
