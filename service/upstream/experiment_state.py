"""What became of the experiment whose runs are listed, when it was last looked for."""

from __future__ import annotations

from typing import Literal

State = Literal["unknown", "ok", "missing", "deleted", "forbidden"]


class ExperimentState:
    """Set by whoever looks for the experiment, and told to whoever asks for the service's health."""

    def __init__(self) -> None:
        self.state: State = "unknown"
