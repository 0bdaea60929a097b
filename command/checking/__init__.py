"""Scripts as files: what is wrong with them, how long they can hold their lines here."""
