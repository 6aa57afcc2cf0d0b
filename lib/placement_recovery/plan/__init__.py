"""From a snapshot to a diagnosis, a decision a consumer, and a plan with its digest."""
