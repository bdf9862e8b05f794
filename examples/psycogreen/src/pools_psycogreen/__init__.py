"""An extension of pools: psycopg2 under gevent."""
