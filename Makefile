# make run | demo | test | bench | lint | sheet | clean
#
# FULL=1            the full set of packages (torch and friends); chosen by itself where an NVIDIA GPU is found
# PYTHON=python3.12 the Python to build the environment with (3.11 or later)
# VENV=.venv        where the environment is
# ARGS="..."        further arguments for the command at the end

PYTHON ?= python3
VENV   ?= .venv
FULL   ?= $(shell command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L 2>/dev/null | grep -q GPU && echo 1)
TEXT   ?= Hello! I am a portrait, and now I can talk. Type a sentence, and I will say it.
OUT    ?= out/demo.mp4

full   := $(filter-out 0 no false,$(FULL))
needs  := $(if $(full),requirements.txt,requirements-lite.txt)
marks  := $(if $(full),,-m "not full")
python := $(VENV)/bin/python
export TEXT

.PHONY: help run demo test bench lint sheet clean setup dev models

help:
	@sed -n '1,6s/^# \{0,1\}//p' Makefile

run: models
	$(python) app.py --open $(ARGS)

demo: models
	@mkdir -p "$(dir $(OUT))"
	$(python) -m linly render --text "$$TEXT" -o "$(OUT)" $(ARGS)
	@echo "Your video: $(abspath $(OUT))"

bench: models
	$(python) -m linly bench $(ARGS)

test: dev
	$(python) -m pytest $(marks) $(ARGS)

lint: dev
	$(python) -m ruff check .
	$(python) -m mypy

# contact sheets of every sample portrait, to look at after every change to the face
sheet: models
	@mkdir -p out
	$(python) tools/sheet.py out/poses.png $(ARGS)
	$(python) tools/sheet.py --of visemes --zoom mouth out/visemes.png $(ARGS)
	$(python) tools/sheet.py --of moods out/moods.png $(ARGS)

models: setup
	@$(python) -m linly weights pull --default

setup:
	@$(PYTHON) tools/setup.py --venv "$(VENV)" $(needs)

dev:
	@$(PYTHON) tools/setup.py --venv "$(VENV)" $(needs) requirements-dev.txt

# the environments and what tools left behind; models and videos stay
clean:
	rm -rf .venv .venv-* .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
