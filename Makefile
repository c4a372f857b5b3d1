# One front desk: `make` lists what there is.

CARGO ?= cargo
DATA ?= ./entente-data
SEEDS ?= 10000
NEXTEST_PROFILE ?= default
# The debug build that tests, simulator and client tests share.
BINARY := target/debug/entente

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test check format test-room sim conform bench bless advisories \
	build-tests test-tools room-tests simulate client-tests kill-test

help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## build the release and serve on ./entente-data (DATA=DIR LISTEN=ADDR)
	$(CARGO) run --release -p entente-server --bin entente -- serve --data $(DATA) $(if $(LISTEN),--listen $(LISTEN))

test: build-tests room-tests simulate client-tests kill-test ## everything: rooms, simulator, real clients, SIGKILL

check: ## formatting, lints, house rules, documents, licences
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	$(CARGO) xtask tidy
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --document-private-items --locked --quiet
	@$(CARGO) deny --version >/dev/null 2>&1 || $(CARGO) install --locked cargo-deny
	$(CARGO) deny --locked check -A unused-wrapper licenses bans sources

format: ## format every file
	$(CARGO) fmt --all

test-room: ## the tests of one crate: make test-room ROOM=vault
	@test -n "$(ROOM)" || { echo "say which room: make test-room ROOM=vault"; exit 2; }
	$(CARGO) nextest run -p entente-$(ROOM)

sim: ## one seeded history, told step by step: make sim SEED=42
	@test -n "$(SEED)" || { echo "say which seed: make sim SEED=42"; exit 2; }
	$(CARGO) run -p entente-simulator --bin simulate -- --seed $(SEED)

conform: ## what every backend and every custodian must pass
	$(CARGO) nextest run -p entente-clouds -p entente-custodians conform

bench: ## load a release build through the Box door; prints a table, writes JSON (scripts/bench.sh tells the settings)
	scripts/bench.sh

bless: ## accept what the snapshot tests saw; read the difference before you commit it
	INSTA_UPDATE=always INSTA_FORCE_PASS=1 $(CARGO) nextest run --workspace
	git status --short -- '*.snap'

advisories: ## known vulnerabilities of what we borrow (fetches the advisory database)
	$(CARGO) deny --locked check -A unused-wrapper advisories

# The parts of `make test`, in its order. Tests and program are one build with one set of features.

build-tests:
	$(CARGO) build --workspace --bins --tests --locked

room-tests:
	@if $(CARGO) nextest --version >/dev/null 2>&1 || $(CARGO) install --locked cargo-nextest; \
	then $(CARGO) nextest run --workspace --locked --profile $(NEXTEST_PROFILE); \
	else $(CARGO) test --workspace --locked; fi

simulate: build-tests
	target/debug/simulate --seeds $(SEEDS)

test-tools:
	scripts/install-test-tools.sh

client-tests: build-tests test-tools
	scripts/client-tests.sh $(BINARY)

kill-test: build-tests test-tools
	scripts/kill-test.sh $(BINARY)
	scripts/disk-full-test.sh $(BINARY)
