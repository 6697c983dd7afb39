"""Networks that were trained in another precision, such as mixed bfloat16, in float32."""

from typing import Any


def in_float32(network: Any) -> Any:
    """The Keras network itself, or one with the same weights if any of its layers computes in another precision.

    Layers that Keras itself quantised stay as they are.
    """
    import keras

    config = keras.saving.serialize_keras_object(network)
    converted_config = _with_float32_policies(config)
    if converted_config == config:
        return network
    converted = keras.saving.deserialize_keras_object(converted_config, safe_mode=True)
    converted.set_weights(network.get_weights())
    return converted


def _with_float32_policies(config: Any) -> Any:
    if isinstance(config, list):
        return [_with_float32_policies(each) for each in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "DTypePolicy":
        return {**config, "config": {"name": "float32"}}
    return {key: _with_float32_policies(value) for key, value in config.items()}
