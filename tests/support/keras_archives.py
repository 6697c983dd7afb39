"""Keras archives that need no Keras: the configuration of a network, and weights that nobody reads."""

import json
import zipfile
from pathlib import Path
from typing import Any

from coinfarm.models.network_config import CONFIG_FILE, WEIGHTS_FILE


def functional_config(*outputs: str) -> dict[str, Any]:
    """The configuration of a network whose heads are the layers of these names."""
    heads: list[Any] = [[name, 0, 0] for name in outputs]
    return {"class_name": "Functional", "module": "keras", "config": {"output_layers": heads if len(heads) > 1 else heads[0]}}


def write_keras_archive(path: Path, config: dict[str, Any] | None = None, *, content: str = "1") -> Path:
    """An archive of a network with one output; `content` stands for its weights."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(CONFIG_FILE, json.dumps(config or functional_config("dense")))
        archive.writestr(WEIGHTS_FILE, content)
    return path
