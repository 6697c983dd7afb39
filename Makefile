# Everything runs in the virtual environment .venv, which tools/environment.sh makes and keeps up to date.
export PYTHON
BIN := .venv/bin
READY := develop
SCANNERS := build/scanners
SCANNERS_READY := $(SCANNERS)/.ready
AUDITORS := build/sam/.ready build/checkov/.ready
MUTMUT := build/mutmut

.PHONY: run develop test test-machine lint audit mutation bench bench-gpu demo soak verdict openapi diagram containers images scan scanners environments browser dist publish-package image-with-index clean

run:
	@tools/environment.sh run
	@"$(BIN)/coinfarm" example

# Everything that tests, training, reports and downloads need.
develop:
	@tools/environment.sh develop

test: $(READY)
	"$(BIN)/pytest" -n auto --dist loadfile -m "not docker and not browser"

# Those of them that need root, or real candles in ../shared/data.
test-machine: $(READY)
	"$(BIN)/pytest" -n auto --dist loadfile -m "(root or real_data) and not docker and not browser"

lint: $(READY) $(SCANNERS_READY)
	"$(BIN)/ruff" check .
	"$(BIN)/ruff" format --check .
	"$(BIN)/mypy"
	"$(BIN)/lint-imports"
	"$(BIN)/cfn-lint" template.yaml infrastructure/*.yaml
	"$(BIN)/python" -m handler.openapi --check
	$(SCANNERS)/bin/hadolint Dockerfile

# What AWS's own tool and checkov find in the templates: of template.yaml the stage prod, since checkov decides no conditions.
audit: $(READY) $(AUDITORS)
	for template in template.yaml infrastructure/*.yaml; do \
	  SAM_CLI_TELEMETRY=0 build/sam/bin/sam validate --lint --template $$template || exit 1; \
	done
	"$(BIN)/python" -m tests.support.audited_stack build/prod.json
	build/checkov/bin/checkov --skip-download --framework cloudformation --compact --quiet --file build/prod.json infrastructure/*.yaml

# Mutation testing of what [tool.mutation] in pyproject.toml lists: make mutation ARGUMENTS="storage --sample 150 --jobs 1"
mutation: $(READY) $(MUTMUT)/.ready
	PYTHONPATH="$(CURDIR)/$(MUTMUT)" "$(BIN)/python" -m tools.mutation $(ARGUMENTS)

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

# On synthetic candles, or on files of real ones: make verdict CANDLES="BTCUSD-1m.parquet ETHUSD-1m.parquet"
verdict: $(READY)
	@"$(BIN)/coinfarm" verdict $(CANDLES)

openapi: $(READY)
	"$(BIN)/python" -m handler.openapi --write

# Graphviz draws it.
diagram:
	dot -Tsvg docs/architecture.dot -o docs/architecture.svg

containers: $(READY) $(SCANNERS_READY)
	"$(BIN)/pytest" -m docker -ra tests/containers

# coinfarm:lambda and coinfarm:gpu, with their sizes. BUILD_FLAGS are for docker: --platform linux/arm64, --build-arg LAMBDA_BASE=...
images: $(READY)
	"$(BIN)/python" -m images build --compressed lambda $(BUILD_FLAGS)
	"$(BIN)/python" -m images build gpu $(BUILD_FLAGS)

# What is in them: bills of materials in build/sbom, known vulnerabilities, and whether arm64 has a wheel for everything.
scan: $(READY) $(SCANNERS_READY)
	"$(BIN)/python" -m images scan lambda gpu
	"$(BIN)/python" -m images wheels lambda gpu

browser: $(READY)
	"$(BIN)/pytest" -m browser -ra tests/browser

# The same commit makes the same wheel, byte for byte.
dist: $(READY)
	rm -rf dist
	SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2>/dev/null || date +%s)} "$(BIN)/python" -m build --quiet --no-isolation
	"$(BIN)/twine" check --strict dist/*

# To a private index in CodeArtifact, which STACK, a stack of infrastructure/packages.yaml, names, or PACKAGE_DOMAIN and PACKAGE_REPOSITORY do.
publish-package: dist
	"$(BIN)/python" -m tools.package_index upload dist/*

# The image that TARGET names, with packages of that index. Its address, which has a token in it, is a secret of the build: no layer keeps it.
TARGET ?= lambda
image-with-index: $(READY)
	BUILDX_NO_DEFAULT_ATTESTATIONS=1 DOCKER_BUILDKIT=1 "$(BIN)/python" -m tools.package_index exec \
	  docker build --secret id=pip_index,env=PIP_INDEX_URL --target $(TARGET) --tag coinfarm:$(TARGET) $(BUILD_FLAGS) .

scanners: $(SCANNERS_READY)

# All environments, of the checks too: with --jobs two are made at a time.
environments: $(READY) $(SCANNERS_READY) $(AUDITORS)

$(SCANNERS_READY): .ci/tools/images.txt
	"$$(tools/environment.sh python)" -m venv --clear $(SCANNERS)
	$(SCANNERS)/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement $<
	@touch $@

# An environment for each, for what it pins.
$(AUDITORS): build/%/.ready: .ci/tools/%.txt
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
