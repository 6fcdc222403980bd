# `make` alone lists what there is. Everything sets itself up at the first start and skips that afterwards.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh

STAMP := .venv/.set-up
PYTHON := .venv/bin/python
BIN := .venv/bin

.PHONY: help set-up up down status demo test lint unit service e2e browser story faults faults-quick crash-points storm storm-again away night breaks canary fuzz contracts diagram sbom overload clean bench bench-quick bench-growth bench-journal bench-watched bench-report

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z0-9 -]+:.*## / { printf "  make %-25s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

set-up: $(STAMP) ## Make .venv with everything in it (done by the others as needed).

$(STAMP): requirements.lock pyproject.toml deploy/local/set-up
	@deploy/local/set-up $@

up: $(STAMP) ## Run the whole system here until Ctrl-C; with CONCLUSION=core guarantees wait for the office.
	@$(PYTHON) -m deploy.local up $(if $(CONCLUSION),--conclusion $(CONCLUSION))

down: $(STAMP) ## End what `make up` runs.
	@$(PYTHON) -m deploy.local down

status: $(STAMP) ## Show what runs, and where.
	-@$(PYTHON) -m deploy.local status

demo: $(STAMP) ## Show it: 20 applications and more, every answer of the outside; writes build/demo.json.
	@$(PYTHON) -m deploy.local demo

test: $(STAMP) ## Everything that is checked: style, types, imports, all tests.
	@$(PYTHON) -m deploy.local test

lint: $(STAMP) ## Style, types and import rules only.
	@$(PYTHON) -m deploy.local test lint

unit service e2e browser faults: $(STAMP) ## One group of tests only.
	@$(PYTHON) -m deploy.local test $@

story: $(STAMP) ## The flyer's story in a browser, a line for each step.
	@$(PYTHON) -m tests.browser

faults-quick: $(STAMP) ## A short seeded round of faults with its ledger; SEED=n.
	@$(PYTHON) -m tests.faults quick --seed $(or $(SEED),1)

crash-points: $(STAMP) ## Die at every crash point of every service, once each.
	@$(PYTHON) -m tests.faults crash-points --seed $(or $(SEED),1)

storm: $(STAMP) ## Two hundred faults while applications flow; APPLICATIONS=n SEED=n.
	@$(PYTHON) -m tests.faults storm --applications $(or $(APPLICATIONS),1000) --seed $(or $(SEED),1)

storm-again: $(STAMP) ## Run every seed once more that ever found something.
	@$(PYTHON) -m tests.faults regressions

away: $(STAMP) ## The platform is away for longer than any back-off; about ten minutes.
	@$(PYTHON) -m tests.faults away --seed $(or $(SEED),1)

night: $(STAMP) ## The scripted night at length: five troubles shown, called and mended; APPLICATIONS=n.
	@HOSHO_NIGHT_APPLICATIONS=$(or $(APPLICATIONS),200) $(PYTHON) -m pytest -q -s tests/faults/test_night.py

breaks: $(STAMP) ## Break ten promises on purpose, in a copy, and see that each is caught; writes build/breaks.json.
	@$(PYTHON) -m tests.faults breaks

canary: $(STAMP) ## Raise a small storm and tell a story with known keys, then search everything for them; writes build/canary.json; PLANTED=1.
	@$(PYTHON) -m tests.faults canary --seed $(or $(SEED),1) $(if $(APPLICATIONS),--applications $(APPLICATIONS)) $(if $(PLANTED),--planted)

fuzz: $(STAMP) ## Hostile input at every door, counted; writes build/fuzz.json; SECONDS=n (at most 300) SEED=n.
	@HOSHO_FUZZ_SECONDS=$(or $(SECONDS),150) HOSHO_FUZZ_SEED=$(or $(SEED),1) $(PYTHON) -m pytest -q tests/fuzz

contracts: $(STAMP) ## Write the published contracts into docs/contracts: AsyncAPI, OpenAPI, JSON Schemas, examples.
	@$(PYTHON) -m deploy.contracts

diagram: $(STAMP) ## Write the life cycles of a guarantee into ARCHITECTURE.md.
	@$(PYTHON) -m deploy.diagram

sbom: $(STAMP) ## Write what this software is made of into build/sbom.json (CycloneDX).
	@$(PYTHON) -m deploy.sbom

overload: $(STAMP) ## Floods, garbage, slow clients, an absent ops: who waits, and does memory stay flat; WHAT=name.
	@$(PYTHON) -m tests.faults overload $(if $(WHAT),--what $(WHAT)) $(if $(APPLICATIONS),--applications $(APPLICATIONS))

bench: $(STAMP) ## The product beside its limit and its peers, ten minutes; writes build/bench.json.
	@$(PYTHON) -m bench whole

bench-quick: $(STAMP) ## The same in two short rounds.
	@$(PYTHON) -m bench quick

bench-growth: $(STAMP) ## The same on a large database, with a long backlog and with more processes.
	@$(PYTHON) -m bench growth

bench-journal: $(STAMP) ## A journal of a million entries: look-ups, pages, verification; writes build/journal.json; ENTRIES=n.
	@$(PYTHON) -m bench journal $(if $(ENTRIES),--entries $(ENTRIES))

bench-watched: $(STAMP) ## The product with ops, metrics and traces, and without them; writes build/bench-watched.json; ROUNDS=n.
	@$(PYTHON) -m bench watched $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(APPLICATIONS),--applications $(APPLICATIONS))

bench-report: $(STAMP) ## Draw what the last runs brought into docs/performance.md.
	@$(PYTHON) -m bench report

clean: ## Delete everything the runner and the set-up made, data too.
	@if [ -x $(PYTHON) ]; then $(PYTHON) -m deploy.local clean; fi
	@rm -rf .venv .run build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
