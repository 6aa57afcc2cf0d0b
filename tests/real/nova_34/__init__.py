"""Nova 34, where a node's UUID is kept on its host, and a reinstalled host gets a new one."""
