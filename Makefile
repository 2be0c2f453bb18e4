# Two commands for a newcomer: make dev, and make test. The rest: make help.

# What make check holds, and CI runs step by step (.ci/run).
CHECKS := lint test build

PKG      ?= ./...
FUZZTIME ?= 30s
COUNT    ?= 10
OUT      ?= after.out
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT   ?= $(shell git rev-parse HEAD 2>/dev/null)

# The linters have a module file of their own, so that what they need never
# raises a version of the product's.
TOOL := go tool -modfile=.ci/tools.mod

.DEFAULT_GOAL := help
.PHONY: help dev test race chaos fair bench bench-readme bench-go bench-compare fuzz lint fmt vuln zoneinfo golden build check checks setup

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

dev: ## Run everything with a sample practice, on http://127.0.0.1:8080 (ends with Ctrl-C, keeps nothing)
	@.ci/need postgresql
	go build -buildvcs=false -o rappel ./cmd/rappel
	@./rappel dev

test: ## All tests, with the race detector, on PostgreSQL, Redis, Chromium and promtool
	@.ci/need gcc postgresql redis chromium promtool
	go test -race -shuffle=on -timeout=15m $(PKG)

race: ## All tests five times over, for what fails only sometimes
	@.ci/need gcc postgresql redis chromium promtool
	go test -race -shuffle=on -timeout=30m -count=5 $(PKG)

chaos: ## Everything that can be killed, emptied or cut, and the README's table of it (CHAOS="-scenario=Redis -seed=1": some of it, again)
	@.ci/need postgresql redis
	go test ./internal/chaos -run=TestCampaign -count=1 -timeout=60m -v -args -full $(or $(CHAOS),-update)

fair: ## How long a lone event takes while 20,000 reminders of another practice wait
	@.ci/need postgresql redis
	go test ./internal/behaviour -run=TestALoneEvent -count=1 -v -args -others=20000

bench: ## How fast it is here, beside other designs, in under two minutes (rappel bench --help: the long way)
	@.ci/need postgresql redis
	go run ./cmd/rappel bench pipeline --events=5000 --rounds=2
	go run ./cmd/rappel bench pipeline --lone --events=25
	go run ./cmd/rappel bench sweep --appointments=100000 --practices=2000 --burst=10000
	go run ./cmd/rappel bench footprint --burst=2000 --starts=3 --rest=5s
	go test ./templates -run='^$$' -bench='^BenchmarkTextAgainst$$' -benchtime=0.5s

bench-readme: ## All of it in full size, and the README's tables of it; wants the machine for itself
	@.ci/need postgresql redis
	go test ./internal/bench -run='^TestWriteTheReadme$$' -count=1 -timeout=3h -v -args -update

bench-go: ## The Go benchmarks, for bench-compare (OUT=before.out, without it after.out; PKG=./templates; COUNT=10)
	go test $(PKG) -run='^$$' -bench=. -benchmem -count=$(COUNT) | tee $(OUT)
	@! grep -q '^FAIL' $(OUT)

bench-compare: ## What a change made of them: before.out beside after.out, and whether it is more than noise
	$(TOOL) benchstat before.out after.out

fuzz: ## Each fuzz target for FUZZTIME (30s)
	@found=$$(go test -list '^Fuzz' $(PKG)) || { echo "$$found"; exit 1; }; \
	echo "$$found" | awk '/^Fuzz/ {name[n++] = $$1} /^ok/ {while (n) print $$2, name[--n]}' | \
	while read -r package name; do \
		echo "go test -run=^$$ -fuzz=^$$name\$$ -fuzztime=$(FUZZTIME) $$package"; \
		go test -run='^$$' -fuzz="^$$name\$$" -fuzztime=$(FUZZTIME) "$$package" || exit 1; \
	done

lint: ## Vet, linters, formatting, and no module missing or too many
	go mod tidy -diff
	go vet ./...
	$(TOOL) golangci-lint run ./...

fmt: ## Format (gofumpt, imports) and modernise
	$(TOOL) golangci-lint fmt ./...
	go fix ./...

vuln: ## Known vulnerabilities in what we link (asks the Go project's database)
	go run golang.org/x/vuln/cmd/govulncheck@v1.1.4 ./...

zoneinfo: ## Refresh the copy of the time zone data in the binary from Debian's newest package (on Debian)
	folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && chmod 755 "$$folder" && \
	apt-get update && cd "$$folder" && apt-get download tzdata && dpkg-deb --extract tzdata_*.deb . && cd - && \
	go run ./internal/zoneinfo/pack "$$folder/usr/share/zoneinfo" > "$$folder/zoneinfo.zip" && \
	mv "$$folder/zoneinfo.zip" internal/zoneinfo/ && head -n 1 "$$folder/usr/share/zoneinfo/tzdata.zi"

golden: ## Rewrite the golden files of the templates; then read the diff
	go test ./templates -update

# What git says is asked above: the toolchain's own question fails the build
# where the folder is another user's, as in a container.
build: ## The static binary, ./rappel
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)' -o rappel ./cmd/rappel

check: $(CHECKS) ## What CI runs

checks:
	@echo $(CHECKS)

setup: ## Install what dev, test and lint need, now instead of when they need it
	@.ci/need gcc postgresql redis chromium promtool
	go mod download
	$(TOOL) golangci-lint version
