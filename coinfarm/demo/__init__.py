"""The complete backfill on one machine: a mock of AWS, the template's buckets and queue, workers, and a report."""
