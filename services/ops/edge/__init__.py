"""Whom ops asks: the operator doors of all services (`doors`), and the broker about its queues (`queues`)."""
