"""What runs in OpenStack's environments: message bus, SQLite settings, virt driver, stand-ins of Glance and Neutron."""
