# Everything one does here. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
BUF_VERSION := 1.75.0
BUF := npx --yes @bufbuild/buf@$(BUF_VERSION)

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

.PHONY: demo
demo: ## Two services, a HubSpot and an audit stream, in one command
	$(CARGO) run -- demo

.PHONY: check
check: fmt clippy features proto-lint deny ## Formatting, lints, the wire, dependencies

.PHONY: fmt
fmt:
	$(CARGO) fmt --all --check

# What a build of the product never has: heavy tests, doors for the fuzzer, points at which it dies, a model checker's primitives.
HEAVY := hubkeep-tests/order,hubkeep-tests/disk,hubkeep-tests/interop,hubkeep-tests/isolation,hubkeep-tests/kills,hubkeep-tests/evidence,hubkeep-tests/anchors,hubkeep-tests/browser,hubkeep-tests/mcp
DOORS := hubkeep/fuzzing,hubkeep-core/fuzzing,hubkeep-core/dying,hubkeep-seal/fuzzing,hubkeep-audit-log/fuzzing,hubkeep-hubspot/fuzzing,hubkeep-crm-service/fuzzing,hubkeep-crm-service/dying
MODELS := hubkeep-audit-log/models,hubkeep-crm-service/models
.PHONY: clippy
clippy:
	$(CARGO) clippy --workspace --all-targets --features $(HEAVY),$(DOORS),$(MODELS),$(CLOUDS) -- -D warnings

# The operator's command must also build without the services in it.
.PHONY: features
features:
	$(CARGO) clippy -p hubkeep --no-default-features --all-targets -- -D warnings

.PHONY: proto-lint
proto-lint: ## Lint the .proto files
	@if command -v npx >/dev/null; then $(BUF) lint proto && $(BUF) format --diff --exit-code proto; \
	else echo "proto-lint: npx is not installed; skipped"; fi

.PHONY: deny
deny:
	@if $(CARGO) deny --version >/dev/null 2>&1; then $(CARGO) deny check bans licenses sources; \
	else echo "deny: cargo-deny is not installed; skipped"; fi

# Tests are built with the whole workspace, also where some of them run: another choice of packages is another choice of
# their dependencies' features, and builds all of those again.
.PHONY: test
test: postgres ## All tests but the heavy ones (WITH_CLOUDS=1 with AWS and Google Cloud built in, which needs `make moto`)
	$(CARGO) test --workspace --no-fail-fast $(if $(WITH_CLOUDS),--features $(CLOUDS))

# Whoever builds the clouds into the tests builds them into all, or what they stand on is built twice.
comma := ,
BUILT_IN = $(if $(WITH_CLOUDS),$(CLOUDS)$(comma))
.PHONY: built-in
built-in:
	@echo $(if $(WITH_CLOUDS),--features $(CLOUDS))

# The tests start a PostgreSQL of their own.
.PHONY: postgres
postgres:
	@command -v postgres >/dev/null || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 \
	|| { echo "the tests need PostgreSQL: apt-get install postgresql"; exit 1; }

.PHONY: test-order
test-order: ## By strace: the record is on disk before the first byte leaves and before the answer; kills and a failing disk at each step
	@command -v strace >/dev/null || { echo "test-order needs strace: apt-get install strace"; exit 1; }
	$(CARGO) test --workspace --features $(BUILT_IN)hubkeep-tests/order --test order -- --nocapture

.PHONY: test-disk
test-disk: ## By strace: the disk under the log fails, and crm-service is killed, at each write and each sync, one after the other
	@command -v strace >/dev/null || { echo "test-disk needs strace: apt-get install strace"; exit 1; }
	$(CARGO) test --workspace --features $(BUILT_IN)hubkeep-tests/disk --test disk -- --nocapture --test-threads 1

.PHONY: fuzz
fuzz: ## Hostile input for every reader, 20 s each (FUZZ_SECONDS=60; TARGETS="csv_import error_body" for some)
	tests/fuzz/run $(TARGETS)

.PHONY: test-models
test-models: ## By model checkers: revoked grants and the log's group commit in every order that matters
	$(CARGO) test --workspace --lib --features $(BUILT_IN)$(MODELS) models::

.PHONY: test-isolation
test-isolation: ## 1,000,000 calls to 1,000 portals amid rotations and revocations: none reaches another (PORTALS=, CALLS=)
	$(CARGO) test --release --workspace --features hubkeep-tests/isolation --test isolation -- $(or $(PORTALS),1000) $(or $(CALLS),1000000)

.PHONY: test-kills
test-kills: ## crm-service killed at six steps, and at any moment, of 1,000 writes of 15 kinds: none is done twice (WRITES=, ON=postgres for two replicas)
	$(CARGO) test --workspace --features $(BUILT_IN)hubkeep-tests/kills --test kills -- $(or $(WRITES),1000) $(or $(ON),sqlite)

.PHONY: test-points
test-points: ## crm-service dies at every point where a write can be found suspended, one after the other, for 15 kinds of write (KINDS=Merge,Erase, ON=postgres)
	$(CARGO) test --workspace --features $(BUILT_IN)hubkeep-tests/kills --test kills -- points $(or $(ON),sqlite) $(KINDS)

.PHONY: test-evidence
test-evidence: ## Bundles of evidence spoilt in every way, each found by hubkeep, by verify.py and by Go
	@command -v go >/dev/null || { echo "test-evidence needs Go 1.26"; exit 1; }
	@python3 -c 'import cryptography' 2>/dev/null || { echo "test-evidence needs Python 3.10 with cryptography"; exit 1; }
	$(CARGO) test --workspace --features $(BUILT_IN)hubkeep-tests/evidence --test evidence

.PHONY: test-mutants
test-mutants: ## Each check that keeps a call in its portal taken away in turn: a test must fail (MUTANTS="slug aad" for some)
	tests/mutants/run $(MUTANTS)

.PHONY: test-canaries
test-canaries: postgres ## 200 planted secrets, searched for in databases, dumps, logs and results in every disguise
	$(CARGO) test --workspace --test it canaries

# What AWS and Google Cloud need is large and left out elsewhere; moto stands for AWS. The credentials are none.
MOTO_VERSION := 5.2.1
test test-keys test-anchors: export AWS_ACCESS_KEY_ID := test
test test-keys test-anchors: export AWS_SECRET_ACCESS_KEY := test
test test-keys test-anchors: export AWS_EC2_METADATA_DISABLED := true
CLOUDS := hubkeep-tests/clouds
.PHONY: moto
moto:
	@command -v python3 >/dev/null || { echo "moto needs Python 3.10 with venv"; exit 1; }
	@target/keys/venv/bin/python -c 'import moto.server' 2>/dev/null \
	|| { python3 -m venv --system-site-packages target/keys/venv \
	&& target/keys/venv/bin/pip install --quiet 'moto[server]==$(MOTO_VERSION)'; }

.PHONY: test-keys
test-keys: postgres moto ## Key services, secret stores and anchors with AWS and Google Cloud built in, against moto and doubles
	$(CARGO) test --workspace --features $(CLOUDS) --lib --test it -- remote:: sources:: clouds:: cloud_stores:: secret_store
	$(CARGO) test --workspace --features $(CLOUDS),hubkeep-tests/anchors --test anchors

.PHONY: test-anchors
test-anchors: moto
	$(CARGO) test --workspace --features $(BUILT_IN)hubkeep-tests/anchors --test anchors

.PHONY: test-interop
test-interop: ## Other languages: clients in Go, Python and TypeScript, HubSpot's own clients and what they do through Hubkeep, grpcurl
	@missing=(); for tool in go node npm python3; do command -v $$tool >/dev/null || missing+=($$tool); done; \
	[ $${#missing[@]} -eq 0 ] || { echo "test-interop needs $${missing[*]}: Go 1.26, Node.js 20, Python 3.10 with venv"; exit 1; }
	BUF_VERSION=$(BUF_VERSION) $(CARGO) test --workspace --features $(BUILT_IN)hubkeep-tests/interop --test interop

.PHONY: test-browser
test-browser: ## The audit viewer in a real browser: filter, follow, a call with its proof; other sites kept out; pictures in target/browser
	@missing=(); for tool in node npm; do command -v $$tool >/dev/null || missing+=("$$tool"); done; \
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	|| command -v google-chrome-stable >/dev/null || missing+=(chromium); \
	[ $${#missing[@]} -eq 0 ] || { echo "test-browser needs $${missing[*]}: apt-get install chromium, and Node.js 20 with npm"; exit 1; }
	$(CARGO) test --workspace --features $(BUILT_IN)hubkeep-tests/browser --test browser

.PHONY: test-mcp
test-mcp: ## The official TypeScript client of MCP: signs in, lists the tools and calls them; needs node and npm
	@missing=(); for tool in node npm; do command -v $$tool >/dev/null || missing+=("$$tool"); done; \
	[ $${#missing[@]} -eq 0 ] || { echo "test-mcp needs $${missing[*]}: apt-get install nodejs npm"; exit 1; }
	$(CARGO) test --workspace --features $(BUILT_IN)hubkeep-tests/mcp --test mcp

.PHONY: test-compose
test-compose: ## The deployment of docs/deployment.md, really run, restarted under calls; needs root and about 10 minutes
	tests/compose/run

.PHONY: bench
bench: ## What Hubkeep costs, in about 15 min and 8 GiB: a table, and target/bench/report.json (FIGURES=redeem for a part; FIGURES=query ENTRIES=100000 for less)
	$(CARGO) build --release --package hubkeep-benches --package hubkeep-credential-service --package hubkeep-crm-service
	target/release/hubkeep-benches $(if $(ENTRIES),'$(FIGURES)' $(ENTRIES),$(FIGURES))
