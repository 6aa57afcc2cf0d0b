"""What StackStorm's actions call: configuration in, `(ok, result)` out."""
