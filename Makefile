# Everything that these need is installed into a cache outside of the clone (see lab/environments.py).
PYTHON ?= python3
RELEASE ?= 26
METHOD ?= transplant
AUTOMATION ?= when_safe
TESTS ?= tests
# Each worker has a cloud of its own; which tests stay together, and in which order, tests/conftest.py says.
WORKERS ?= 3
SPREAD = --dist loadgroup --no-loadscope-reorder
STRIDE ?= 20
EXAMPLES ?= 100
SHARD ?= 1/1
RUNS ?= 100000
CONSUMERS ?= 20 100 500 2000

pack = $$($(PYTHON) -m lab.environments pack)
lint = $$($(PYTHON) -m lab.environments lint)

.PHONY: help demo demo-event test test-all test-real test-releases test-fast test-crowd chaos fuzz benchmark benchmark-gap benchmark-transplant lint ruff mypy imports yaml checks

help:  ## Show what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 22

demo:  ## Start a real OpenStack, break a host, and recover it (METHOD=preserve|discard|transplant, RELEASE=26|30|32|34)
	$(PYTHON) -m lab.demos.by_hand --method $(METHOD) --release $(RELEASE)

demo-event:  ## The same, but the log sensor notices it and the rule starts it (AUTOMATION=when_safe|ask, RELEASE=26|30|32|34)
	$(PYTHON) -m lab.demos.by_event --automation $(AUTOMATION) --release $(RELEASE)

test:  ## The tests, on a real OpenStack too, without those marked long
	$(PYTHON) -m lab.environments orquesta nova-34 nova-26 > /dev/null
	PLACEMENT_RECOVERY_LAB=1 $(pack)/bin/python -m pytest -n $(WORKERS) $(SPREAD) $(TESTS)

test-all:  ## All tests, also those marked long
	$(PYTHON) -m lab.environments orquesta nova-34 nova-32 nova-30 nova-26 > /dev/null
	PLACEMENT_RECOVERY_LAB=1 PLACEMENT_RECOVERY_LONG=1 $(pack)/bin/python -m pytest -n $(WORKERS) $(SPREAD) $(TESTS)

test-real:  ## What takes minutes of a real nova-compute's time: transplants with held periodics, the lab's own holds
	$(PYTHON) -m lab.environments orquesta nova-34 nova-32 nova-30 nova-26 > /dev/null
	PLACEMENT_RECOVERY_LAB=1 PLACEMENT_RECOVERY_LONG=1 $(pack)/bin/python -m pytest -n $(WORKERS) $(SPREAD) \
	    tests/real tests/lab/openstack

test-releases:  ## Transplant on a real nova 26, 30, 32 and 34, with children, PCI devices (34) and held periodics
	$(PYTHON) -m lab.environments nova-26 nova-30 nova-32 nova-34 > /dev/null
	PLACEMENT_RECOVERY_LAB=1 PLACEMENT_RECOVERY_LONG=1 $(pack)/bin/python -m pytest -n 2 $(SPREAD) \
	    tests/real/*/test_transplant.py tests/real/nova_34/test_pci.py

test-fast:  ## The tests that need no OpenStack
	$(pack)/bin/python -m pytest -n $(WORKERS) $(SPREAD) $(TESTS)

chaos: METHOD = all
chaos:  ## Recoveries hit at every STRIDE-th point, and EXAMPLES random topologies (METHOD=transplant, SHARD=1/8, SEED=)
	$(PYTHON) -m lab.environments nova-34 > /dev/null
	PYTHONPATH=lib:tests:. $(pack)/bin/python -m testkit.chaos --method $(METHOD) --stride $(STRIDE) \
	    --examples $(EXAMPLES) --shard $(SHARD) --workers $(WORKERS) $(if $(SEED),--seed $(SEED))

test-crowd:  ## Fifty triggers for one host, and ten hosts, at once, as whole workflows
	$(PYTHON) -m lab.environments orquesta nova-34 > /dev/null
	PLACEMENT_RECOVERY_LAB=1 PLACEMENT_RECOVERY_LONG=1 PLACEMENT_RECOVERY_TRIGGERS=50 \
	    PLACEMENT_RECOVERY_HOSTS=10 $(pack)/bin/python -m pytest -o timeout=0 tests/pack/rules/test_crowd.py

fuzz:  ## RUNS mutated logs through the log parser
	PYTHONPATH=lib:tests:. $(pack)/bin/python -m testkit.logs.fuzz --runs $(RUNS)

benchmark:  ## The log parser's throughput and memory, beside grep -F
	$(PYTHON) benchmarks/logs.py

benchmark-transplant:  ## Seconds per step, and requests to Placement, of transplants of hosts with CONSUMERS servers
	$(PYTHON) -m lab.environments nova-34 > /dev/null
	PYTHONPATH=lib:tests:. $(pack)/bin/python benchmarks/transplant.py $(CONSUMERS)

benchmark-gap:  ## Seconds that CONSUMERS servers are without allocations in preserve, on a real nova-compute (RELEASE=)
	$(PYTHON) -m lab.environments orquesta nova-$(RELEASE) > /dev/null
	PYTHONPATH=lib:tests:. $(pack)/bin/python benchmarks/gap.py --release $(RELEASE) $(CONSUMERS)

lint: ruff mypy imports yaml checks  ## Style, types, layers, metadata and workflows

ruff:
	$(lint)/bin/ruff check .

mypy:
	$(lint)/bin/mypy

imports:
	PYTHONPATH=lib $(lint)/bin/lint-imports

yaml:
	$(lint)/bin/yamllint --strict .

checks:
	$(PYTHON) -m lab.checks
