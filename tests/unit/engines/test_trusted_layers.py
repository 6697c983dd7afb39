from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from coinfarm.engines import trusted_layers
from coinfarm.engines.keras import KerasEngine
from coinfarm.errors import ModelError
from coinfarm.models.bundle import Bundle

pytestmark = pytest.mark.tensorflow


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Installs packages that offer these classes; None stands for one that cannot be imported."""

    def offered(**classes: Any) -> None:
        entries = [EntryPoint(name, "missing_package:layer", trusted_layers.GROUP) for name in classes]
        monkeypatch.setattr(trusted_layers, "entry_points", lambda group: entries if group == trusted_layers.GROUP else [])
        if all(classes.values()):
            monkeypatch.setattr(EntryPoint, "load", lambda entry: classes[entry.name])

    return offered


@pytest.mark.parametrize("package", [None, "mine"])
def test_a_custom_layer_is_run_only_if_an_installed_package_offers_it(
    package: str | None, keras: ModuleType, tmp_path: Path, offer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Twice(keras.layers.Layer):  # type: ignore[misc,name-defined]
        def call(self, x: Any) -> Any:
            return 2 * x

    if package:
        monkeypatch.setattr("keras.src.saving.object_registration.GLOBAL_CUSTOM_OBJECTS", {})
        keras.saving.register_keras_serializable(package)(Twice)
    frame = keras.Input((200, 150, 3))
    model = keras.Model(frame, keras.layers.Dense(3)(Twice()(keras.layers.GlobalAveragePooling2D()(frame))))
    frames = np.random.default_rng(1).integers(0, 2, (2, 200, 150, 3), np.uint8)
    expected = np.asarray(model(frames.astype(np.float32)))
    model.save(tmp_path / "model.keras")
    keras.saving.get_custom_objects().clear()
    bundle = Bundle.create(tmp_path, name="custom")
    with pytest.raises(ModelError, match=f"Twice.*{trusted_layers.GROUP}"):
        KerasEngine(bundle, max_batch=10)
    offer(Twice=Twice)
    np.testing.assert_allclose(KerasEngine(bundle, max_batch=10).predict(frames), expected, rtol=1e-5)


def test_a_package_that_cannot_be_imported_is_an_error_and_others_are_not_imported(offer: Any) -> None:
    offer(Twice=None)
    assert trusted_layers.trusted_layers(()) == {}
    assert trusted_layers.trusted_layers(("Other",)) == {}
    with pytest.raises(ModelError, match="Twice"):
        trusted_layers.trusted_layers(("Twice",))
