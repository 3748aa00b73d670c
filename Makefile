# Everything runs from a fresh clone with python3 (3.11 to 3.13) and a package index.
# Each target does its own set-up.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO_VENV := .demo/venv
CHUNK ?= all
TEST_PROCESSES ?= 2

# Without byte code every `import airflow` takes 8 s instead of 2.
unexport PYTHONDONTWRITEBYTECODE
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

.PHONY: env
env: $(VENV)/.ready ## Make .venv with all that development needs

.PHONY: demo
demo: $(DEMO_VENV)/.ready ## Run the demo: two days of a dbt project under a real Airflow
	$(DEMO_VENV)/bin/python -m tools.demo

.PHONY: demo-ui
demo-ui: $(DEMO_VENV)/.ready ## Open Airflow's pages on what the demo left
	$(DEMO_VENV)/bin/python -m tools.demo --ui

.PHONY: test
test: style ## Check the style, the types, the house, and run the tests (TEST_PROCESSES=2)
	@# The types beside the tests: either alone leaves a core idle.
	@mkdir -p .cache
	@($(BIN)/mypy && $(BIN)/lint-imports) >.cache/types.log 2>&1 & types=$$!; \
	$(BIN)/python -m pytest -m "not slow" --numprocesses $(TEST_PROCESSES) --dist loadscope \
	  --no-loadscope-reorder; tests=$$?; \
	wait $$types; types=$$?; cat .cache/types.log; exit $$((tests + types))

.PHONY: test-slow
test-slow: env ## Run the proofs that take minutes, in chunks (CHUNK=list shows them, CHUNK=name runs one)
	$(BIN)/python -m tests.chunks $(CHUNK)

.PHONY: lint
lint: style types ## Check the style, the types and the house

.PHONY: style
style: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: types
types: env
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: bench
bench: bench-parsing bench-loads ## Measure parsing and loads (40 minutes); write docs/benchmarks*.md

.PHONY: bench-parsing
bench-parsing: env ## Measure parsing beside Airflow and Cosmos (15 minutes)
	$(BIN)/python -m benchmarks

.PHONY: bench-loads
bench-loads: env ## Measure loads beside hand-written ones and dlt (25 minutes)
	$(BIN)/python -m benchmarks.loads

.PHONY: bench-pipelines
bench-pipelines: env ## Measure pipelines in YAML beside dag-factory (3 minutes)
	$(BIN)/python -m benchmarks.pipelines

.PHONY: docs
docs: env ## Build the documentation into site/
	$(BIN)/mkdocs build --strict

.PHONY: manifests
manifests: env ## Compile the demo's dbt project into dags/manifests/
	SHOP_DUCKDB="$$(mktemp -d)/shop.duckdb" $(BIN)/airflow-dataops compile --project-dir demo/shop --output dags/manifests/shop/manifest.json

.PHONY: metrics
metrics: env ## Write what is made from the catalogue of metrics into docs/
	$(BIN)/airflow-dataops metrics --output docs

.PHONY: pipeline-schema
pipeline-schema: env ## Write the JSON Schema of pipelines in YAML into docs/
	$(BIN)/airflow-dataops lint --schema > docs/pipeline.schema.json

.PHONY: constraints
constraints: env ## Pin what resolves today
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-header \
	  --no-annotate --no-emit-index-url --no-emit-find-links --all-extras --group dev \
	  pyproject.toml --output-file constraints.txt

.PHONY: clean
clean: ## Remove environments and what the demo left
	rm -rf $(VENV) .demo .cache site dist

$(VENV)/.ready: pyproject.toml constraints.txt
	$(call venv,$(VENV))
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt \
	  --group dev --editable '.[all]'
	@# Byte code of what the tests import: once here, not in each of their processes.
	-@$(BIN)/python -m pytest --collect-only --quiet --no-header >/dev/null
	touch $@

$(DEMO_VENV)/.ready: pyproject.toml constraints.txt
	$(call venv,$(DEMO_VENV))
	$(DEMO_VENV)/bin/uv pip install --quiet --python $(DEMO_VENV)/bin/python \
	  --constraint constraints.txt --compile-bytecode --editable '.[cli,duckdb]'
	touch $@

# An empty environment with uv, which installs many times faster than pip.
define venv
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo 'Python 3.11 to 3.13 is needed: make PYTHON=/path/to/python3.12 ...' >&2; exit 1; }
	@echo "Making the environment $(1) ..."
	$(PYTHON) -m venv --clear $(1)
	$(1)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
endef
