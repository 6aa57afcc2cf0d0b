"""What runs inside of the OpenStack environments: a message bus, SQLite settings, a virt driver, glance-and-neutron."""
