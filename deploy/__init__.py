"""Everything that sets the system up and runs it: nothing here is imported by a service."""
