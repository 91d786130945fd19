# `make` lists what there is to do. It works with GNU make 3.81, which macOS has.

SHELL := /bin/sh
STEP  := @script/step.sh
TOOL  := go tool -modfile=script/tools/go.mod
# Not npm --prefix: that also moves where npm looks for the machine's own configuration.
NPM   := script/in.sh web npm

# Without the codec of a format that nobody is answered in: of all libraries only one takes longer to compile.
export GOFLAGS := $(strip $(shell go env GOFLAGS 2>/dev/null) -tags=nomsgpack)

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

WEB_INSTALLED := web/node_modules/.package-lock.json
WEB_BUILT     := web/dist/customer.html
WEB_SOURCES   := $(shell find web -type d \( -name node_modules -o -name dist -o -name test \) -prune -o -type f ! -name '*.go' -print)

# What a change must survive: each kind of fault once, in two to three minutes. make chaos has the rest, and the slow ones.
CHAOS_SHORT := F0,F1,F2,F4b,F8,F9,F10,F14,F15,F16,F19,F20,F21,F28,F34

# standard-verbose names each test that passes, too. In either, what failed is said once more at the end.
GOTESTFORMAT := standard-quiet

# Packages that have benchmarks, and that count costs: the tests of the others would be compiled and linked for nothing.
BENCHED  = $(sort $(dir $(shell grep -rl --include='*_test.go' --exclude-dir=node_modules '^func Benchmark' .)))
BUDGETED = $(sort $(dir $(shell grep -rl --include='*_test.go' --exclude-dir=node_modules '^func TestBudget' .)))

# lint vets everything, and more strictly than go test would, for each kind of build anew.
TESTFLAGS := -vet=off

# For each target: a duration, or a number of executions such as 500x, which is a quick look.
FUZZTIME := 1m

# A file that was half made must not pass for made.
.DELETE_ON_ERROR:
# The steps print, and two at once would fight for a small machine.
.NOTPARALLEL:
.PHONY: help demo test check budgets fuzz chaos chaos-mutations bench web build lint go-test chaos-build chaos-short fuzz-short bench-once setup-demo setup-test

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

demo: setup-demo build ## run everything on this machine, with couriers that move; ARGS are for hotfoot demo
	@exec bin/hotfoot demo $(ARGS)

test: setup-test build go-test ## run all tests, against real Postgres, Redis and Chromium
	$(STEP) 'Testing the pages, in Node and in Chromium' script/test-pages.sh

check: lint test budgets fuzz-short chaos-short bench-once ## run everything that a change must pass; CI runs this

chaos: setup-demo chaos-build ## break a deployment in every way that is known, and check its promises; ARGS are for chaos
	@exec bin/chaos --hotfoot bin/hotfoot-failpoints $(ARGS)

chaos-mutations: setup-demo chaos-build ## put known faults into the source, and check that chaos notices each; ARGS are for chaos mutations
	@exec bin/chaos mutations $(ARGS)

budgets: setup-test web ## count what a frame, a socket and a report cost, against what they may
	$(STEP) 'Counting what a frame, a socket and a report cost' go test $(TESTFLAGS) -run '^TestBudget' -count 1 -v $(BUDGETED)

fuzz: setup-test web ## try what outside input can do, each target for FUZZTIME (1m); ARGS for a pattern of names
	$(STEP) 'Fuzzing each target for $(FUZZTIME)' script/fuzz.sh $(FUZZTIME) $(ARGS)

bench: setup-demo build ## measure what it costs, in short and everything; ARGS are for hotfoot bench: ARGS=all for the long form
	@exec bin/hotfoot bench $(or $(ARGS),all --short)

web: $(WEB_BUILT) ## build the pages

build: web ## compile bin/hotfoot
	$(STEP) 'Compiling hotfoot$(if $(wildcard bin/hotfoot),, (the first time takes about a minute))' \
		go build -buildvcs=false -ldflags '-X main.version=$(VERSION)' -o bin/hotfoot ./cmd/hotfoot

lint: setup-test $(WEB_INSTALLED) ## look for mistakes without running anything
	$(STEP) 'Checking the format of the Go files' script/lint-format.sh
	$(STEP) 'Vetting' go vet ./...
	$(STEP) 'Vetting what is built for the chaos suite' go vet -tags failpoints,nomsgpack ./cmd/hotfoot
	$(STEP) 'Checking the types as macOS has them' go run -C script/tools ./typecheck darwin ../..
	$(STEP) 'Checking with staticcheck' $(TOOL) staticcheck ./...
	$(STEP) 'Checking go.mod' go mod tidy -diff
	$(STEP) 'Looking for known vulnerabilities in what this stands on' script/lint-vulnerabilities.sh
	$(STEP) 'Checking the TypeScript' $(NPM) run lint

# Steps of the targets above.

setup-demo:
	@script/setup.sh demo

setup-test:
	@script/setup.sh test

go-test:
	$(STEP) 'Testing the server, with the race detector' $(TOOL) gotestsum --format $(GOTESTFORMAT) -- $(TESTFLAGS) -race ./...

chaos-build: web
	$(STEP) 'Compiling hotfoot with failpoints' go build -buildvcs=false -tags failpoints,nomsgpack -o bin/hotfoot-failpoints ./cmd/hotfoot
	$(STEP) 'Compiling chaos' go build -buildvcs=false -o bin/chaos ./cmd/chaos

chaos-short: chaos-build
	@echo '==> Breaking a deployment under load, in short'
	@exec bin/chaos --hotfoot bin/hotfoot-failpoints --retry --only $(CHAOS_SHORT)

fuzz-short: web
	$(STEP) 'Fuzzing each target in short' script/fuzz.sh 200x

bench-once:
	$(STEP) 'Running each benchmark once' go test $(TESTFLAGS) -run '^$$' -bench . -benchtime 1x $(BENCHED)

# npm writes this file when it has installed everything.
$(WEB_INSTALLED): web/package.json web/package-lock.json
	$(STEP) 'Installing what the pages are built with' $(NPM) ci --no-fund --no-audit --loglevel error
	@touch $@

$(WEB_BUILT): $(WEB_INSTALLED) $(WEB_SOURCES)
	$(STEP) 'Building the pages' $(NPM) run build
