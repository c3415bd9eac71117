# The report and its figures.  `make help` lists all goals.

BUILD := build
override BUILD := $(patsubst %/,%,$(BUILD))
HASH := \#
$(if $(filter-out 1,$(words $(BUILD)))$(findstring $(HASH),$(BUILD))$(findstring :,$(BUILD))$(findstring %,$(BUILD)),\
    $(error BUILD=$(BUILD) cannot be used: give a folder's name without spaces, $(HASH), : and %))
# Not the project, a folder that contains it, or one of its own folders: `make clean` removes BUILD.
REFUSE = $(error BUILD=$(BUILD) would let make clean remove the project's own files; name another folder)
INSIDE := $(patsubst $(CURDIR)/%,%,$(BUILD:./%=%))
$(if $(filter . ..,$(subst /, ,$(BUILD:./%=%)))$(findstring <$(BUILD)/,<$(CURDIR)/)$(filter /,$(BUILD)),$(REFUSE))
$(if $(filter /%,$(INSIDE)),,$(if $(filter figures templates scripts report tests docs .venv .git .github .ci,\
    $(firstword $(subst /, ,$(INSIDE)))),$(REFUSE)))
export BUILD MAKE_VERSION
PYTHON ?= python3

PY := .venv/bin/python
READY := .venv/.ready
# What only some goals need is installed by them, from requirements-NAME.txt: .venv/.NAME.

# NumPy need not start a thread per core: there is no large matrix here.
export OPENBLAS_NUM_THREADS := 1

# The user's -j, -s and -k.
JOBS = $(addprefix --jobs=,$(patsubst -j%,%,$(filter -j%,$(MAKEFLAGS))))
FLAGS = $(filter-out -%,$(firstword $(MAKEFLAGS)))
QUIET = $(if $(findstring s,$(FLAGS)),--quiet)
KEEP_GOING = $(if $(findstring k,$(FLAGS)),--keep-going)
OPTIONS = $(JOBS) $(QUIET) $(KEEP_GOING) $(if $(TRACE),--trace)

# Values from the command line are data: neither Make nor the shell expands them.
override DRAW_OPTIONS :=
override BENCH_OPTIONS :=
override SOLVE_OPTIONS :=
override EXPLAIN_OPTIONS :=
override BUILD_OPTIONS :=
define OPTION
ifeq ($$(origin $(1)),command line)
override $(1) := $$(value $(1))
export $(1)
$(if $(2),override $(2) += $(3)"$$$$$(1)")
endif
endef
$(eval $(call OPTION,FIGURES,BUILD_OPTIONS,-- ))
$(eval $(call OPTION,LAYER,DRAW_OPTIONS,--layer=))
$(eval $(call OPTION,INPUT,DRAW_OPTIONS,--input=))
$(eval $(call OPTION,ONNX,DRAW_OPTIONS,--onnx=))
$(eval $(call OPTION,FILE,DRAW_OPTIONS,--file=))
$(eval $(call OPTION,NAME,DRAW_OPTIONS,--name=))
$(eval $(call OPTION,VALUES,DRAW_OPTIONS,--values=))
$(eval $(call OPTION,VIEW,DRAW_OPTIONS,--view=))
$(eval $(call OPTION,FRAMES,DRAW_OPTIONS,--frames=))
$(eval $(call OPTION,FORMATS,DRAW_OPTIONS,--formats=))
$(eval $(call OPTION,OUTPUT,SOLVE_OPTIONS,--output=))
$(eval $(call OPTION,LAYERS,EXPLAIN_OPTIONS,--layers=))
$(eval $(call OPTION,ERROR,EXPLAIN_OPTIONS,--error=))
$(eval $(call OPTION,BASELINE,BENCH_OPTIONS,--baseline=))
$(eval $(call OPTION,THEME))
$(eval $(call OPTION,BACKGROUND))
$(eval $(call OPTION,SCALE))

# Each module in scripts/formats/ is a format NAME, made by `make NAMEs`.
FORMAT_GOALS := $(patsubst scripts/formats/%.py,%s,$(filter-out %/__init__.py,$(wildcard scripts/formats/*.py)))

.PHONY: report $(FORMAT_GOALS) everything all_animations draw explain verify solve watch gallery site serve test test-full bench lint format pins setup doctor list \
    clean distclean help
.DEFAULT_GOAL := report
.SUFFIXES:

# A shell between Make and a command would end alone when Make is terminated, hence exec.
report: $(READY) ## the report, build/report.pdf
	@exec $(PY) -m scripts.report $(OPTIONS)

# gifs: ## all animations, with their PDFs and PNGs; FIGURES="a b" for some
# pngs, pdfs, svgs: ## one PNG, PDF or SVG per frame; svgs are also animated
# sheets, slides: ## all frames on pages for print; slides for beamer
# webps, apngs, mp4s: ## animations as WebP, animated PNG or video
$(FORMAT_GOALS): $(READY)
	@exec $(PY) -m scripts.build --format=$(@:s=) $(OPTIONS) $(BUILD_OPTIONS)

mp4s: .venv/.mp4

# What the report alone needs is no format for others; a video cannot be transparent.
EVERY := $(filter-out strip $(if $(findstring transparent,$(BACKGROUND)),mp4),$(FORMAT_GOALS:s=))
everything: $(READY) $(if $(filter mp4,$(EVERY)),.venv/.mp4) ## all figures in all formats
	@exec $(PY) -m scripts.build --format="$(EVERY)" $(OPTIONS) $(BUILD_OPTIONS)

all_animations: gifs

draw: $(READY) $(if $(findstring mp4,$(FORMATS) $(FILE)),.venv/.mp4) $(if $(filter override,$(origin ONNX)),.venv/.onnx) ## draw one layer into build/draw: LAYER="Conv2d(1, 1, 3)" INPUT=5x7, or ONNX=model.onnx, or FILE=picture.gif
	@exec $(PY) -m scripts.draw $(DRAW_OPTIONS) $(if $(QUIET),> /dev/null)

EXPLAINED := $(filter --layer=% --input=% --onnx=% --name=%,$(DRAW_OPTIONS)) $(EXPLAIN_OPTIONS)
explain: $(READY) $(if $(filter override,$(origin ONNX)),.venv/.onnx) ## explain a layer, LAYER="Conv2d(1, 1, 3)" INPUT=5x7, or LAYERS=file, or ONNX=model.onnx, or ERROR="…"
	@exec $(PY) -m scripts.explain $(EXPLAINED) $(if $(QUIET),> /dev/null)

verify: $(READY) $(if $(findstring mp4,$(FILE)),.venv/.mp4) ## check a picture, FILE=picture.gif, against the recipe in it
	@exec $(PY) -m scripts.verify $(if $(filter override,$(origin FILE)),-- "$$FILE")

solve: $(READY) ## list the layers that turn one size into another: INPUT=56 OUTPUT=28
	@exec $(PY) -m scripts.solve --input="$$INPUT" $(SOLVE_OPTIONS)

watch: $(READY) ## build again whenever a file is saved: FIGURES="a b", or everything
	@exec $(PY) -m scripts.watch "BUILD=$(BUILD)" $(if $(BUILD_OPTIONS),gifs "FIGURES=$$FIGURES",gifs report)

gallery: svgs ## update docs/gallery.md and its animations
	@$(PY) -m scripts.gallery

site: $(READY) .venv/.mp4 ## all figures as a website, build/site: a page for each, to play, step through and take along
	@exec $(PY) -m scripts.publish $(JOBS) $(QUIET)

PORT := 8000
serve: site ## the same on http://127.0.0.1:8000/, or PORT=N, until interrupted
	@exec $(PY) -m http.server --bind 127.0.0.1 --directory $(BUILD)/site $(PORT)

setup $(READY): requirements.txt scripts/setup.py scripts/machine/needs.py ## install what the build needs; NO_INSTALL=1 only lists system packages
	@$(PYTHON) -m scripts.setup $(QUIET)

.venv/.%: requirements-%.txt | $(READY)
	@$(PYTHON) -m scripts.setup $* $(QUIET)

doctor: ## list the tools that the build needs, and how to install those missing
	@$(PYTHON) -m scripts.doctor

# On all cores, the tests of a file one after the other.
PARALLEL := --numprocesses=auto --dist=loadfile
test: lint ## all tests
	@$(PY) -m pytest $(PARALLEL) $(if $(QUIET),-q)

test-full: lint ## all tests, the long ones at full length
	@$(PY) -m pytest $(PARALLEL) --full $(if $(QUIET),-q)

bench: .venv/.bench gifs ## measure the build; BASELINE=file.json compares with earlier results
	@$(PY) -m scripts.bench $(BENCH_OPTIONS)

lint: .venv/.test .venv/.onnx .venv/.mp4 ## ruff and mypy
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check
	@$(PY) -m mypy

format: .venv/.test ## format the Python code
	@$(PY) -m ruff check --fix
	@$(PY) -m ruff format

pins: $(READY) ## renew all requirements*.txt from their .in files, with hashes
	@$(PY) -m pip install --quiet --disable-pip-version-check uv
	@set -e; for name in "" -onnx -mp4 -test -bench; do \
	    $(PY) -m uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	        --no-header --no-emit-index-url requirements$$name.in --output-file requirements$$name.txt; \
	    $(PY) -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
	        -r requirements$$name.txt --dest .venv/cache/pins$$name; \
	    echo "# at most $$(du -sm .venv/cache/pins$$name | cut -f 1) MB to download" >> requirements$$name.txt; \
	    rm -r .venv/cache/pins$$name; \
	done

list: ## list all figures
	@ls figures | sed -n 's/\.toml$$//p'

clean: ## remove the build
	@if [ -n "$$(ls -A $(BUILD) 2> /dev/null)" ] && [ ! -e $(BUILD)/.lock ]; then \
	    echo 'BUILD=$(BUILD) holds files that no build of this project made; remove it yourself.' >&2; exit 1; fi
	rm -rf $(BUILD)

distclean: clean ## remove the Python packages too
	rm -rf .venv

help: ## this list
	@sed -n 's/^\(# \)\{0,1\}\([a-z][a-z0-9_, -]*\).*:.*## \(.*\)/\2|\3/p' $(firstword $(MAKEFILE_LIST)) | \
	    while IFS='|' read -r name text; do printf '  make %-15s %s\n' "$$name" "$$text"; done
	@echo 'With FIGURES="a b" only those figures, with THEME=NAME in another theme, with BACKGROUND=transparent on none, with'
	@echo 'SCALE=2 in images of twice the width and height, with -jN N figures at a time (default: all cores), with -s silently,'
	@echo 'with TIME_LIMIT=N at most N seconds for each figure and the report (default: 120), with -k even if some files are'
	@echo 'invalid, with TRACE=1 a trace of the build in trace.json, for https://ui.perfetto.dev.'

# One process builds all figures in parallel, so Make's own goals run one after the other.
.NOTPARALLEL:
