"""A chain of Celery tasks on RabbitMQ: quorum queue, late acks, publisher confirms, no result backend.

Every worker process keeps its database, HTTP and SMTP connections open; each task is one transaction.
"""
