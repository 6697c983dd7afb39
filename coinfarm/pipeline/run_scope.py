"""The scope of the model that made a run's predictions."""

from contextlib import suppress

from coinfarm.backfill.run_manifest import Run
from coinfarm.errors import CoinfarmError
from coinfarm.prediction.model_scope import UNKNOWN_SCOPE, ModelScope


def scope_of_run(predictions_root: str) -> ModelScope:
    """From the manifest of the model, if the root is the folder of a run: results of older releases do not say it. Otherwise unknown."""
    if not predictions_root.endswith(".parquet"):
        with suppress(CoinfarmError):
            return Run.at(predictions_root).scope()
    return UNKNOWN_SCOPE
