"""The complete backfill on one machine: a stand-in for AWS, the template's buckets and queue, workers, and a report."""
