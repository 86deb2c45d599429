"""What MLflow records of a run beside its data: the datasets and models it used, and the models it made."""

from __future__ import annotations

from sys import getsizeof

import msgspec

from service.tracking.entity import size_of_texts


class Dataset(msgspec.Struct, frozen=True, gc=False):
    """A dataset that a run has logged as an input (`mlflow.log_input`).

    digest: of its content, as the library that logged it makes one. source: JSON that says where it is from,
    of a form that depends on source_type. context: what it was used for, "training" for example; "" where the
    run does not say.
    """

    name: str
    digest: str
    source_type: str = ""
    source: str = ""
    context: str = ""

    @property
    def footprint(self) -> int:
        """Bytes of memory that it takes."""
        texts = (self.name, self.digest, self.source_type, self.source, self.context)
        return getsizeof(self) + size_of_texts(texts)


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """The inputs and outputs of a run, as MLflow records them. Models are ids of logged models, `m-…`."""

    datasets: tuple[Dataset, ...] = ()
    model_inputs: tuple[str, ...] = ()
    model_outputs: tuple[str, ...] = ()

    @property
    def footprint(self) -> int:
        """Bytes of memory that it takes with its datasets, though runs may share those."""
        size = getsizeof(self) + sum(dataset.footprint for dataset in self.datasets)
        for texts in (self.model_inputs, self.model_outputs):
            size += getsizeof(texts) + size_of_texts(texts)
        return size + getsizeof(self.datasets)
