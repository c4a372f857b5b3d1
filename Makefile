# One front desk: `make` lists what there is.

CARGO ?= cargo
DATA ?= ./entente-data
SEEDS ?= 10000
NEXTEST_PROFILE ?= default
# The debug build that tests, simulator and client tests share.
BINARY := target/debug/entente

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run ui web-tests test check format test-room sim conform bench bless advisories \
	build-tests test-tools server-tools test-servers room-tests room-tests-postgres simulate client-tests contract-test kill-test \
	canary-test relocate-test outage-test tour tour-test all-tests

help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ui ## build the release and serve on ./entente-data (DATA=DIR LISTEN=ADDR)
	$(CARGO) run --release -p entente-server --bin entente -- serve --data $(DATA) $(if $(LISTEN),--listen $(LISTEN))

test: build-tests test-tools ## everything: rooms, simulator, real clients, SIGKILL, drills; on real servers, stopped at the end
	scripts/test-servers.sh run -- $(MAKE) --no-print-directory all-tests

check: ui ## formatting, lints, house rules, documents, licences
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	$(CARGO) xtask tidy
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --document-private-items --locked --quiet
	@$(CARGO) deny --version >/dev/null 2>&1 || $(CARGO) install --locked cargo-deny
	$(CARGO) deny --locked check -A unused-wrapper licenses bans sources
	cd ui && npm run --silent check

format: ui ## format every file
	$(CARGO) fmt --all
	cd ui && npm run --silent format

ui: ## build the web app, which goes into the program (needs Node)
	scripts/build-ui.sh

test-room: ## the tests of one crate: make test-room ROOM=vault
	@test -n "$(ROOM)" || { echo "say which room: make test-room ROOM=vault"; exit 2; }
	@! grep -q -s -E '^entente-(emulators|testkit)\.' crates/$(ROOM)/Cargo.toml || scripts/install-test-tools.sh servers
	$(CARGO) nextest run -p entente-$(ROOM)

sim: ## one seeded history, told step by step: make sim SEED=42
	@test -n "$(SEED)" || { echo "say which seed: make sim SEED=42"; exit 2; }
	$(CARGO) run -p entente-simulator --bin simulate -- --seed $(SEED)

test-servers: server-tools ## install and start the servers that tests talk to; they stop two hours after their last use
	scripts/test-servers.sh start
	scripts/test-servers.sh status

conform: server-tools ## what every backend and every custodian must pass
	$(CARGO) nextest run -p entente-clouds -p entente-custodians conform

.PHONY: fuzz
TARGET ?= wire
SECONDS ?= 60
fuzz: ## arbitrary bytes for a door or a parser, with a nightly compiler: make fuzz TARGET=box_door SECONDS=600
	$(CARGO) +nightly fuzz --version >/dev/null 2>&1 || $(CARGO) install --locked cargo-fuzz
	mkdir -p fuzz/corpus/$(TARGET) fuzz/seeds/$(TARGET)
	cd fuzz && $(CARGO) +nightly fuzz run $(TARGET) corpus/$(TARGET) seeds/$(TARGET) -- -max_total_time=$(SECONDS)

tour: ## five minutes of Entente: three emulated clouds, and one command moves everything while a client uploads
	scripts/tour.sh

bench: ## load a release build through the Box door; prints a table, writes JSON (scripts/bench.sh tells the settings)
	scripts/bench.sh

bless: ## accept what the snapshot tests saw; read the difference before you commit it
	INSTA_UPDATE=always INSTA_FORCE_PASS=1 $(CARGO) nextest run --workspace
	git status --short -- '*.snap'

advisories: ## known vulnerabilities of what we borrow (fetches the advisory database)
	$(CARGO) deny --locked check -A unused-wrapper advisories

# The parts of `make test`, in its order. Tests and program are one build with one set of features.

build-tests: ui
	$(CARGO) build --workspace --bins --tests --locked

all-tests: room-tests room-tests-postgres simulate web-tests client-tests contract-test kill-test canary-test relocate-test outage-test tour-test

room-tests:
	@if $(CARGO) nextest --version >/dev/null 2>&1 || $(CARGO) install --locked cargo-nextest; \
	then $(CARGO) nextest run --workspace --locked --profile $(NEXTEST_PROFILE); \
	else $(CARGO) test --workspace --locked; fi

# The rooms that keep something in the database, once more, with it on a server. A filter and not `-p`: fewer packages
# would be another set of features, and another build.
room-tests-postgres:
	ENTENTE_TEST_DATABASE=postgres $(CARGO) nextest run --workspace --locked --profile $(NEXTEST_PROFILE) \
	  -E 'package(/^entente-(database|vault|jobs|identity|tree|door-box)$$/)'

simulate: build-tests
	target/debug/simulate --seeds $(SEEDS)

test-tools:
	scripts/install-test-tools.sh all

server-tools:
	scripts/install-test-tools.sh servers

client-tests: build-tests
	scripts/client-tests.sh $(BINARY)

web-tests: build-tests ## people use the web app, in Chromium; pictures of the screens are in target/web/screens
	scripts/web-tests.sh $(BINARY)

contract-test: build-tests ## requests made out of Box's own description: no 5xx, and nothing that is not as described
	scripts/contract-test.sh $(BINARY)

kill-test: build-tests
	scripts/kill-test.sh $(BINARY)
	scripts/disk-full-test.sh $(BINARY)

# The drills: the program as a process of its own, on emulated clouds, under load.

canary-test: build-tests ## nothing of one zone is ever in another: marked files, and every byte is searched
	scripts/canary-test.sh $(BINARY)

relocate-test: build-tests ## everything moves between clouds under load, and the mover is killed
	scripts/relocate-test.sh $(BINARY)

outage-test: build-tests ## one of two clouds fails again and again under load
	scripts/outage-test.sh $(BINARY)

tour-test: build-tests
	TOUR_SECONDS=3 TOUR_PAUSE=0 scripts/tour.sh $(BINARY)
