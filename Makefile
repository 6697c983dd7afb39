# Everything runs in the virtual environment .venv, which tools/environment.sh creates and updates.
export PYTHON
BIN := .venv/bin
READY := develop
SCANNERS := build/scanners
SCANNERS_READY := $(SCANNERS)/.ready
AUDITORS := build/sam/.ready build/checkov/.ready
MUTMUT := build/mutmut
FREQTRADE_READY := build/freqtrade/.ready

.PHONY: run develop test test-machine lint audit mutation bench bench-gpu calibrate demo soak verdict openapi diagram containers images scan scanners environments browser freqtrade dist publish-package image-with-index clean

run:
	@tools/environment.sh run
	@"$(BIN)/coinfarm" example

# Installs what tests, training, reports and downloads need.
develop:
	@tools/environment.sh develop

# pytest-xdist can hang if it replaces a worker that has crashed: the run ends instead.
PYTEST_PARALLEL := "$(BIN)/pytest" -n auto --dist loadfile --max-worker-restart 0

test: $(READY)
	$(PYTEST_PARALLEL) -m "not docker and not browser and not freqtrade"

# Only the tests that need root, or real candles in ../shared/data.
test-machine: $(READY)
	$(PYTEST_PARALLEL) -m "(root or real_data) and not docker and not browser"

lint: $(READY) $(SCANNERS_READY)
	"$(BIN)/ruff" check .
	"$(BIN)/ruff" format --check .
	"$(BIN)/mypy"
	"$(BIN)/lint-imports"
	"$(BIN)/cfn-lint" template.yaml infrastructure/*.yaml
	"$(BIN)/python" -m handler.openapi --check
	$(SCANNERS)/bin/hadolint Dockerfile

# sam validate and checkov. checkov does not evaluate conditions, so it gets template.yaml as the stage prod with all options on.
audit: $(READY) $(AUDITORS)
	for template in template.yaml infrastructure/*.yaml; do \
	  SAM_CLI_TELEMETRY=0 build/sam/bin/sam validate --lint --template $$template || exit 1; \
	done
	"$(BIN)/python" -m tests.support.audited_stack build/prod.json
	build/checkov/bin/checkov --skip-download --framework cloudformation --compact --quiet --file build/prod.json infrastructure/*.yaml

# Mutation testing of what [tool.mutation] in pyproject.toml lists: make mutation ARGUMENTS="storage --sample 150 --jobs 1"
mutation: $(READY) $(MUTMUT)/.ready
	PYTHONPATH="$(CURDIR)/$(MUTMUT)" "$(BIN)/python" -m tools.mutation $(ARGUMENTS)

# Less than ten minutes, alone on the machine. It measures FastAPI and BentoML too if they are installed, and says how to install them.
bench: $(READY)
	"$(BIN)/python" -m benchmarks

bench-gpu: $(READY)
	if [ -e /dev/nvidia0 ]; then "$(BIN)/python" -m pip install --constraint constraints.txt --editable ".[gpu]"; fi
	"$(BIN)/python" -m benchmarks.gpu

demo: $(READY)
	@"$(BIN)/coinfarm" backfill demo

# Ten minutes of requests, then 2,000 shards: about twenty-five minutes, alone on the machine.
soak: $(READY)
	@"$(BIN)/python" -m benchmarks.soak --output benchmarks/soak.json

# The error rates of verdicts, and the coverage of intervals: about an hour on two cores, and it continues after an interruption.
# make calibrate ARGUMENTS="--seed 7 --streams 2000"
calibrate: $(READY)
	"$(BIN)/python" -m benchmarks.calibration $(ARGUMENTS)

# The map of several intervals, with synthetic candles: without an edge, or with one of so many basis points: make verdict EDGE=200
# With your own files: make verdict CANDLES="BTCUSD-1m.parquet ETHUSD-1m.parquet" INTERVALS="1m 5m 15m 1h"
INTERVALS ?= 1m 5m 15m 1h
verdict: $(READY)
	@"$(BIN)/coinfarm" verdict $(CANDLES) $(addprefix --interval ,$(INTERVALS)) $(if $(EDGE),--edge $(EDGE)) --any-interval

openapi: $(READY)
	"$(BIN)/python" -m handler.openapi --write

# Needs Graphviz.
diagram:
	dot -Tsvg docs/architecture.dot -o docs/architecture.svg

containers: $(READY) $(SCANNERS_READY)
	"$(BIN)/pytest" -m docker -ra tests/containers

# Builds coinfarm:lambda and coinfarm:gpu, and prints their sizes. BUILD_FLAGS are passed to docker: --platform linux/arm64, --build-arg ...
images: $(READY)
	"$(BIN)/python" -m images build --compressed lambda $(BUILD_FLAGS)
	"$(BIN)/python" -m images build gpu $(BUILD_FLAGS)

# Scans the images: bills of materials in build/sbom, known vulnerabilities, and whether arm64 has a wheel of every package.
scan: $(READY) $(SCANNERS_READY)
	"$(BIN)/python" -m images scan lambda gpu
	"$(BIN)/python" -m images wheels lambda gpu

browser: $(READY)
	"$(BIN)/pytest" -m browser -ra tests/browser

# Backtests and a dry run of examples/freqtrade, with freqtrade (0.8 GB) in an environment of its own. Two minutes.
freqtrade: $(READY) $(FREQTRADE_READY)
	"$(BIN)/pytest" -m freqtrade -ra tests/freqtrade

# The wheel is reproducible: the same commit builds the same bytes.
dist: $(READY)
	rm -rf dist
	SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2>/dev/null || date +%s)} "$(BIN)/python" -m build --quiet --no-isolation
	"$(BIN)/twine" check --strict dist/*

# Uploads to a private index in CodeArtifact: that of STACK (infrastructure/packages.yaml), or of PACKAGE_DOMAIN and PACKAGE_REPOSITORY.
publish-package: dist
	"$(BIN)/python" -m tools.package_index upload dist/*

# Builds the image TARGET with packages of that index. The index's URL contains a token: it is a build secret, stored in no layer.
TARGET ?= lambda
image-with-index: $(READY)
	BUILDX_NO_DEFAULT_ATTESTATIONS=1 DOCKER_BUILDKIT=1 "$(BIN)/python" -m tools.package_index exec \
	  docker build --secret id=pip_index,env=PIP_INDEX_URL --target $(TARGET) --tag coinfarm:$(TARGET) $(BUILD_FLAGS) .

scanners: $(SCANNERS_READY)

# All environments, including those of the checks; use --jobs to create several at a time.
environments: $(READY) $(SCANNERS_READY) $(AUDITORS)

$(SCANNERS_READY): .ci/tools/images.txt
	"$$(tools/environment.sh python)" -m venv --clear $(SCANNERS)
	$(SCANNERS)/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement $<
	@touch $@

# Separate environments, because their pinned versions conflict.
$(AUDITORS) $(FREQTRADE_READY): build/%/.ready: .ci/tools/%.txt
	"$$(tools/environment.sh python)" -m venv --clear $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement $<
	@touch $@

# Not an environment but a folder for PYTHONPATH: mutmut runs the tests in its own process, and needs their packages.
$(MUTMUT)/.ready: .ci/tools/mutmut.txt | $(READY)
	rm -rf $(@D)
	"$(BIN)/python" -m pip install --quiet --disable-pip-version-check --no-deps --target $(@D) --requirement $<
	@touch $@

clean:
	rm -rf .venv build dist .aws-sam
