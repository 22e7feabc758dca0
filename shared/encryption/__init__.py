"""Personal data at rest: encrypted with a key per customer, which is itself encrypted with a master key.

Whoever destroys a customer's key destroys what it encrypted, wherever copies of that lie.
"""

from shared.encryption.contact_details import ContactDetails
from shared.encryption.customer_key import CustomerKey, Undecipherable
from shared.encryption.master_keys import MasterKeyMissing, MasterKeys

__all__ = ["ContactDetails", "CustomerKey", "MasterKeyMissing", "MasterKeys", "Undecipherable"]
