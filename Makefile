# The report and its figures.  `make help` lists what can be made.

BUILD := build
override BUILD := $(patsubst %/,%,$(BUILD))
HASH := \#
$(if $(filter-out 1,$(words $(BUILD)))$(findstring $(HASH),$(BUILD))$(findstring :,$(BUILD))$(findstring %,$(BUILD)),\
    $(error BUILD=$(BUILD) is no name of a folder without spaces, $(HASH), : and %; give one))
# Not the project or what it is in, and none of its folders: `make clean` removes it.
INSIDE := $(patsubst $(CURDIR)/%,%,$(BUILD:./%=%))
$(if $(filter . ..,$(subst /, ,$(BUILD:./%=%)))$(findstring <$(BUILD)/,<$(CURDIR)/)$(filter /,$(BUILD)),\
    $(error BUILD=$(BUILD) is no folder for what is built; name another))
$(if $(filter /%,$(INSIDE)),,$(if $(filter figures templates scripts report tests docs .venv .git .ci,\
    $(firstword $(subst /, ,$(INSIDE)))),$(error BUILD=$(BUILD) is no folder for what is built; name another)))
export BUILD MAKE_VERSION
PYTHON ?= python3

PY := .venv/bin/python
READY := .venv/.ready
MADE := $(BUILD)/made

# Nothing is written into the source folders; the packages in .venv are compiled already.
export PYTHONDONTWRITEBYTECODE := 1
# NumPy need not start a thread per core: there is no large matrix here.
export OPENBLAS_NUM_THREADS := 1

# A name is a word for Make and for the shell alike, whoever gave it.
ODD := figures/[A-Za-z0-9]*[!A-Za-z0-9_-]*.toml figures/[!A-Za-z0-9]*.toml
$(if $(wildcard $(ODD)),$(error A name in figures/ is no name of a figure: $(shell ls -qd $(ODD) 2>/dev/null); \
    rename it with letters, digits, _ and -))
ALL := $(patsubst figures/%.toml,%,$(sort $(wildcard figures/*.toml)))
FIGURES ?= $(ALL)
UNKNOWN := $(filter-out $(ALL),$(FIGURES))
$(if $(UNKNOWN),$(error There is no figures/$(firstword $(UNKNOWN)).toml; `make list` shows the figures))
# Figures whose files are gone since they were built.
GONE := $(filter-out $(ALL),$(patsubst $(MADE)/%.d,%,$(wildcard $(MADE)/*.d)))
# The last build of all figures has not come to its end.
CUT_OFF := $(if $(filter-out $(FIGURES),$(ALL))$(wildcard $(BUILD)/provenance.json),,yes)

# What every figure depends on: the code, its packages and the templates.
SHARED := $(READY) $(wildcard scripts/*.py scripts/*/*.py templates/*.*)

# The user's -j, -s and -k, where they are given.
JOBS = $(addprefix --jobs=,$(patsubst -j%,%,$(filter -j%,$(MAKEFLAGS))))
FLAGS = $(filter-out -%,$(firstword $(MAKEFLAGS)))
QUIET = $(if $(findstring s,$(FLAGS)),--quiet)
KEEP_GOING = $(if $(findstring k,$(FLAGS)),--keep-going)

# What commands are told on the command line of Make.  It is data: neither Make nor the shell
# expands it.
override DRAW_OPTIONS :=
override BENCH_OPTIONS :=
define OPTION
ifeq ($$(origin $(1)),command line)
override $(1) := $$(value $(1))
export $(1)
override $(2) += --$(3)="$$$$$(1)"
endif
endef
$(eval $(call OPTION,LAYER,DRAW_OPTIONS,layer))
$(eval $(call OPTION,INPUT,DRAW_OPTIONS,input))
$(eval $(call OPTION,ONNX,DRAW_OPTIONS,onnx))
$(eval $(call OPTION,NAME,DRAW_OPTIONS,name))
$(eval $(call OPTION,VALUES,DRAW_OPTIONS,values))
$(eval $(call OPTION,BASELINE,BENCH_OPTIONS,baseline))

.PHONY: FORCE report gifs all_animations pngs pdfs draw watch gallery test test-full bench lint format pins setup doctor list clean distclean help
.DEFAULT_GOAL := report
.SUFFIXES:

# Make finds out which figures are out of date, one by one: the recipe of each only puts it on the list,
# and a single process then builds the whole list, in parallel.
define GOAL
$(MADE)/%.$(1): figures/%.toml $(SHARED)
	$$(eval STALE += $$*)
endef
$(foreach goal,pdf png gif,$(eval $(call GOAL,$(goal))))
# A link that leads nowhere is the figure's own mistake to report.
$(ALL:%=figures/%.toml):
# Each figure's own rules: which figures it is made from, and which of its files are lost if not found.
lost = $(if $(filter-out $(wildcard $(1)),$(1)),FORCE)
-include $(wildcard $(MADE)/*.d)

build_figures = $(if $(STALE)$(GONE)$(CUT_OFF),\
    @$(PY) -m scripts.build --goal $(1) $(JOBS) $(QUIET) $(KEEP_GOING) $(if $(TRACE),--trace) -- $(or $(sort $(STALE)),$(FIGURES)),\
    $(if $(QUIET),@:,@echo "Figures up to date: $(words $(FIGURES))"))

gifs: $(FIGURES:%=$(MADE)/%.gif) ## all animations, with their PDFs and PNGs; FIGURES="a b" for some
	$(call build_figures,gif)

all_animations: gifs

pngs: $(FIGURES:%=$(MADE)/%.png) ## one PNG per frame
	$(call build_figures,png)

pdfs: $(FIGURES:%=$(MADE)/%.pdf) ## one PDF per frame
	$(call build_figures,pdf)

# What the report is made from besides the figures.  Git's own log is new with every commit, whose day the report bears.
TEXTS := CHANGELOG.md $(wildcard report/*.* report/*/*.* templates/*/*.* .git/logs/HEAD)

$(MADE)/report: $(ALL:%=$(MADE)/%.pdf) $(TEXTS) $(SHARED) $(call lost,$(BUILD)/report.pdf)
	$(eval REPORT := stale)

report: $(MADE)/report ## the report, build/report.pdf
	$(if $(STALE)$(GONE)$(CUT_OFF),$(call build_figures,pdf))
	$(if $(STALE)$(GONE)$(CUT_OFF)$(REPORT),@$(PY) -m scripts.report $(QUIET),\
	    $(if $(QUIET),@:,@echo "$(BUILD)/report.pdf is up to date."))

draw: $(READY) ## one layer, into build/draw: LAYER="Conv2d(1, 1, 3)" INPUT=5x7, or ONNX=model.onnx
	@$(PY) -m scripts.draw $(DRAW_OPTIONS)

watch: $(READY) ## build again whenever a file is saved, FIGURES="a b" or all and the report
	@$(PY) -m scripts.watch "BUILD=$(BUILD)" \
	    $(if $(findstring command,$(origin FIGURES)),gifs "FIGURES=$(FIGURES)",gifs report)

gallery: gifs ## the README's animations and their table, from the build
	@$(PY) -m scripts.gallery

setup $(READY): requirements.txt scripts/setup.py scripts/machine/needs.py ## what the build needs; NO_INSTALL=1 only names system packages
	@$(PYTHON) -m scripts.setup $(QUIET)

doctor: ## what the build needs, what there is of it, and how to get the rest
	@$(PYTHON) -m scripts.doctor

test: lint ## all tests
	@$(PY) -m pytest $(if $(QUIET),-q)

test-full: lint ## all tests, the long ones at full length
	@$(PY) -m pytest --full $(if $(QUIET),-q)

bench: $(READY) gifs ## measure the build; BASELINE=file.json compares with earlier results
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.txt
	@$(PY) -m scripts.bench $(BENCH_OPTIONS)

lint: $(READY) ## ruff and mypy
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check
	@$(PY) -m mypy

format: $(READY) ## lay out the Python code
	@$(PY) -m ruff check --fix
	@$(PY) -m ruff format

pins: $(READY) ## requirements.txt anew from requirements.in, with hashes
	@$(PY) -m pip install --quiet --disable-pip-version-check uv
	@$(PY) -m uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	    --no-header --no-emit-index-url requirements.in --output-file requirements.txt
	@$(PY) -m uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	    --no-header --no-emit-index-url requirements-bench.in --output-file requirements-bench.txt

list: ## the names of all figures
	@printf '%s\n' $(ALL)

clean: ## remove everything that was built
	rm -rf $(BUILD)

distclean: clean ## remove the Python packages too
	rm -rf .venv

help: ## this list
	@sed -n 's/^\([a-z][a-z_-]*\).*:.*## \(.*\)/\1|\2/p' $(firstword $(MAKEFILE_LIST)) | \
	    while IFS='|' read -r name text; do printf '  make %-15s %s\n' "$$name" "$$text"; done
	@echo 'With FIGURES="a b" only those figures, with -jN N figures at a time (default: all cores), with -s no talk,'
	@echo 'with TIME_LIMIT=N N seconds for each figure and the report instead of 120, with -k the valid figures in spite of'
	@echo 'wrong files, with TRACE=1 a trace of the build in $(BUILD)/trace.json, for https://ui.perfetto.dev.'

# One process builds all figures in parallel, so Make's own goals run one after the other.
.NOTPARALLEL:
