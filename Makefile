# Candor. `make` alone lists what there is.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

# A checkout owned by someone else must build as well; the version comes from
# the line above, not from what the toolchain would stamp.
export GOFLAGS := $(strip $(filter-out -buildvcs=%,$(GOFLAGS)) -buildvcs=false)
# Servers that tests start are installed here by .ci/setup.
export PATH := $(CURDIR)/.cache/bin:$(PATH)

.PHONY: help run demo build test month bench lint vet format clean setup compose

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: setup build ## install what is missing, build, start with a pretend city (ARGS="--addr :9000" to change)
	bin/candor serve --sample $(ARGS)

demo: run ## the same as run

build: ## build bin/candor, one static binary
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/candor ./cmd/candor

# The race detector watches our code and everything that synchronises. These
# libraries only compute, in one goroutine or under their callers' locks; watched
# too, they made the tests take twice as long.
UNWATCHED := modernc.org/... compress/... image/... golang.org/x/crypto/... golang.org/x/image/...

test: export GOFLAGS += $(patsubst %,-gcflags=%=-race=false,$(UNWATCHED))
test: ## install what is missing and run every test with the race detector (PKG=./storage/... RUN=TestName to narrow)
	.ci/setup test
	$(MAKE) --no-print-directory format vet VETFLAGS=-race
	go run ./internal/housetest/cmd/testrun $(if $(RUN),-run '$(RUN)') $(PKG)

month: ## play a month of five hundred posts and five thousand comments on every platform (RUN=youtube for one)
	CANDOR_MONTH=full go test -count=1 -timeout 2h -v -run 'TestAMonthIsArchivedExactly/$(RUN)' ./crawler

# About a quarter of an hour on two cores. For the figures of docs/fidelity.md:
# make bench REPEATS=3 CAPTURES=1000, on a machine that does nothing else.
bench: export CANDOR_BENCH_REPEATS := $(or $(REPEATS),1)
bench: export CANDOR_BENCH_CAPTURES := $(or $(CAPTURES),250)
bench: ## run every benchmark; those of captures leave tables and pictures in bench-out (REPEATS=3 CAPTURES=1000 for real figures)
	.ci/setup run
	go test -run '^$$' -bench . -benchmem $$(go list ./... | grep -v /render/fidelity)
	go test -run '^$$' -bench . -timeout 4h -v ./render/fidelity

lint: format vet ## gofmt, go vet, and golangci-lint where it is installed
	@if command -v golangci-lint >/dev/null; then golangci-lint run; \
	else echo "lint: golangci-lint is not installed; gofmt and go vet were content" >&2; fi

compose: ## make the secrets docker-compose.yml needs, where there are none yet
	.ci/secrets

clean: ## remove what was built; archives in data and data-sample stay
	rm -rf bin bench-out .cache

setup:
	@.ci/setup run

# `make test` vets with the flags it tests with, so that everything is compiled
# once; on a clean machine that saves minutes.
vet:
	go vet $(VETFLAGS) ./...

format:
	@found=$$(gofmt -l $$(find . -name '*.go' -not -path './.cache/*')); \
	if [ -n "$$found" ]; then echo "gofmt -w these:" >&2; echo "$$found" >&2; exit 1; fi
