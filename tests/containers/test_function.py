"""The function with Lambda's restrictions: a read-only file system, an unprivileged user, and the minimum memory."""

import json
import math
import re

import pytest

from benchmarks.container import running
from images.docker import Docker
from tests.containers.conftest import MODELS, ROOT
from tests.support.demo_requests import demo_request

pytestmark = [pytest.mark.docker, pytest.mark.enable_socket]

MAX_FRAMES = 1000
LAYERS = """
import sys, keras
from keras import layers
inputs = layers.Input((200, 150, 3))
x = layers.Rescaling(2.0)(inputs)
for block in (
    layers.Conv2D(8, 5, strides=4, activation="gelu"), layers.SeparableConv2D(8, 3), layers.DepthwiseConv2D(3),
    layers.Conv2DTranspose(8, 3), layers.BatchNormalization(), layers.LayerNormalization(), layers.GroupNormalization(2),
    layers.ZeroPadding2D(1), layers.UpSampling2D(2), layers.AveragePooling2D(4), layers.MaxPooling2D(2), layers.PReLU(),
    layers.SpatialDropout2D(0.1), layers.Reshape((-1, 8)), layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
    layers.GRU(8, return_sequences=True), layers.Conv1D(8, 3), layers.SimpleRNN(8, return_sequences=True),
):
    x = block(x)
x = layers.MultiHeadAttention(2, 4)(x, x)
x = layers.Concatenate()([layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x), layers.Flatten()(x)])
keras.Model(inputs, layers.Dense(3)(x)).save("/tmp/layers.keras")
sys.stdout.buffer.write(open("/tmp/layers.keras", "rb").read())
"""
"""A model with nearly every kind of layer that can process a chart."""


def min_memory_mb():
    template = (ROOT / "template.yaml").read_text()
    minimum = re.search(r"^  FunctionMemory:.*?MinValue: (\d+)", template, re.DOTALL | re.MULTILINE)
    return int(minimum[1])


@pytest.fixture
def start(deployment):
    def start(**variables):
        memory = f"{min_memory_mb()}m"
        restrictions = ["--read-only", "--tmpfs", "/tmp", "--user", "993:990", "--memory", memory, "--memory-swap", memory]
        flags = [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
        return running(deployment.images["ApiFunction"], *restrictions, *flags, environment=deployment.environment)

    return start


def predictions(response):
    assert "results" in response, response
    return [each["predictions"] for each in response["results"]]


@pytest.mark.parametrize("engine", ["auto", "keras"])
def test_largest_request_fits_into_the_minimum_memory(start, engine):
    request = demo_request(count=MAX_FRAMES + 199)
    with start(ENGINE=engine) as function:
        response = function.invoke(json.dumps(request).encode())
        peak_mb = function.peak_mb()
    assert len(predictions(response)) == MAX_FRAMES
    assert response["model"]["engine"].startswith("openvino" if engine == "auto" else "keras")
    print(f"{response['model']['engine']}: {peak_mb:.0f} MB of {min_memory_mb()} for {MAX_FRAMES} frames")


def test_keras_file_with_many_kinds_of_layers(start, deployment, endpoint, s3):
    model = Docker(deployment.environment).run_python(deployment.images["ApiFunction"], LAYERS)
    s3.put_object(Bucket=MODELS, Key="layers.keras", Body=model)
    aws = {"AWS_ENDPOINT_URL_S3": endpoint, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_REGION": "us-east-1"}
    with start(MODEL_URI=f"s3://{MODELS}/layers.keras", **aws) as function:
        response = function.invoke(json.dumps(demo_request(count=201)).encode())
    assert response["model"]["engine"] == "keras"
    assert all(math.isfinite(value) for each in predictions(response) for value in each.values())
