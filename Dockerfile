# The image of both Lambda functions (target lambda), and that of the worker on a GPU machine (target gpu). Pin the base for a release:
#   --build-arg LAMBDA_BASE=public.ecr.aws/lambda/python@sha256:...
#   --build-arg GPU_BASE=public.ecr.aws/docker/library/python@sha256:...
# Written for Docker's classic builder too, which `sam build` uses: no cache mounts, no here-documents.
ARG LAMBDA_BASE=public.ecr.aws/lambda/python:3.12
# CUDA's libraries come with JAX, and the driver, by --gpus all, from the machine: a plain Python will do.
ARG GPU_BASE=public.ecr.aws/docker/library/python:3.12-slim

# The dependency list on its own, so that another edit of pyproject.toml leaves the heavy layer below cached.
FROM ${LAMBDA_BASE} AS requirements
WORKDIR /build
COPY pyproject.toml constraints.txt ./
RUN python3 -c "import tomllib; project = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
        print(*project['dependencies'], *project['optional-dependencies']['tracing'], sep='\n')" > requirements.txt

FROM ${LAMBDA_BASE} AS lambda
COPY --from=requirements /build/requirements.txt /build/constraints.txt /build/
# TensorFlow's C++ headers are 290 MB that only compilers read.
RUN python3 -m pip install --no-cache-dir --disable-pip-version-check --root-user-action ignore \
        --requirement /build/requirements.txt --constraint /build/constraints.txt \
    && rm -rf "$(python3 -c "import sysconfig; print(sysconfig.get_path('purelib'))")/tensorflow/include"

# Without it TensorFlow tells CloudWatch about the processor at every cold start.
ENV TF_CPP_MIN_LOG_LEVEL=2
WORKDIR ${LAMBDA_TASK_ROOT}
COPY image_render image_render
COPY coinfarm coinfarm
COPY handler handler
# Lambda mounts the image read-only: what is not compiled here would be compiled again at every cold start.
RUN python3 -m compileall -q --invalidation-mode unchecked-hash .
CMD ["handler.app.lambda_handler"]

FROM ${GPU_BASE} AS gpu-requirements
# The extras of pyproject.toml that go in; none makes an image without CUDA, to try it where there is no GPU.
ARG GPU_EXTRAS=gpu
WORKDIR /build
COPY pyproject.toml constraints.txt ./
# Keras runs on JAX here: TensorFlow, a gigabyte, would lie idle.
RUN python3 -c "import os, tomllib; project = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
        extras = [each for extra in os.environ['GPU_EXTRAS'].split() for each in project['optional-dependencies'][extra]]; \
        print(*[each for each in project['dependencies'] if not each.startswith('tensorflow')], *extras, sep='\n')" > requirements.txt

FROM ${GPU_BASE} AS gpu
COPY --from=gpu-requirements /build/requirements.txt /build/constraints.txt /build/
RUN python3 -m pip install --no-cache-dir --disable-pip-version-check --root-user-action ignore \
        --requirement /build/requirements.txt --constraint /build/constraints.txt

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
    CMD test -n "$(find "$HEALTH_FILE" -mmin -1)"
ENTRYPOINT ["python3", "-m", "handler.worker"]
