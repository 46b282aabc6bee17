"""Django's PostgreSQL, with connections that outlive the request: see `base`."""
