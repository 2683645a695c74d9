"""pinner: pins apt packages in Dockerfiles to what apt would install."""

__version__ = "0.1.0"
