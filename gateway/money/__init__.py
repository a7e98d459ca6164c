"""Money: prices, budgets and what is left of them."""
