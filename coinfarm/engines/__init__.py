"""What runs a model: Keras, or a form compiled by OpenVINO."""
