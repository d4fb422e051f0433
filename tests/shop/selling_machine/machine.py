"""The state machine: whatever staff, shoppers, customers and a provider may do, in any order."""

from tests.shop.selling_machine.rules.aftersales import AftersalesRules
from tests.shop.selling_machine.rules.checkout import CheckoutRules
from tests.shop.selling_machine.rules.payments import PaymentRules
from tests.shop.selling_machine.rules.staff import StaffRules


class Machine(StaffRules, CheckoutRules, PaymentRules, AftersalesRules):
    """All of it."""
