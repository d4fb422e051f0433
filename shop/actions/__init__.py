"""What the shop does. An action owns its transaction and raises ShopErrors."""
