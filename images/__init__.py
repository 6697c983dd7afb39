"""Builds and checks the images of the Dockerfile. The images do not contain this package."""
