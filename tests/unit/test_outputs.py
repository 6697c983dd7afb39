from pydantic.alias_generators import to_camel

from coinfarm.models.manifest import Output
from coinfarm.outputs import OUTPUT_COLUMNS, OUTPUT_NAMES, OUTPUT_TITLES
from handler.schemas import PredictedPct


def test_manifest_api_schema_columns_and_titles_have_the_same_outputs():
    assert [Output.model_validate({"name": name}).name for name in OUTPUT_NAMES] == ["maxRisePct", "maxDeclinePct", "endChangePct"]
    assert tuple(to_camel(name) for name in OUTPUT_COLUMNS) == OUTPUT_NAMES
    assert [f"{title} pct".replace(" ", "_") for title in OUTPUT_TITLES.values()] == list(OUTPUT_COLUMNS)

    assert tuple(field.alias for field in PredictedPct.model_fields.values()) == OUTPUT_NAMES
