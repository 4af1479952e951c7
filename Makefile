# Everything here needs sh, make and Python >= 3.11, and nothing else. `make` alone says what there is.

VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
KILLS ?= 2000

# Whatever environment the caller has activated is not the one these targets work in.
unexport VIRTUAL_ENV
unexport CONDA_PREFIX
unexport PYTHONHOME
unexport PYTHONPATH

.PHONY: help serve test check e2e pictures bench bench-engine bench-durable campaigns campaign-kill wheel lock vendor clean

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' Makefile

serve: $(VENV)/.serve ## install, then open the studio on http://127.0.0.1:8765 (ARGS="--port 9000 ...")
	@$(BIN)/treadle serve --workflows workflows $(ARGS)

test: check ## install everything, then all checks, all tests, the browser's last
	$(BIN)/python -m pytest $(ARGS)
	$(BIN)/python e2e/browser.py install
	$(BIN)/python -m pytest e2e $(ARGS)

check: $(VENV)/.test ## ruff, mypy, import-linter, vendored files, Dockerfile
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python scripts/vendor.py check
	@if [ -x $(BIN)/hadolint ]; then echo $(BIN)/hadolint Dockerfile; $(BIN)/hadolint Dockerfile; fi

e2e: $(VENV)/.test ## only the browser's tests (ARGS="-k prompt")
	$(BIN)/python e2e/browser.py install
	$(BIN)/python -m pytest e2e $(ARGS)

pictures: $(VENV)/.test ## take the pictures of the docs again (ARGS=graphs: only the graphs, without a studio)
	$(BIN)/python e2e/browser.py install
	PYTHONPATH=e2e $(BIN)/python scripts/pictures.py $(ARGS)

bench: $(VENV)/.test ## measure against the targets, beside peers (ARGS="E1 D1")
	$(BIN)/python backend/benchmarks $(ARGS)

bench-engine: $(VENV)/.test ## the same for the engine alone (ARGS="--full", ARGS="--profile E2")
	$(BIN)/python backend/benchmarks E1 E2 E3 E4 E5 E6 $(ARGS)

bench-durable: $(VENV)/.test ## the same for runs on disk and after kill -9 (ARGS="--full", ARGS="--profile D1")
	$(BIN)/python backend/benchmarks D1 D2 D3 R1 R2 $(ARGS)

campaigns: $(VENV)/.test ## every campaign in its short form; at length: make campaign-commits, -zombie, ... (docs/proofs.md)
	$(BIN)/python -m pytest backend/tests/campaigns -m "campaign or not campaign" $(ARGS)

campaign-kill: $(VENV)/.test ## kill -9 KILLS=2000 processes of a busy studio, count what was lost (ARGS="--seed 7")
	$(BIN)/python scripts/campaign_kill.py --kills $(KILLS) $(ARGS)

.PHONY: campaign-commits campaign-zombie campaign-stop campaign-clock campaign-disk campaign-hostile campaign-values
campaign-commits campaign-zombie campaign-stop campaign-clock campaign-disk campaign-hostile campaign-values: campaign-%: $(VENV)/.test
	$(BIN)/python scripts/campaign_run.py $* $(ARGS)

wheel: $(VENV)/.serve ## build dist/treadle-*.whl
	$(BIN)/python -m hatchling build --target wheel --directory dist

lock: $(VENV)/.serve ## pin requirements/*.txt anew, with hashes
	sh scripts/lock.sh

vendor: $(VENV)/.serve ## fetch the pinned front-end libraries again (needs npm)
	$(BIN)/python scripts/vendor.py update

clean: ## remove what was built and installed; the studio's memory (.treadle) stays
	rm -rf $(VENV) dist build e2e/pictures-out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/.serve: requirements/serve.txt pyproject.toml scripts/environment.sh
	@sh scripts/environment.sh serve

$(VENV)/.test: requirements/test.txt pyproject.toml scripts/environment.sh
	@sh scripts/environment.sh test
