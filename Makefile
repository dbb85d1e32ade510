# The commands of daily work; `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help demo test chaos attacks fmt clippy

# rustup's folder, for shells that were opened before Rust was installed.
export PATH := $(PATH):$(HOME)/.cargo/bin

help: ## List these commands
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 16

demo: ## Run the provider, a mailbox and a sample health app here; ARGS="--help" shows the options
	scripts/setup demo
	cargo run --locked -- demo $(ARGS)

test: ## Install what the tests need, then run every check and test
	scripts/setup test
	scripts/test

chaos: ## Break nodes and services under load and count what goes wrong (about 20 minutes); ARGS="node-kill" for one fault
	scripts/setup chaos
	cargo test --locked --test chaos -- run $(ARGS)

attacks: ## Attack a demo of its own, or with ARGS="--url …" another server
	cargo bench --locked --profile dev --bench attacks -- $(ARGS)

fmt: ## Format the source
	cargo fmt

clippy: ## Show what the linter finds
	cargo clippy --locked --all-targets
