"""The engines that run a model: Keras, or a form compiled by OpenVINO."""
