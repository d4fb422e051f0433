"""From a cart to an order that is paid, without ever charging what was not agreed to.

finding     which cart a request is about, also when it comes a second time
checking    whether a cart can be ordered as it is, for the total that the customer saw
replacing   cancels the pending order of a cart whose customer pays another way
completing  reserve and write the order; then ask the provider; then write what it said

The provider is asked between two transactions, so the process may die at any moment. What it leaves
is a pending order with its payment, about which `payments.settle` asks the provider again.
"""

from shop.actions.checkout.completing import Completed, Wish, complete
from shop.actions.checkout.finding import OPERATION, find

__all__ = ["OPERATION", "Completed", "Wish", "complete", "find"]
