# What a person does with Longwave. `make` alone lists it.
# Set on the command line: make run PORT=8123 DATA=/some/folder HOST=0.0.0.0
# On more than one core: make run ARGS="--web-processes 4"
PORT = 8000
HOST = 127.0.0.1
DATA = var
ARGS =
PYTHON = .venv/bin/python

.PHONY: help run reload test check bench lock clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile

run: ## start everything on this machine (PORT, HOST, DATA)
	@bin/bootstrap runtime && LONGWAVE_DATA="$(DATA)" exec $(PYTHON) manage.py serve --host "$(HOST)" --port "$(PORT)" $(ARGS)

reload: ## the same for developing: restarts when code changes
	@bin/bootstrap dev && LONGWAVE_DATA="$(DATA)" exec $(PYTHON) manage.py serve --reload --host "$(HOST)" --port "$(PORT)" $(ARGS)

test: ## run the tests (ARGS="-k ranges")
	@exec bin/test $(if $(filter -n% --pdb,$(ARGS)),,-n auto --dist loadfile --no-loadscope-reorder) $(ARGS)

check: ## formatting, lint, types, imports, templates, migrations, locks
	@exec bin/check

bench: ## measure, against named peers (ARGS=...)
	@bin/bootstrap dev && bin/bootstrap bench && exec $(PYTHON) -m bench $(ARGS)

lock: ## pin the newest allowed versions in requirements/
	@bin/bootstrap dev && exec $(PYTHON) bin/locks.py write

clean: ## remove what can be made anew; never the data
	rm -rf .venv .venv-bench .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .schemathesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
