"""An upstream portal: it applies, hears its answers and reads guarantees."""
