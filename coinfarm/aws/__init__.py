"""Every AWS client but that of S3, and how AWS errors are reported."""
