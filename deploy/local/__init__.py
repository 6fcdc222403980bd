"""The whole system on one machine: private PostgreSQL and RabbitMQ, the outside's simulators, all services."""
