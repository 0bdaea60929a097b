"""The way of a text through the parser's tables: which pieces are taken, and what is reduced when."""
