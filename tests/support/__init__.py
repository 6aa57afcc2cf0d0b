"""The test cloud: a real Keystone, Placement and nova-api whose state the tests set. `cloud.Cloud` is the way in."""
