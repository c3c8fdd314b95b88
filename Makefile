# `make demo` and `make test` set everything up by themselves; the rest helps while working.
.DEFAULT_GOAL := help
.PHONY: help demo test quick check bench kills chaos soak capture lock docs assets clean
bin := .venv/bin

help: ## Show this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

demo: ## Show the main job: two simulated rooms and a hub (DEMO_ONCE=1: run once, print a summary)
	@requirements/install demo
	@$(bin)/python -m tests.journey.demo

test: ## Run every test
	@requirements/install test
	@$(bin)/python -m pytest -m "not alone" -n 2 --dist loadfile
	@$(bin)/python -m pytest -m alone --durations 15

quick: ## Run the tests that take less than ten seconds each
	@requirements/install test
	@$(bin)/python -m pytest -m "not slow and not alone" -n 2 --dist loadfile

check: ## Format, lint, types, architecture, dependencies, locks
	@requirements/install demo
	@$(bin)/ruff format --check .
	@$(bin)/ruff check .
	@$(bin)/mypy
	@$(bin)/lint-imports
	@for member in shared/forge_shared shared/forge_language edge hub; do (cd $$member && "$(CURDIR)/$(bin)/deptry" .) || exit 1; done
	@requirements/lock --check

bench: ## Print every figure of docs/benchmarks.md, one JSON line each
	@requirements/install test
	@for program in benchmarks/*.py; do $(bin)/python $$program || exit 1; done

kills: ## Kill 1,000 rooms at random points of forms, and count the answers that are lost or changed
	@requirements/install test
	@$(bin)/python benchmarks/form_kills.py

chaos: ## Let everything between 50 rooms and the hub fail while 60,000 events are made, then the power of both; print reports
	@requirements/install test
	@$(bin)/python -m tests.journey.chaos
	@$(bin)/python -m tests.journey.chaos --power --alerts 2000 --records 10000 --strikes 20

soak: ## Let eight hours pass, accelerated, in a room in which things happen all the time; print a report
	@requirements/install test
	@$(bin)/python -m tests.journey.soak

capture: ## Capture every packet of a node in an hour of use, accelerated (as root); print whom they went to
	@requirements/install test
	@$(bin)/python -m tests.journey.capture

lock: ## Write the hashed locks anew
	@UV=$(bin)/uv requirements/lock

docs: ## Generate docs/schemas and docs/reference.md
	@requirements/install demo
	@$(bin)/python docs/generate.py

assets: ## Fetch the pages' scripts by lock
	@hub/assets

clean: ## Remove what was built and installed here
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis hub/node_modules hub/forge_hub/web/static/vendor var
