"""What the images of the Dockerfile are made and judged by; none of it is in them but through `trim`, which only removes."""
