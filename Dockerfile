# Two images: for both Lambda functions (target lambda), and for the worker on a GPU instance (target gpu). `make images` builds them.
# For a release, pin the base images:
#   --build-arg LAMBDA_BASE=public.ecr.aws/lambda/python@sha256:...
#   --build-arg GPU_BASE=public.ecr.aws/docker/library/python@sha256:...
# To install private packages from an index whose URL contains a token (`make image-with-index`):
#   --secret id=pip_index,env=PIP_INDEX_URL
# This file needs BuildKit, which Docker 20.10 and newer include (`sam build --use-buildkit`).
ARG LAMBDA_BASE=public.ecr.aws/lambda/python:3.12
# A plain Python image is enough: JAX's wheels contain CUDA's libraries, and --gpus all mounts the host's driver.
ARG GPU_BASE=public.ecr.aws/docker/library/python:3.12-slim

FROM ${LAMBDA_BASE} AS lambda-base
FROM ${GPU_BASE} AS gpu-base

# A separate stage for the list of dependencies, so that other edits of pyproject.toml do not invalidate the large layer below.
FROM lambda-base AS lambda-requirements
WORKDIR /source
COPY pyproject.toml images/requirements.py ./
RUN python3 requirements.py lambda > /requirements.txt

FROM lambda-base AS lambda
# The secret is a file during this command only: it is in no layer and not in the history. Installers and unneeded files are removed. Bytecode
# is compiled here, because Lambda mounts the image read-only and would compile it at every cold start.
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

# Suppresses TensorFlow's startup logs.
ENV TF_CPP_MIN_LOG_LEVEL=2
WORKDIR ${LAMBDA_TASK_ROOT}
COPY image_render image_render
COPY coinfarm coinfarm
COPY handler handler
RUN python3 -m compileall -q --invalidation-mode unchecked-hash .
CMD ["handler.app.lambda_handler"]

FROM gpu-base AS gpu-requirements
# Extras of pyproject.toml to install. Without any, the image has no CUDA, for tests on machines without a GPU.
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

# A GPU instance must fail rather than work without its GPU, so ENGINE is not "auto".
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
# The worker touches the file every two seconds while all its worker threads make progress.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["sh", "-c", "test -n \"$(find \"$HEALTH_FILE\" -mmin -1)\""]
ENTRYPOINT ["python3", "-m", "handler.worker"]
