"""A real OpenStack in a box for placement_recovery's tests and demo: environments, cloud, faults."""
