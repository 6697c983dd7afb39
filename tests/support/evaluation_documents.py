"""Evaluation documents with synthetic results."""

from typing import Any

from coinfarm.models.evaluation_document import EvaluationRecord
from coinfarm.outputs import OUTPUT_NAMES

BITCOIN, ETHER = "b" * 64, "e" * 64
"""Digests of candles."""


def evaluation_json(version: str, *r2: float, **fields: Any) -> dict[str, Any]:
    """A document with what versions are compared by: these R² by output, the last repeated, and the other fields."""
    r2 = r2 or (0.1,)
    outputs = {name: {"r2": r2[min(at, len(r2) - 1)], "meanAbsoluteErrorPct": 0.3} for at, name in enumerate(OUTPUT_NAMES)}
    return {
        "model": {"name": "fake", "version": version, "engine": "fake"},
        "from": "2019-05-01",
        "to": "2019-07-01",
        "stride": 10,
        "candles": {"BTCUSD": BITCOIN},
        "includesInSample": False,
        "frames": 26_174,
        "outputs": outputs,
        **fields,
    }


def evaluation_record(version: str, *r2: float, **fields: Any) -> EvaluationRecord:
    """The record in `evaluation_json`."""
    return EvaluationRecord.read(evaluation_json(version, *r2, **fields), "here")
