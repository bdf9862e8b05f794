"""What our pools are compared with: one module for each library, imported only in the process that measures it."""
