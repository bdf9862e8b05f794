"""The gevent pool: jobs run on gevent greenlets."""
