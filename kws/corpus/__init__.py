"""Many recordings: public corpora by name, what lies in their archives, and what each is used for."""
