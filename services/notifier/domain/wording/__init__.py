"""Words in three languages: dates, terms per market, templates with slots, and the mail made of them."""
