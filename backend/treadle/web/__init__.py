"""What a browser sees: pages, forms, feeds and the gate before them."""
