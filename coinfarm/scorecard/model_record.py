"""What is known about a version of a model: its horizons, and its evaluations."""

from typing import NamedTuple

from coinfarm.errors import NotFound
from coinfarm.models.evaluation_document import EvaluationRecord
from coinfarm.models.evaluations import read_evaluations
from coinfarm.models.store import ModelStore, open_model_source
from coinfarm.outputs import OUTPUT_COLUMNS, output_columns
from coinfarm.storage import open_storage

_BARE_HORIZONS = (30,)
"""Of a Keras file, which has no manifest."""


class ModelHorizon(NamedTuple):
    """A number of candles that a model predicts, and the columns of its three outputs."""

    candles: int
    columns: tuple[str, ...]


class ModelRecord(NamedTuple):
    """`horizons` are the numbers of candles that the version predicts, the first one first."""

    version: str
    horizons: tuple[int, ...]
    evaluations: tuple[EvaluationRecord, ...]

    @property
    def columns(self) -> tuple[ModelHorizon, ...]:
        """The horizons with their columns."""
        columns, count = output_columns(self.horizons[1:]), len(OUTPUT_COLUMNS)
        return tuple(ModelHorizon(candles, columns[count * at : count * (at + 1)]) for at, candles in enumerate(self.horizons))

    def evaluation(self, interval: str, horizon_candles: int) -> EvaluationRecord | None:
        """The latest evaluation at the interval and horizon; one that live predictions can be compared with, if there is any."""
        found = [
            record
            for record in self.evaluations
            if record.interval == interval and (record.horizon_candles or self.horizons[0]) == horizon_candles
        ]
        return max(found, key=lambda record: (record.live_reference is not None, record.to_date, record.frames), default=None)


def read_model_record(model_uri: str, version: str) -> ModelRecord:
    """From a model root, a bundle or a Keras file. Raises `NotFound` if it has no such version, and what reading it raises."""
    source = open_model_source(model_uri)
    try:
        manifest = source.manifest(version)
    except NotFound as error:
        raise NotFound(f"{error}: give the model root that made the live predictions") from None
    evaluations = read_evaluations(open_storage(model_uri), version) if isinstance(source, ModelStore) else ()
    return ModelRecord(version, _BARE_HORIZONS if manifest is None else manifest.horizons, tuple(evaluations))
