"""The audit: all compute nodes against all resource providers, and what recoveries have left behind."""
