# `make demo` and `make test` set everything up by themselves; the rest helps while working.
.DEFAULT_GOAL := help
.PHONY: help demo models test quick check bench kills chaos passes soak install-test capture lock docs assets clean
bin := .venv/bin

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo: ## Show the main job: two simulated rooms and a hub (DEMO_ONCE=1: run once, print a summary)
	@requirements/install demo
	@$(bin)/python -m tests.journey.demo

models: ## Make what is made of others' packages: the pose networks, and the sentence encoder in a cache
	@requirements/install demo
	@$(bin)/forge-hub train encoder

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

kills: ## Kill 1,000 rooms at random points of forms, hurt ears and eyes 100 times, end updates at 200 points in four ways
	@requirements/install test
	@$(bin)/python benchmarks/form_kills.py
	@$(bin)/python benchmarks/child_kills.py --times 100
	@$(bin)/python benchmarks/update_kills.py --times 200

chaos: ## Let everything between 50 rooms and the hub fail while 60,000 events are made, then the power of both; print reports
	@requirements/install test
	@$(bin)/python -m tests.journey.chaos
	@$(bin)/python -m tests.journey.chaos --power --alerts 2000 --records 10000 --strikes 20

passes: ## Kill the import of a transcript of 5,000 turns at 20 points, embedded and on Neo4j, and try 2,000 damaged files
	@requirements/install test
	@$(bin)/python -m tests.journey.transcripts --neo4j

soak: ## Let eight hours pass, accelerated, in a room in which things happen all the time; print a report
	@requirements/install test
	@$(bin)/python -m tests.journey.soak

install-test: ## Let a fresh Debian become a node by the documented line, restart it in every way (as root); print a report
	@requirements/install test
	@$(bin)/python -m tests.journey.installation

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
