"""The scope of the model that made a run's predictions."""

from coinfarm.backfill.run_manifest import Run
from coinfarm.errors import CoinfarmError
from coinfarm.prediction.model_scope import ModelScope


def scope_of_run(predictions_root: str) -> ModelScope | None:
    """From the manifest of the model, if the root is the folder of a run: results of older releases do not say it themselves."""
    if predictions_root.endswith(".parquet"):
        return None
    try:
        return Run.at(predictions_root).scope()
    except CoinfarmError:
        return None
