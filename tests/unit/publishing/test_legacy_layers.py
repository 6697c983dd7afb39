from typing import Any

import pytest

from coinfarm.errors import CoinfarmError
from coinfarm.publishing.legacy_layers import layers_with_input, renewed_layer


def renewed(class_name: str, **config: Any) -> dict[str, Any]:
    found: dict[str, Any] = renewed_layer({"class_name": class_name, "config": config, "name": "layer", "inbound_nodes": []})["config"]
    return found


def test_axes_of_a_normalisation_over_one_are_a_number() -> None:
    assert renewed("BatchNormalization", axis=[3]) == {"axis": 3}
    assert renewed("LayerNormalization", axis=[3]) == {"axis": [3]}


def test_what_keras_3_does_not_take_is_dropped_from_the_layers_that_had_it() -> None:
    assert renewed("LSTM", units=3, time_major=False) == {"units": 3}
    assert renewed("SeparableConv2D", groups=1, kernel_initializer="zeros", filters=3) == {"filters": 3}
    assert renewed("Conv2D", groups=2, kernel_initializer="zeros") == {"groups": 2, "kernel_initializer": "zeros"}


@pytest.mark.parametrize(("class_name", "option"), [("LSTM", {"time_major": True}), ("Conv2DTranspose", {"groups": 2})])
def test_an_option_that_changes_the_result_is_not_dropped(class_name: str, option: dict[str, Any]) -> None:
    with pytest.raises(CoinfarmError, match=next(iter(option))):
        renewed(class_name, name="layer", **option)


def test_policies_have_the_name_of_keras_3() -> None:
    policy = {"class_name": "Policy", "config": {"name": "mixed_float16"}}
    assert renewed("Dense", dtype=policy)["dtype"]["class_name"] == "DTypePolicy"
    assert renewed("Dense", dtype="float32")["dtype"] == "float32"


def test_arguments_by_name_are_tensors_too() -> None:
    node = [["x", 0, 0, {"value": ["y", 1, 0], "training": None}]]
    layer = {"class_name": "Attention", "config": {}, "name": "attention", "inbound_nodes": [node, [["x", 0, 0, {}]]]}
    by_name, plain = renewed_layer(layer)["inbound_nodes"]
    assert [each["config"]["keras_history"] for each in (*by_name["args"], by_name["kwargs"]["value"])] == [["x", 0, 0], ["y", 1, 0]]
    assert by_name["kwargs"]["training"] is None
    assert plain == [["x", 0, 0, {}]]


def test_the_first_layer_of_a_sequential_may_say_the_shape_of_the_input() -> None:
    dense = {"class_name": "Dense", "config": {"name": "dense", "batch_input_shape": [None, 3]}}
    first, second = layers_with_input([dense])
    assert (first["class_name"], first["config"]["batch_input_shape"], second) == ("InputLayer", [None, 3], dense)
    assert layers_with_input([first, second]) == [first, second]
    assert layers_with_input([]) == []
    assert renewed("Dense", units=2, batch_input_shape=[None, 3]) == {"units": 2}


def test_further_tensors_of_a_recurrent_layer_are_its_initial_state() -> None:
    node = [["x", 0, 0, {}], ["other", 0, 1, {}], ["other", 0, 2, {}]]
    layer = {"class_name": "LSTM", "config": {}, "name": "lstm", "inbound_nodes": [node]}
    (call,) = renewed_layer(layer)["inbound_nodes"]
    assert [each["config"]["keras_history"][0] for each in call["args"]] == ["x"]
    assert [each["config"]["keras_history"] for each in call["kwargs"]["initial_state"]] == [["other", 0, 1], ["other", 0, 2]]
    assert renewed_layer({**layer, "class_name": "Add"})["inbound_nodes"] == [node]
