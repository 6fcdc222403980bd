"""ops hears everything: the journal of every announcement and the desk of what no handler could take."""
