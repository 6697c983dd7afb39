# The image of both Lambda functions. Pin the base for a release:
#   --build-arg LAMBDA_BASE=public.ecr.aws/lambda/python@sha256:...
# Written for Docker's classic builder too, which `sam build` uses: no cache mounts, no here-documents.
ARG LAMBDA_BASE=public.ecr.aws/lambda/python:3.12

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
