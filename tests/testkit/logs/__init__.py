"""nova-compute's lines, in all the forms in which they reach a sensor."""
