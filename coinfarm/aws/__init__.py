"""Clients of AWS services other than S3, their configuration, and the translation of AWS errors."""
