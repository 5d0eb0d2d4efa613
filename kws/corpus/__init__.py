"""Many recordings: public corpora by name, what their archives hold, what each is used for."""
