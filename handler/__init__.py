"""Entry points: the Lambda function, the worker and the ASGI application."""
