"""The table of a stored evaluation, as `make run` shows it."""

import json
from pathlib import Path

from rich.console import Console

from coinfarm.cli.evaluation_tables import evaluation_record_table
from coinfarm.models.evaluation_document import EvaluationRecord
from coinfarm.serving.settings import reference_model_uri


def shown(record: EvaluationRecord) -> list[str]:
    console = Console(width=200)
    with console.capture() as capture:
        console.print(evaluation_record_table(record))
    return capture.get().splitlines()


def test_shows_the_reference_model_and_its_baselines() -> None:
    (path,) = Path(reference_model_uri()).glob("versions/*/evaluations/*.json")
    document = json.loads(path.read_text())
    lines = shown(EvaluationRecord.read(document, str(path)))
    assert max(map(len, map(str.rstrip, lines))) <= 80
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines if line.startswith("│")]
    model = next(row for row in rows if row[0] == "this model")
    assert model[1] == f"{document['outputs']['maxRisePct']['r2']:.3f}"
    assert model[4] == f"{document['direction']['overall']['rightPct']:.1f} %"
    assert len(rows) == 2 + len(document["baselines"])  # the model's intervals are a line of their own
    assert next(row for row in rows if row[0] == "zero")[4] == "–"
