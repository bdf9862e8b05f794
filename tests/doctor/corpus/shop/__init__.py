from . import prices
from .deep.orders import guard
