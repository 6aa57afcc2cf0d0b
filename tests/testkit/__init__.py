"""What the tests share. `cloud.Cloud` is a real Keystone, Placement and nova-api whose state the tests set."""
