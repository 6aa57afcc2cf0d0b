"""Stand-ins at the edge of the stores: a datastore service, a disk that loses power."""
