"""What the command line does besides serving: check, the welcome text, the health check of the image."""
