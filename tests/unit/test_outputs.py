from pydantic.alias_generators import to_camel

from coinfarm.models.manifest import Output
from coinfarm.outputs import OUTPUT_COLUMNS, OUTPUT_NAMES, OUTPUT_TITLES, further_horizons_of, output_columns, output_names, output_title
from handler.schemas import PredictedPct


def test_manifest_api_schema_columns_and_titles_have_the_same_outputs():
    assert [Output.model_validate({"name": name}).name for name in OUTPUT_NAMES] == ["maxRisePct", "maxDeclinePct", "endChangePct"]
    assert tuple(to_camel(name) for name in OUTPUT_COLUMNS) == OUTPUT_NAMES
    assert [f"{title} pct".replace(" ", "_") for title in OUTPUT_TITLES.values()] == list(OUTPUT_COLUMNS)

    assert tuple(field.alias for field in PredictedPct.model_fields.values()) == OUTPUT_NAMES


def test_names_of_further_horizons_end_in_their_number_of_candles():
    names, columns = output_names((30, 100)), output_columns((30, 100))
    assert names[:4] == (*OUTPUT_NAMES, "maxRisePctH30")
    assert columns[:4] == (*OUTPUT_COLUMNS, "max_rise_pct_h30")
    assert (names[-1], columns[-1], len(names), len(columns)) == ("endChangePctH100", "end_change_pct_h100", 9, 9)
    assert further_horizons_of(names) == further_horizons_of(("close_time", *columns)) == (30, 100)
    assert further_horizons_of((*OUTPUT_NAMES, *OUTPUT_COLUMNS, "max_rise_pct_hour")) == ()
    assert [Output.model_validate({"name": name}).name for name in names] == list(names)
    assert [output_title(name) for name in ("maxDeclinePct", "endChangePctH100", "other")] == [
        "max decline",
        "end change, 100 candles",
        "other",
    ]
