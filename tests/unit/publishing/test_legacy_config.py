from typing import Any

from coinfarm.publishing.legacy_config import upgraded


def functional(name: str, layers: list[dict[str, Any]], output: list[Any]) -> dict[str, Any]:
    return {
        "class_name": "Functional",
        "module": "keras.src.engine.functional",
        "config": {"name": name, "layers": layers, "output_layers": output},
    }


def layer(name: str, *inbound: Any, class_name: str = "Dense") -> dict[str, Any]:
    return {"class_name": class_name, "config": {"name": name}, "name": name, "inbound_nodes": list(inbound)}


def test_calls_of_nested_networks_count_from_zero_and_those_of_layers_stay() -> None:
    inner = functional("inner", [layer("x")], [["x", 0, 0]])
    nested = {**inner, "name": "inner", "inbound_nodes": [[["frames", 0, 0, {}]], [["shared", 1, 0, {}]]]}
    layers = [layer("frames"), layer("shared"), nested, layer("dense", [["inner", 2, 0, {"by": ["inner", 1, 0]}]])]
    found = upgraded(functional("outer", layers, [["inner", 1, 0]]))
    assert found["module"] != "keras.src.engine.functional"
    assert found["config"]["output_layers"] == ["inner", 0, 0]
    (call,) = found["config"]["layers"][3]["inbound_nodes"]
    assert call["args"][0]["config"]["keras_history"] == ["inner", 1, 0]
    assert call["kwargs"]["by"]["config"]["keras_history"] == ["inner", 0, 0]
    assert found["config"]["layers"][2]["inbound_nodes"] == [[["frames", 0, 0, {}]], [["shared", 1, 0, {}]]]


def test_tuples_are_lists() -> None:
    shape = {"class_name": "__tuple__", "items": [None, 200, 150, 3]}
    assert upgraded({"config": {"batch_input_shape": shape}}) == {"config": {"batch_input_shape": [None, 200, 150, 3]}}


def test_names_with_slashes_are_renamed_wherever_they_are_used() -> None:
    found = upgraded(functional("network", [layer("block/conv"), layer("dense", [["block/conv", 0, 0, {}]])], [["block/conv", 0, 0]]))
    first, second = found["config"]["layers"]
    assert (first["name"], first["config"]["name"]) == ("block_conv", "block_conv")
    assert second["inbound_nodes"] == [[["block_conv", 0, 0, {}]]]
    assert found["config"]["output_layers"] == ["block_conv", 0, 0]


def test_a_sequential_may_be_a_list_of_layers() -> None:
    old = {"class_name": "Sequential", "config": [{"class_name": "Dense", "config": {"name": "dense", "batch_input_shape": [None, 3]}}]}
    assert [each["class_name"] for each in upgraded(old)["config"]["layers"]] == ["InputLayer", "Dense"]
