from coinfarm.models.manifest import Output
from coinfarm.outputs import OUTPUT_NAMES


def test_the_manifest_knows_the_outputs_by_the_same_names() -> None:
    assert [Output.model_validate({"name": name}).name for name in OUTPUT_NAMES] == ["maxRisePct", "maxDeclinePct", "endChangePct"]
