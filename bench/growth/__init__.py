"""The product on a database that has grown, with a backlog that has piled up, and with more processes."""
