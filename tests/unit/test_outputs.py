from pydantic.alias_generators import to_camel

from coinfarm.models.manifest import Output
from coinfarm.outputs import COLUMN_NAMES, OUTPUT_NAMES, TITLES
from handler.schemas import PredictedPct


def test_the_manifest_knows_the_outputs_by_the_same_names() -> None:
    assert [Output.model_validate({"name": name}).name for name in OUTPUT_NAMES] == ["maxRisePct", "maxDeclinePct", "endChangePct"]


def test_columns_and_titles_are_the_same_outputs_in_the_same_order() -> None:
    assert tuple(to_camel(name) for name in COLUMN_NAMES) == OUTPUT_NAMES
    assert [f"{title} pct".replace(" ", "_") for title in TITLES.values()] == list(COLUMN_NAMES)


def test_the_api_describes_the_same_outputs() -> None:
    assert tuple(field.alias for field in PredictedPct.model_fields.values()) == OUTPUT_NAMES
