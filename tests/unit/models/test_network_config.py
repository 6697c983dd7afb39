import zipfile
from pathlib import Path
from typing import Any

import pytest

from coinfarm.errors import ModelError
from coinfarm.models.network_config import parse_network_config, read_network_config
from tests.support.keras_archives import functional_config, write_keras_archive


def config(output_layers: Any, *layers: dict[str, Any]) -> dict[str, Any]:
    return {"class_name": "Functional", "module": "keras", "config": {"output_layers": output_layers, "layers": list(layers)}}


@pytest.mark.parametrize(
    ("output_layers", "names"),
    [
        pytest.param(["dense", 0, 0], None, id="one"),
        pytest.param([["dense", 0, 0]], None, id="one in a list"),
        pytest.param([["b", 0, 0], ["a", 0, 0]], ("b", "a"), id="a list keeps its order"),
        pytest.param({"rise": ["x", 0, 0], "decline": ["y", 0, 0]}, ("decline", "rise"), id="Keras sorts the keys of a dict"),
        pytest.param({"end": [["x", 0, 0], ["y", 0, 0]], "decline": ["z", 0, 0]}, ("decline", "x", "y"), id="nested"),
        pytest.param(None, None, id="sequential"),
    ],
)
def test_names_the_outputs_in_the_order_of_keras(output_layers: Any, names: tuple[str, ...] | None) -> None:
    assert parse_network_config(config(output_layers)).outputs == names


def test_finds_code_and_custom_classes_in_nested_networks() -> None:
    found = parse_network_config(
        config(
            ["dense", 0, 0],
            {"class_name": "Dense", "module": "keras.layers", "config": {"kernel_initializer": {"class_name": "Zeros", "module": "keras"}}},
            {"class_name": "Scale", "module": "mine", "registered_name": "Scale", "config": {}},
            config(
                ["x", 0, 0],
                {"class_name": "Lambda", "module": "keras.layers", "config": {"name": "double"}},
                {"class_name": "TFSMLayer", "module": "keras.layers", "config": {"name": "graph"}},
                {
                    "class_name": "Dense",
                    "module": "keras.layers",
                    "config": {"name": "gate", "activation": {"value": ["4wE=", None, None]}},
                },
                {"class_name": "Gate", "module": None, "registered_name": "pack>Gate", "config": {}},
            ),
        )
    )
    assert found.layers_of_code == ("double", "graph", "gate")
    assert set(found.custom_classes) == {"Scale", "Gate"}


def test_a_damaged_configuration_is_an_error_with_the_file(tmp_path: Path) -> None:
    path = write_keras_archive(tmp_path / "model.keras", functional_config("rise", "decline", "end"))
    assert read_network_config(path).outputs == ("rise", "decline", "end")
    for text in ("[]", "{", "[" * 100_000):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", text)
        with pytest.raises(ModelError, match=r"model\.keras"):
            read_network_config(path)
