# The handful of tasks; all of them run inside the active environment.
.PHONY: test lint format coverage docs benchmark ci

test:            ## the whole suite
	python -m pytest

lint:            ## everything that CI checks besides the tests
	ruff check . && ruff format --check . && mypy && lint-imports

format:          ## let ruff rewrite
	ruff check --fix . && ruff format .

coverage:        ## kernels as plain Python, so that their lines count
	NUMBA_DISABLE_JIT=1 coverage run -m pytest tests/unit && coverage report

docs:            ## the site, into build/docs: pip install -e '.[docs]' first
	mkdocs build --strict

benchmark:       ## on demand: pip install -e '.[bench]' first
	python -m pytest benchmarks --report

ci:              ## what a submission must pass, in a fresh environment
	bash .ci/run
