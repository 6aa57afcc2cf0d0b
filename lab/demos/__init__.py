"""What `make demo` and `make demo-event` show."""
