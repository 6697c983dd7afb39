# Everything runs in a virtual environment of its own, made on first use.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: run test lint bench bench-gpu demo soak verdict openapi diagram containers browser dist publish-package image-with-index clean

run: $(READY)
	@$(BIN)/coinfarm example

test: $(READY)
	$(BIN)/pytest -m "not docker and not browser"

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cfn-lint template.yaml fleet.yaml monitoring.yaml packages.yaml
	$(BIN)/python -m handler.openapi --check

bench: $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[bench]"
	$(BIN)/python -m benchmarks

bench-gpu: $(READY)
	if [ -e /dev/nvidia0 ]; then $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[gpu]"; fi
	$(BIN)/python -m benchmarks.gpu

demo: $(READY)
	@$(BIN)/coinfarm backfill demo

# Ten minutes of requests, then 2,000 shards: half an hour in all.
soak: $(READY)
	@$(BIN)/python -m benchmarks.soak --output benchmarks/soak.json

# On made-up candles, or on files of real ones: make verdict CANDLES="BTCUSD-1m.parquet ETHUSD-1m.parquet"
verdict: $(READY)
	@$(BIN)/coinfarm verdict $(CANDLES)

openapi: $(READY)
	$(BIN)/python -m handler.openapi --write

# Graphviz draws it.
diagram:
	dot -Tsvg docs/architecture.dot -o docs/architecture.svg

containers: $(READY)
	$(BIN)/pytest -m docker -ra tests/containers

browser: $(READY)
	$(BIN)/pytest -m browser -ra tests/browser

# The same commit makes the same wheel, byte for byte.
dist: $(READY)
	rm -rf dist
	SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2>/dev/null || date +%s)} $(BIN)/python -m build --quiet --no-isolation
	$(BIN)/twine check --strict dist/*

# To a private index in CodeArtifact, which STACK, a stack of packages.yaml, names, or PACKAGE_DOMAIN and PACKAGE_REPOSITORY do.
publish-package: dist
	$(BIN)/python -m tools.package_index upload dist/*

# The image that TARGET names, with packages of that index. Its address, which has a token in it, is a secret of the build: no layer keeps it.
TARGET ?= lambda
image-with-index: $(READY)
	DOCKER_BUILDKIT=1 $(BIN)/python -m tools.package_index exec \
	  docker build --secret id=pip_index,env=PIP_INDEX_URL --target $(TARGET) --tag coinfarm:$(TARGET) $(BUILD_FLAGS) .

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[serve,compile,dev]"
	@touch $@

clean:
	rm -rf $(VENV) build dist .aws-sam
