# make          builds bin/lighter (make help lists the rest)
# The logic is in build/*.sh; every go command runs in the environment that make env prints.
SHELL := bash
MAKEFLAGS += --no-print-directory
.NOTPARALLEL:
.DEFAULT_GOAL := build

ENV  := eval "$$(build/env.sh)" &&
export CUDA VERIFY LIBTORCH LIBTORCH_VERSION

.PHONY: help setup env build fit test soak bench bench-peer fixtures docs matrix dist clean clean-cache

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20
	@echo '  CUDA=1 LIBTORCH=/path VERIFY=1 go with any of them: see setup'

setup: ## get libtorch (CUDA=1: with the CUDA libraries; LIBTORCH=/path: use that one; VERIFY=1: check every sum)
	@build/setup.sh

env: setup ## print what plain go build, go test and an editor need: eval "$(make env)"
	@build/env.sh

build: setup ## build bin/lighter
	@build/build.sh bin/lighter

fit: build ## train the digits example and print its test accuracy
	bin/lighter fit configs/digits.yaml
	bin/lighter test configs/digits.yaml --ckpt_path best

test: setup ## the whole gate: format, vet, staticcheck, all tests
	@$(ENV) build/test.sh

soak: setup ## what is too long for test: long runs, fuzzing, the other libtorch
	@$(ENV) build/soak.sh

bench: build ## the speed table
	@$(ENV) bench/run.sh

bench-peer: build ## the speed table beside Python's Lighter (makes a venv)
	@$(ENV) bench/peer.sh

fixtures: ## make the golden files of the tests again, with PyTorch (makes a venv)
	bench/peer.sh fixtures && bench/peer.sh python testdata/fixtures/known.py && bench/peer.sh python testdata/fixtures/functions.py

docs: build ## make the generated pages of docs/ again
	@$(ENV) go generate ./...

matrix: ## run the tensor tests against every libtorch that is supported
	@build/matrix.sh

dist: ## make an installable archive in dist/ (CUDA=1: with the CUDA libraries)
	@build/dist.sh

clean: ## remove what was built in this checkout
	rm -rf bin dist

clean-cache: ## remove the downloaded libtorch, for all checkouts
	@build/clean-cache.sh
