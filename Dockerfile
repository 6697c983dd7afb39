# The image of both Lambda functions (target lambda), and that of the worker on a GPU machine (target gpu): `make images`. Pin the bases
# for a release:
#   --build-arg LAMBDA_BASE=public.ecr.aws/lambda/python@sha256:...
#   --build-arg GPU_BASE=public.ecr.aws/docker/library/python@sha256:...
# Packages of your own, from an index whose address has a token in it (`make image-with-index`):
#   --secret id=pip_index,env=PIP_INDEX_URL
# BuildKit builds it, which Docker 20.10 and newer have: `sam build --use-buildkit`.
ARG LAMBDA_BASE=public.ecr.aws/lambda/python:3.12
# CUDA's libraries come with JAX, and the driver, by --gpus all, from the machine: a plain Python will do.
ARG GPU_BASE=public.ecr.aws/docker/library/python:3.12-slim

FROM ${LAMBDA_BASE} AS lambda-base
FROM ${GPU_BASE} AS gpu-base

# The dependency list on its own, so that another edit of pyproject.toml leaves the heavy layer below cached.
FROM lambda-base AS lambda-requirements
WORKDIR /source
COPY pyproject.toml images/requirements.py ./
RUN python3 requirements.py lambda > /requirements.txt

FROM lambda-base AS lambda
# The secret is a file for this one command, and in its environment: in no layer, and not in the history. What installs packages goes
# with what they do not need. What is not compiled here would be compiled again at every cold start, for Lambda mounts the image read-only.
RUN --mount=type=secret,id=pip_index \
    --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,from=lambda-requirements,source=/requirements.txt,target=/tmp/requirements.txt \
    --mount=type=bind,source=constraints.txt,target=/tmp/constraints.txt \
    --mount=type=bind,source=images,target=/tmp/trim/images \
    PIP_INDEX_URL="$(cat /run/secrets/pip_index 2> /dev/null)" \
        python3 -m pip install --disable-pip-version-check --root-user-action ignore --no-compile \
        --requirement /tmp/requirements.txt --constraint /tmp/constraints.txt \
    && PYTHONPATH=/tmp/trim python3 -m images.trim \
    && python3 -m pip uninstall --yes --root-user-action ignore libclang grpcio setuptools wheel pip \
    && python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash "$(python3 -c "import sysconfig; print(sysconfig.get_path('purelib'))")"

# Without it TensorFlow tells CloudWatch about the processor at every cold start.
ENV TF_CPP_MIN_LOG_LEVEL=2
WORKDIR ${LAMBDA_TASK_ROOT}
COPY image_render image_render
COPY coinfarm coinfarm
COPY handler handler
RUN python3 -m compileall -q --invalidation-mode unchecked-hash .
CMD ["handler.app.lambda_handler"]

FROM gpu-base AS gpu-requirements
# The extras of pyproject.toml that go in; none makes an image without CUDA, to try it where there is no GPU.
ARG GPU_EXTRAS=gpu
WORKDIR /source
COPY pyproject.toml images/requirements.py ./
RUN python3 requirements.py gpu ${GPU_EXTRAS} > /requirements.txt

FROM gpu-base AS gpu
RUN --mount=type=secret,id=pip_index \
    --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,from=gpu-requirements,source=/requirements.txt,target=/tmp/requirements.txt \
    --mount=type=bind,source=constraints.txt,target=/tmp/constraints.txt \
    --mount=type=bind,source=images,target=/tmp/trim/images \
    PIP_INDEX_URL="$(cat /run/secrets/pip_index 2> /dev/null)" \
        python3 -m pip install --disable-pip-version-check --root-user-action ignore --no-compile \
        --requirement /tmp/requirements.txt --constraint /tmp/constraints.txt \
    && PYTHONPATH=/tmp/trim python3 -m images.trim \
    && python3 -m pip uninstall --yes --root-user-action ignore setuptools wheel pip \
    && python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash "$(python3 -c "import sysconfig; print(sysconfig.get_path('purelib'))")"

# A machine that is paid for its GPU shall fail rather than work without it: hence no "auto".
ENV ENGINE=keras-gpu \
    KERAS_BACKEND=jax \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    HEALTH_FILE=/tmp/coinfarm-worker.health \
    HOME=/tmp
WORKDIR /opt/coinfarm
COPY image_render image_render
COPY coinfarm coinfarm
COPY handler handler
RUN python3 -m compileall -q --invalidation-mode unchecked-hash .
USER 65532:65532
# The worker touches the file every two seconds while all its lanes make progress.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["sh", "-c", "test -n \"$(find \"$HEALTH_FILE\" -mmin -1)\""]
ENTRYPOINT ["python3", "-m", "handler.worker"]
